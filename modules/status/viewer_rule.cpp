#include "status/viewer_rule.h"

#include <algorithm>
#include <string_view>

#include "common/http/request_field.h"

namespace sluice::status {
namespace {

using files::ClientAddress;
using Family = ClientAddress::Family;

constexpr std::size_t kSizeV4 = 4;
constexpr std::size_t kSizeV6 = 16;
constexpr unsigned char kLoopbackV4 = 127;  // 127.0.0.0/8, RFC 1122 section 3.2.1.3

// IPv4 that is mapped into IPv6 becomes IPv4 (RFC 4291 section 2.5.5.2). The family is unknown where the system
// no longer knows the address.
ClientAddress address_of(Exchange& exchange) {
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", kSizeV6 - kSizeV4);
  std::string_view bytes = exchange.peer().address;
  ClientAddress address;
  if (bytes.empty() && std::string_view(exchange.client_address()).starts_with("unix:")) {
    address.family = Family::local;
  } else if (bytes.size() == kSizeV4 || bytes.size() == kSizeV6) {
    if (bytes.size() == kSizeV6 && bytes.starts_with(kMapped)) bytes.remove_prefix(kMapped.size());
    address.family = bytes.size() == kSizeV4 ? Family::v4 : Family::v6;
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  }
  return address;
}

bool is_of_this_host(const ClientAddress& address) {
  constexpr ClientAddress kLoopbackV6{Family::v6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return address.family == Family::local || address == kLoopbackV6 ||
         (address.family == Family::v4 && address.bytes[0] == kLoopbackV4);
}

bool was_passed_on(const Request& request) {
  constexpr std::string_view kOfProxies[] = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};
  const Field* const end = request.fields + request.field_count;
  return std::any_of(request.fields, end, [&](const Field& field) {
    return std::any_of(std::begin(kOfProxies), std::end(kOfProxies),
                       [&](std::string_view name) { return files::equals_ignoring_case(field.name, name); });
  });
}

}  // namespace

bool ViewerRule::admits(Exchange& exchange) const {
  const ClientAddress address = address_of(exchange);
  if (address.family == Family::unknown) return false;
  return files::any_has(allow_, address) || (is_of_this_host(address) && !was_passed_on(exchange.request()));
}

}  // namespace sluice::status
