// Finds the control sockets of servers, and connects to them. Each running server has a Unix socket PID.sock in
// a folder that nobody else can write to, or a socket at a path that a person chose.
//
// The functions are stateless and never wait. Any thread.
#pragma once

#include <sys/un.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

// Whether a client may trust the folder; the error says why not. A user who can write to the folder could pose
// as the server. Root may command a server of any user, so it accepts a folder of any owner.
Result<void> check_control_folder(const std::string& folder);
// Makes a server's folder if it is missing, and checks it. It has to belong to the server's user or to root.
Result<void> prepare_control_folder(const std::string& folder);

// The sockets in the folder at which a server listens, sorted. Removes sockets of servers that were killed.
std::vector<std::string> running_servers(const std::string& folder);

// Whether nobody listens at the socket any more, so that it may be replaced.
bool is_left_over(const std::string& path);

Result<sockaddr_un> control_address(const std::string& path);

// The error is a sentence for the person who named this path.
Result<UniqueFd> connect_control(const std::string& path);

}  // namespace sluice
