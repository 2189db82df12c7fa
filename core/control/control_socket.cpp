#include "control/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace sluice {
namespace {

constexpr std::string_view kSuffix = ".sock";

// Whether the name is PID.sock. The folder may have other sockets, too.
bool is_servers_name(std::string_view name) {
  if (!name.ends_with(kSuffix)) return false;
  name.remove_suffix(kSuffix.size());
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

// 0, or the errno of connect(2). EAGAIN means that the server runs, but is too busy.
int try_connect(const UniqueFd& socket, const sockaddr_un& address) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(socket.get(), generic, sizeof(address)) == 0 ? 0 : errno;
}

UniqueFd new_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Result<void> check_private_folder(const std::string& folder, bool any_owner) {
  struct stat about {};
  if (::lstat(folder.c_str(), &about) != 0) return fail_errno("cannot look at " + folder, errno);
  const bool owned = any_owner || about.st_uid == ::geteuid() || about.st_uid == 0;
  if (!S_ISDIR(about.st_mode) || !owned || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(
        fmt::format("the folder {} of control sockets is not safe: it must be a folder that belongs to you "
                    "or to root, and that nobody else can write to",
                    folder));
  }
  return {};
}

}  // namespace

Result<void> prepare_control_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(fmt::format("the folder {} of control sockets cannot be made", folder), errno);
  return check_private_folder(folder, false);
}

Result<void> check_control_folder(const std::string& folder) {
  return check_private_folder(folder, ::geteuid() == 0);
}

std::vector<std::string> running_servers(const std::string& folder) {
  std::vector<std::string> running;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string();
    if (!is_servers_name(entry->path().filename().string())) continue;
    const auto address = control_address(path);
    const UniqueFd socket = new_socket();
    if (!address || !socket) continue;
    const int error_number = try_connect(socket, *address);
    if (error_number == 0 || error_number == EAGAIN) running.push_back(path);
    if (error_number == ECONNREFUSED) ::unlink(path.c_str());
  }
  std::sort(running.begin(), running.end());
  return running;
}

bool is_left_over(const std::string& path) {
  const auto address = control_address(path);
  const UniqueFd socket = new_socket();
  if (!address || !socket) return false;
  const int error_number = try_connect(socket, *address);
  return error_number == ENOENT || error_number == ECONNREFUSED;
}

Result<sockaddr_un> control_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return fail(
        fmt::format("the path '{}' of a control socket has to be 1 to {} bytes long: choose a shorter one "
                    "with --control",
                    path, sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<UniqueFd> connect_control(const std::string& path) {
  const auto address = control_address(path);
  if (!address) return Unexpected(address.error());
  UniqueFd socket = new_socket();
  if (!socket) return fail_errno("cannot make a socket", errno);
  switch (const int error_number = try_connect(socket, *address)) {
    case 0:
      return socket;
    case ENOENT:
    case ECONNREFUSED:
      return fail(
          fmt::format("no server is running at the control socket {}: start one with 'sluice serve --control "
                      "{}', or name another socket",
                      path, path));
    case EAGAIN:
      return fail(fmt::format("the server at {} is busy: try again", path));
    default:
      return fail_errno(fmt::format("the control socket {} cannot be used", path), error_number);
  }
}

}  // namespace sluice
