#include "common/serving/refusal_log.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <utility>

namespace sluice::files {
namespace {

std::string user_name() {
  std::array<char, 4096> texts;
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, texts.data(), texts.size(), &found);
  return found != nullptr ? found->pw_name : "with the ID " + std::to_string(geteuid());
}

std::string path_of(int folder) {
  std::array<char, PATH_MAX> path;
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(folder)).c_str(), path.data(), path.size());
  return size <= 0 ? std::string(".") : std::string(path.data(), static_cast<std::size_t>(size));
}

// The file that may not be read, or the folder on the way that may not be entered.
struct Refused {
  std::string name;
  bool is_on_the_way = false;
};
Refused find_refused(int folder, const std::string& path, Links links) {
  std::string before = ".";
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    FileFacts facts;
    const int error = part.empty() ? 0 : look_beneath(folder, part.c_str(), Resolve::may_block, links, facts);
    if (error == EACCES || error == EPERM) return {before, true};
    if (end == std::string::npos) return {part, false};
    before = part;
  }
}

}  // namespace

class RefusalLog::Search final : public Work {
 public:
  Search(RefusalLog& log, std::string path) : log_(log), path_(std::move(path)) {}
  void run() override {
    const Refused refused = find_refused(log_.folder_fd_, path_, log_.links_);
    name_ = path_of(log_.folder_fd_) + (refused.name == "." ? "" : "/" + refused.name);
    sentence_ = "403, because the user " + user_name() + " may not " +
                (refused.is_on_the_way ? "enter the folder " : "read ") + name_;
  }
  void done(bool ran) override {
    if (ran) log_.found(std::move(name_), sentence_);
  }

 private:
  RefusalLog& log_;
  const std::string path_;
  std::string name_;
  std::string sentence_;
};

void RefusalLog::note(const std::string& path) {
  const std::uint64_t now_ms = host_.now_ms();
  if (now_ms >= forget_at_ms_) {
    told_.clear();
    last_path_.clear();
    forget_at_ms_ = now_ms + kForgetMs;
  }
  if (told_.size() >= kNamesMax || now_ms < search_at_ms_ || path == last_path_) return;
  auto work = std::make_unique<Search>(*this, path);
  if (!host_.offload(work.get())) return;
  static_cast<void>(work.release());
  last_path_ = path;
  search_at_ms_ = now_ms + kSearchEveryMs;
}

void RefusalLog::found(std::string name, const std::string& sentence) {
  if (told_.insert(std::move(name)).second) host_.log(LogLevel::warning, sentence);
}

}  // namespace sluice::files
