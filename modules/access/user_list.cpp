#include "access/user_list.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "access/password_hash.h"
#include "common/http/text.h"

namespace sluice::access {
namespace {

using files::take_part;
using files::trimmed;

constexpr std::string_view kBlanks = " \t\r";
constexpr const char* kRemedy = ": make the line with 'htpasswd -B', or its hash with 'openssl passwd -6'";

}  // namespace

UserList::UserList(std::string_view text, const std::string& path) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = trimmed(take_part(text, '\n'), kBlanks);
    if (line.empty() || line.front() == '#') continue;
    const std::string where = "line " + std::to_string(number) + " of " + path;
    if (line.find(':') == std::string_view::npos || line.front() == ':')
      throw std::runtime_error(where + " is not NAME:HASH" + kRemedy);
    const std::string_view name = take_part(line, ':');
    const std::string_view hash = take_part(line, ':');
    if (const char* why = why_not_usable(hash); why != nullptr)
      throw std::runtime_error(where + " has " + why + kRemedy);
    users_.emplace_back(name, hash);
  }
  std::sort(users_.begin(), users_.end());
  const auto twice = std::adjacent_find(
      users_.begin(), users_.end(), [](const auto& one, const auto& next) { return one.first == next.first; });
  if (twice != users_.end())
    throw std::runtime_error(path + " has two lines for the user '" + twice->first + "': remove one of them");
}

const std::string* UserList::find(std::string_view name) const {
  const auto found =
      std::lower_bound(users_.begin(), users_.end(), name,
                       [](const auto& user, std::string_view wanted) { return user.first < wanted; });
  return found != users_.end() && found->first == name ? &found->second : nullptr;
}

const std::string& UserList::decoy(std::string_view name) const {
  return users_[std::hash<std::string_view>()(name) % users_.size()].second;
}

}  // namespace sluice::access
