#include "common/files/followed_file.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "common/files/destroy_on_thread.h"

namespace sluice::files {
namespace {

constexpr std::uint64_t kGatherMs = 50;  // a change is often several events
constexpr std::uint64_t kRetryMs = 1'000;
constexpr std::uint64_t kEveryMs = 60'000;
// The file itself is watched, too: it may be a link into another folder.
constexpr std::uint32_t kOfFolder =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kOfFile = IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string sentence(const std::string& path, const FileKind& kind, int error) {
  if (error == ENOENT) return path + " is missing: " + kind.missing;
  if (error == EACCES) {
    return path +
           " may not be read by the server's workers: change its group or mode, and name it with its folder, "
           "as "
           "in /etc/sluice/" +
           path.substr(path.rfind('/') + 1);
  }
  return path + " cannot be read: " + std::strerror(error);
}

int descriptor_of(const std::shared_ptr<OwnedFd>& inotify) {
  return inotify == nullptr ? -1 : inotify->get();
}

// The error of errno(3), or 0.
int read_text(int fd, std::uint64_t size_max, std::string& text) {
  for (std::size_t filled = 0;;) {
    text.resize(filled + 64 * 1024);
    const ssize_t got = ::read(fd, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
    text.resize(filled);
    if (got <= 0 || filled > size_max) return got < 0 ? errno : 0;
  }
}

}  // namespace

class FollowedFile::Look final : public Work {
 public:
  explicit Look(FollowedFile& file)
      : file_(file),
        inotify_(file.watches_.inotify_),
        known_(file.last_),
        change_(file.follower_.begin_change()) {}
  void run() override {
    reading_ = read(file_.path_, file_.kind_, known_, descriptor_of(inotify_));
    if (reading_.is_the_same || !reading_.mistake.empty()) return;
    try {
      change_->prepare(reading_.text);
    } catch (const std::runtime_error& mistake) {
      reading_.mistake = mistake.what();
    }
  }
  void done(bool ran) override {
    file_.looking_ = false;
    if (file_.closed_) return;
    const bool again = std::exchange(file_.look_again_, false);
    file_.look_in(!ran ? kRetryMs : again ? kGatherMs : kEveryMs);
    if (ran) file_.take(std::move(reading_), change_.get());
  }

 private:
  FollowedFile& file_;
  const std::shared_ptr<OwnedFd> inotify_;
  const Reading known_;
  const std::unique_ptr<FileChange> change_;
  Reading reading_;
};

void FileWatches::add(FollowedFile& file) {
  files_.push_back(&file);
  if (inotify_ != nullptr) return;
  inotify_ = std::make_shared<OwnedFd>(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  watched_ = *inotify_ && host_.watch(inotify_->get(), EPOLLIN, *this);
  if (!watched_)
    host_.log(LogLevel::warning,
              std::string("files are looked at once a minute only, because the kernel cannot "
                          "report changes: inotify_init1: ") +
                  std::strerror(errno));
}

void FileWatches::remove(FollowedFile& file) {
  files_.erase(std::remove(files_.begin(), files_.end(), &file), files_.end());
}

void FileWatches::ready(std::uint32_t) {
  alignas(inotify_event) char events[16 * 1024];
  // What has changed does not matter: a link on the way can have any name.
  while (::read(inotify_->get(), events, sizeof(events)) == static_cast<ssize_t>(sizeof(events))) continue;
  for (FollowedFile* file : files_) file->changed();
}

void FileWatches::close() {
  stop();
  // The close waits in the kernel until nobody uses a watch any more, so a thread does it.
  if (inotify_ != nullptr && *inotify_) destroy_on_thread(host_, std::move(inotify_));
}

void FileWatches::stop() {
  if (std::exchange(watched_, false)) host_.unwatch(inotify_->get());
}

FollowedFile::FollowedFile(Host& host, FileWatches& watches, std::string path, const FileKind& kind,
                           FileFollower& follower)
    : host_(host), watches_(watches), path_(std::move(path)), kind_(kind), follower_(follower) {
  watches_.add(*this);
}

FollowedFile::~FollowedFile() {
  close();
  watches_.remove(*this);
}

void FollowedFile::begin() {
  last_ = read(path_, kind_, {}, descriptor_of(watches_.inotify_));
  if (!last_.mistake.empty()) throw std::runtime_error(last_.mistake);
  const std::unique_ptr<FileChange> change = follower_.begin_change();
  change->prepare(last_.text);
  change->take();
  look_in(kEveryMs);
}

void FollowedFile::close() {
  closed_ = true;
  if (timer_.value != 0) host_.cancel(std::exchange(timer_, {}));
}

// Gives back the former text where the facts prove that it is the same.
FollowedFile::Reading FollowedFile::read(const std::string& path, const FileKind& kind, const Reading& known,
                                         int inotify) {
  // First, so that no change falls between the reading and the watch. Both stay the same for what is watched.
  if (inotify >= 0) {
    inotify_add_watch(inotify, folder_of(path).c_str(), kOfFolder);
    inotify_add_watch(inotify, path.c_str(), kOfFile);
  }
  Reading reading;
  const auto failed = [&](const std::string& mistake) {
    reading = {};
    reading.mistake = mistake;
    return reading;
  };
  const OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return failed(sentence(path, kind, errno));
  if (const int error = read_facts(fd.get(), reading.facts); error != 0)
    return failed(sentence(path, kind, error));
  if (!reading.facts.is_regular()) return failed(path + " is no regular file: name " + kind.name);
  if ((reading.facts.mode & S_IWOTH) != 0)
    return failed(path + " may be written by everybody: change its mode with 'chmod o-w'");
  if (!known.young && reading.facts == known.facts) {
    reading = known;
    reading.is_the_same = true;
    return reading;
  }
  reading.young = file_is_young(reading.facts, wall_seconds());
  if (const int error = read_text(fd.get(), kind.mib_max << 20, reading.text); error != 0)
    return failed(sentence(path, kind, error));
  if (reading.text.size() > kind.mib_max << 20)
    return failed(path + " has more than " + std::to_string(kind.mib_max) + " MiB: split it");
  // A mistake in a text that could be read is one of this very text.
  if (known.facts.is_regular() && reading.text == known.text) {
    reading.mistake = known.mistake;
    reading.is_the_same = true;
  }
  return reading;
}

void FollowedFile::changed() {
  look_again_ = looking_;
  look_in(kGatherMs);
}

void FollowedFile::fired() {
  timer_ = {};
  look();
}

void FollowedFile::look() {
  if (looking_ || closed_) return;
  auto work = std::make_unique<Look>(*this);
  if (!host_.offload(work.get())) return look_in(kRetryMs);
  static_cast<void>(work.release());
  looking_ = true;
}

// An earlier look stays.
void FollowedFile::look_in(std::uint64_t delay_ms) {
  if (looking_ || closed_) return;
  const std::uint64_t due_ms = host_.now_ms() + delay_ms;
  if (timer_.value != 0 && due_ms_ <= due_ms) return;
  if (timer_.value != 0) host_.cancel(timer_);
  due_ms_ = due_ms;
  timer_ = host_.timer(delay_ms, *this);
}

void FollowedFile::take(Reading reading, FileChange* change) {
  const std::string former = std::exchange(last_, std::move(reading)).mistake;
  if (last_.mistake.empty()) {
    if (!last_.is_the_same) change->take();
  } else if (last_.mistake != former) {
    follower_.refuse_change(last_.mistake);
  }
}

}  // namespace sluice::files
