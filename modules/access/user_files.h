// The htpasswd files of a worker's filters. Each is watched, and read again on a thread when it may have
// changed: when inotify(7) says so, and once a minute, since inotify is silent on network file systems and when
// a folder on the way is replaced. A file that has become wrong leaves the users as they were, and the log says
// why.
//
// Loop thread. Lives longer than the filters that have followed a file.
#pragma once

#include <sluice/handler.h>

#include <map>
#include <memory>
#include <string>

#include "access/user_file.h"
#include "common/files/owned_fd.h"

namespace sluice::access {

// The users of one file at present. Never null.
struct FollowedUsers {
  std::shared_ptr<const UserList> users;
  UserFile last;  // the reading, which may have failed
};

class UserFiles final : private Watcher, private Timer {
 public:
  explicit UserFiles(Host& host);
  UserFiles(const UserFiles&) = delete;
  UserFiles& operator=(const UserFiles&) = delete;
  ~UserFiles();

  // Reads the file if nobody has followed it yet; so the loop may wait for a disk. Throws std::runtime_error
  // with a sentence if the file is wrong.
  std::shared_ptr<const FollowedUsers> follow(const std::string& path);
  // Nothing is watched from now on.
  void close();

 private:
  class Look;
  using Followed = std::map<std::string, std::shared_ptr<FollowedUsers>>;

  void ready(std::uint32_t events) override;
  void fired() override;
  void stop();
  void look();
  void look_in(std::uint64_t delay_ms);
  void take(const std::string& path, UserFile read);

  Host& host_;
  std::shared_ptr<files::OwnedFd> inotify_;  // also of the look under way
  bool watched_ = false;
  Followed followed_;
  TimerId timer_;
  std::uint64_t due_ms_ = 0;
  bool looking_ = false;
  bool look_again_ = false;  // something has changed since the look began
  bool closed_ = false;
};

}  // namespace sluice::access
