// The htpasswd files of a worker's filters, whose changes are taken while the server runs. A file that has
// become wrong leaves the users as they were, and the log says why.
//
// Loop thread. Lives longer than the filters that have followed a file.
#pragma once

#include <sluice/handler.h>

#include <map>
#include <memory>
#include <string>

#include "access/user_list.h"
#include "common/files/followed_file.h"

namespace sluice::access {

// The users of one file at present. Never null.
struct FollowedUsers {
  std::shared_ptr<const UserList> users;
};

class UserFiles {
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
  class UserFile;

  Host& host_;
  files::FileWatches watches_;
  std::map<std::string, std::unique_ptr<UserFile>> followed_;
};

}  // namespace sluice::access
