#include "access/user_files.h"

#include <sys/epoll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/files/destroy_on_thread.h"

namespace sluice::access {
namespace {

constexpr std::uint64_t kGatherMs = 50;  // a change is often several events
constexpr std::uint64_t kRetryMs = 1'000;
constexpr std::uint64_t kEveryMs = 60'000;

std::string number_of(const UserList& users) {
  return std::to_string(users.size()) + (users.size() == 1 ? " user" : " users");
}

}  // namespace

// Reads all files that may have changed.
class UserFiles::Look final : public Work {
 public:
  explicit Look(UserFiles& files) : files_(files), inotify_(files.inotify_) {
    for (const auto& [path, followed] : files.followed_) items_.emplace_back(path, followed->last);
  }
  void run() override {
    for (auto& [path, file] : items_) file = read_user_file(path, file, inotify_->get());
  }
  void done(bool ran) override {
    files_.looking_ = false;
    if (files_.closed_) return;
    const bool again = std::exchange(files_.look_again_, false);
    files_.look_in(!ran ? kRetryMs : again ? kGatherMs : kEveryMs);
    if (!ran) return;
    for (auto& [path, file] : items_) files_.take(path, std::move(file));
  }

 private:
  UserFiles& files_;
  const std::shared_ptr<files::OwnedFd> inotify_;
  std::vector<std::pair<std::string, UserFile>> items_;
};

UserFiles::UserFiles(Host& host) : host_(host), inotify_(std::make_shared<files::OwnedFd>()) {}

UserFiles::~UserFiles() {
  stop();
}

void UserFiles::close() {
  stop();
  // The close waits in the kernel until nobody uses a watch any more, so a thread does it.
  if (inotify_ != nullptr && *inotify_) files::destroy_on_thread(host_, std::move(inotify_));
}

void UserFiles::stop() {
  closed_ = true;
  if (std::exchange(watched_, false)) host_.unwatch(inotify_->get());
  if (timer_.value != 0) host_.cancel(std::exchange(timer_, {}));
}

std::shared_ptr<const FollowedUsers> UserFiles::follow(const std::string& path) {
  if (const auto known = followed_.find(path); known != followed_.end()) return known->second;
  if (!*inotify_) {
    *inotify_ = files::OwnedFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    watched_ = *inotify_ && host_.watch(inotify_->get(), EPOLLIN, *this);
    if (!watched_)
      host_.log(LogLevel::warning,
                std::string("files of users are looked at once a minute only, because the kernel cannot report "
                            "changes: inotify_init1: ") +
                    std::strerror(errno));
  }
  auto followed = std::make_shared<FollowedUsers>();
  followed->last = read_user_file(path, {}, inotify_->get());
  followed->users = followed->last.users;
  if (followed->users == nullptr) throw std::runtime_error(followed->last.mistake);
  if (followed->users->empty()) host_.log(LogLevel::warning, path + " has no users, so nobody has a password");
  followed_.emplace(path, followed);
  look_in(kEveryMs);
  return followed;
}

void UserFiles::ready(std::uint32_t) {
  alignas(inotify_event) char events[16 * 1024];
  // What has changed does not matter: a link on the way can have any name.
  while (read(inotify_->get(), events, sizeof(events)) == static_cast<ssize_t>(sizeof(events))) continue;
  look_again_ = looking_;
  look_in(kGatherMs);
}

void UserFiles::fired() {
  timer_ = {};
  look();
}

void UserFiles::look() {
  if (looking_ || closed_) return;
  auto work = std::make_unique<Look>(*this);
  if (!host_.offload(work.get())) return look_in(kRetryMs);
  static_cast<void>(work.release());
  looking_ = true;
}

// An earlier look stays.
void UserFiles::look_in(std::uint64_t delay_ms) {
  if (looking_ || closed_) return;
  const std::uint64_t due_ms = host_.now_ms() + delay_ms;
  if (timer_.value != 0 && due_ms_ <= due_ms) return;
  if (timer_.value != 0) host_.cancel(timer_);
  due_ms_ = due_ms;
  timer_ = host_.timer(delay_ms, *this);
}

void UserFiles::take(const std::string& path, UserFile read) {
  FollowedUsers& followed = *followed_.at(path);
  const std::string mistake = std::exchange(followed.last, std::move(read)).mistake;
  const std::shared_ptr<const UserList>& users = followed.last.users;
  if (users == nullptr) {
    if (followed.last.mistake != mistake)
      host_.log(LogLevel::error, "the users stay as they were: " + followed.last.mistake);
    return;
  }
  if (*users == *followed.users && mistake.empty()) return;
  followed.users = users;
  host_.log(LogLevel::info, path + " was read again: " + number_of(*users));
}

}  // namespace sluice::access
