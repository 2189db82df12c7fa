// The grammar of the Host field and of an absolute target's authority (RFC 9110 section 7.2, RFC 3986 section
// 3.2). Pure, any thread.
#pragma once

#include <string_view>

namespace sluice {

// uri-host [ ":" port ]: a name, an IPv4 address or an IPv6 address in brackets, without user information. A
// Host field may be empty, an authority may not.
bool is_host_field(std::string_view text);
bool is_authority(std::string_view text);
// Without the port. REQUIRES: is_host_field(text).
std::string_view host_of(std::string_view text);

}  // namespace sluice
