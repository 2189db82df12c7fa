// Addresses to listen on, in tests. Any thread.
#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "settings/listen_address.h"

namespace sluice::test {

// REQUIRES: it is well-formed.
inline ListenAddress address(const std::string& text) {
  return std::move(*parse_listen(text));
}

inline bool connects(const ListenAddress& to) {
  const UniqueFd socket(::socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.address), to.length) == 0;
}

}  // namespace sluice::test
