// Hashes of passwords, as crypt(5) writes them. Any thread; a comparison takes long by design.
#pragma once

#include <string>
#include <string_view>

namespace sluice::access {

// Null if the hash can be compared with passwords. Otherwise says what it is, as in "a hash by $apr1$".
const char* why_not_usable(std::string_view hash);

// Whether the password makes this hash. For an offload thread: by crypt(3). REQUIRES: the hash is usable.
bool makes_hash(const std::string& password, const std::string& hash);

}  // namespace sluice::access
