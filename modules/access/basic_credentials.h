// The user's name and password that a request brings (RFC 7617). Pure, any thread.
#pragma once

#include <sluice/abi.h>

#include <optional>
#include <string>

namespace sluice::access {

struct Credentials {
  std::string user;
  std::string password;
};

// Nothing if the request has none, has more than one field of them, or if they are malformed: not in base64,
// without a colon, or with control characters, which crypt(3) could not tell from the password's end.
std::optional<Credentials> basic_credentials(const Request& request);

}  // namespace sluice::access
