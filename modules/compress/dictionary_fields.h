// The fields of compression dictionary transport (RFC 9842): which dictionary a client has, and which content
// may be one for what. Pure functions, any thread.
#pragma once

#include <sluice/abi.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::compress {

inline constexpr std::size_t kHashSize = 32;  // of SHA-256

// The hash in Available-Dictionary (section 2.2), 32 bytes that RFC 9651 section 3.3.5 writes as :BASE64:.
// Empty if there is no such field, more than one, or if it is anything else. Parameters are anything else, too:
// none are defined.
std::string available_dictionary(const Request& request);

// 16 hexadecimal digits that tell one dictionary from others.
std::string short_hash(std::string_view hash);

// Whether Accept-Encoding names dcz, and gives no coding more weight. "*" does not name it, because clients may
// only name it if they have a dictionary (section 6.1).
bool accepts_dcz(const Request& request);

// The pattern (section 2.1.1, https://urlpattern.spec.whatwg.org) of the URLs whose content may be coded with
// what this target, as it was sent, has: its own path with any query. If the last part has a hash in it beside
// its name, as in /app-3f2b9c1d.js, a later hash fits, too: /app-*.js. Empty if no browser sends such a target,
// or if it is longer than 512 bytes.
std::string dictionary_pattern(std::string_view target);

// The value of Use-As-Dictionary (section 2.1). REQUIRES: the pattern is one that `dictionary_pattern` gave.
std::string use_as_dictionary(std::string_view pattern);

}  // namespace sluice::compress
