#include "common/files/walk_beneath.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>
#include <vector>

namespace sluice::files {
namespace {

constexpr long kNoLinksFollowed = 0x2000;  // ST_NOSYMFOLLOW, which Debian 12's C library does not know
constexpr int kFolder = O_PATH | O_DIRECTORY | O_CLOEXEC;

OwnedFd open_at(int folder, const char* name, int flags) {
  int fd;
  do {
    fd = ::openat(folder, name, flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return OwnedFd(fd);
}

// The target of a link: cut to PATH_MAX bytes when it is longer, empty when the link cannot be read.
std::string read_link(int folder, const char* name) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(folder, name, text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

// INVARIANT: `chain_` is not empty, and its last element describes `here_`.
class Walk {
 public:
  Walk(int top, Links links) : top_fd_(top), links_(links) {}

  // The error does not tell whether anything lies outside the folder.
  Opened open(const char* path, int flags) {
    if (*path == '\0') return {OwnedFd(), ENOENT};
    if (*path == '/') return {OwnedFd(), EXDEV};
    if (const int error = begin_at(top_fd_, ".")) return {OwnedFd(), error};
    top_ = chain_.back();
    rest_ = path;
    Opened opened = go(flags);
    return is_beneath() ? std::move(opened) : Opened{OwnedFd(), EXDEV};
  }

 private:
  Opened go(int flags) {
    while (!rest_.empty()) {
      const std::string name = take_name();
      if (name.empty() || name == ".") continue;
      int error = 0;
      if (name == "..") {
        error = go_up();
      } else {
        OwnedFd found;
        error = go_to(name, found);
        if (found) return open_last(name, std::move(found), flags);
      }
      if (error != 0) return {OwnedFd(), error};
    }
    if ((flags & O_PATH) != 0) return {std::move(here_), 0};
    OwnedFd opened = open_at(here_.get(), ".", flags);
    const int error = opened ? 0 : errno;
    return {std::move(opened), error};
  }

  bool is_beneath() const {
    return std::any_of(chain_.begin(), chain_.end(), [&](const FileFacts& at) { return at.same_file(top_); });
  }

  // Takes the first name and the slash behind it off the rest. `slash_follows_` notes the slash: it says that
  // the name is a folder's.
  std::string take_name() {
    const std::size_t end = std::min(rest_.find('/'), rest_.size());
    std::string name = rest_.substr(0, end);
    slash_follows_ = end < rest_.size();
    rest_.erase(0, end + (slash_follows_ ? 1 : 0));
    return name;
  }

  int begin_at(int folder, const char* path) {
    here_ = open_at(folder, path, kFolder);
    if (!here_) return errno;
    chain_.resize(1);
    return read_facts(here_.get(), chain_.back());
  }

  // Goes to the ".." of `here_`. That has to be the folder that the walk came from; if not, `here_` was
  // moved.
  int go_up() {
    const bool at_bottom = chain_.size() == 1;
    // A request's own path may not leave the folder. A link's target may, if it ends inside again.
    if (at_bottom && followed_ == 0) return EXDEV;
    OwnedFd above = open_at(here_.get(), "..", kFolder);
    if (!above) return errno;
    FileFacts facts;
    if (const int error = read_facts(above.get(), facts)) return error;
    if (!at_bottom) {
      chain_.pop_back();
      if (!chain_.back().same_file(facts)) return EAGAIN;
    }
    chain_.back() = facts;
    here_ = std::move(above);
    return 0;
  }

  // Enters a folder or follows a link. Anything else goes into `found`.
  int go_to(const std::string& name, OwnedFd& found) {
    OwnedFd next = open_at(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW);
    if (!next) return errno;
    FileFacts facts;
    if (const int error = read_facts(next.get(), facts)) return error;
    if (S_ISLNK(facts.mode)) return follow(next.get());
    if (facts.is_folder()) {
      chain_.push_back(facts);
      here_ = std::move(next);
      return 0;
    }
    if (slash_follows_) return ENOTDIR;
    found = std::move(next);
    return 0;
  }

  int follow(int link) {
    if (links_ == Links::refused || ++followed_ > kLinksMax) return ELOOP;
    struct statfs system {};
    if (::fstatfs(link, &system) != 0) return errno;
    // The links of /proc lead to things that have no path.
    if (system.f_type == PROC_SUPER_MAGIC || (system.f_flags & kNoLinksFollowed) != 0) return ELOOP;
    std::string target = read_link(link, "");
    if (target.empty()) return ENOENT;
    if (target.size() == PATH_MAX) return ENAMETOOLONG;
    if (slash_follows_) target += '/';
    const bool absolute = target.front() == '/';
    const std::size_t known = absolute ? path_to_top(target) : 0;
    rest_.insert(0, target, known);
    if (!absolute) return 0;
    return known > 0 ? begin_at(top_fd_, ".") : begin_at(AT_FDCWD, "/");
  }

  // The length of the front of an absolute path that is the path of the top folder; 0 if it has another
  // front. When root started the server, its workers may be unable to walk from "/" to the top.
  std::size_t path_to_top(const std::string& target) const {
    const std::string top = read_link(AT_FDCWD, ("/proc/self/fd/" + std::to_string(top_fd_)).c_str());
    const bool at_top = top.size() > 1 && target.starts_with(top);
    return at_top && (target.size() == top.size() || target[top.size()] == '/') ? top.size() : 0;
  }

  Opened open_last(const std::string& name, OwnedFd found, int flags) {
    if ((flags & O_PATH) != 0) return {std::move(found), 0};
    OwnedFd opened = open_at(here_.get(), name.c_str(), flags | O_NOFOLLOW);
    // ELOOP: a link has taken the file's place.
    const int error = opened ? 0 : errno == ELOOP ? EAGAIN : errno;
    return {std::move(opened), error};
  }

  const int top_fd_;
  const Links links_;
  FileFacts top_;
  OwnedFd here_;
  std::vector<FileFacts> chain_;  // from where the walk began, or from "/", down to here
  std::string rest_;
  bool slash_follows_ = false;  // behind the last name that was taken
  int followed_ = 0;
};

}  // namespace

Opened walk_beneath(int folder, const char* path, Links links, int flags) {
  Opened opened;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    opened = Walk(folder, links).open(path, flags);
    if (opened.error != EAGAIN) break;
  }
  return opened;
}

}  // namespace sluice::files
