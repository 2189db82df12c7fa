// The users of an htpasswd file. Plain values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::access {

class UserList {
 public:
  // Reads the lines NAME:HASH, with comments and other parts behind them. `path` is for the messages. Throws
  // std::runtime_error with a sentence for whoever wrote the file.
  UserList(std::string_view text, const std::string& path);

  // The hash of the user's password; null if there is no such user.
  const std::string* find(std::string_view name) const;
  // A hash of one of the users, always the same one for a name. REQUIRES: there are users.
  const std::string& decoy(std::string_view name) const;
  bool empty() const { return users_.empty(); }
  std::size_t size() const { return users_.size(); }
  bool operator==(const UserList&) const = default;

 private:
  std::vector<std::pair<std::string, std::string>> users_;  // sorted: name and hash
};

}  // namespace sluice::access
