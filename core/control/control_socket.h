// Where a server's control socket is, and how it is reached: a Unix socket PID.sock for each running server, in
// a folder that nobody else can write to, or at a path that a person chose.
//
// The functions keep nothing and never wait. Any thread.
#pragma once

#include <sys/un.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

// Whether who asks may trust the folder; the error says why not: who could write to it could pose as the
// server. Root may ask a server of any user, and so trusts a folder of any owner.
Result<void> check_control_folder(const std::string& folder);
// For a server, whose folder is its own or root's: made where it is missing, and then checked.
Result<void> prepare_control_folder(const std::string& folder);

// The sockets in the folder that a server answers at, in order. Those that a killed server has left are
// removed.
std::vector<std::string> running_servers(const std::string& folder);

// Nobody listens at the socket any more, so that it may be replaced.
bool is_left_over(const std::string& path);

Result<sockaddr_un> control_address(const std::string& path);

// The error is the sentence for who asked for this very path.
Result<UniqueFd> connect_control(const std::string& path);

}  // namespace sluice
