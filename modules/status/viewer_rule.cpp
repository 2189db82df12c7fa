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

// The family is unknown where the system no longer knows the address.
ClientAddress address_of(Exchange& exchange) {
  const std::string_view bytes = exchange.peer().address;
  ClientAddress address;
  if (bytes.empty() && std::string_view(exchange.client_address()).starts_with("unix:")) {
    address.family = Family::local;
  } else if (bytes.size() == kSizeV4 || bytes.size() == kSizeV6) {
    address.family = bytes.size() == kSizeV4 ? Family::v4 : Family::v6;
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  }
  return address;
}

bool is_of_this_host(const ClientAddress& address) {
  constexpr ClientAddress kLoopbackV6{Family::v6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return address == kLoopbackV6 || (address.family == Family::v4 && address.bytes[0] == kLoopbackV4);
}

bool was_passed_on(const Request& request) {
  constexpr std::string_view kOfProxies[] = {"forwarded", "x-real-ip", "via"};
  constexpr std::string_view kBegins = "x-forwarded";
  const Field* const end = request.fields + request.field_count;
  return std::any_of(request.fields, end, [&](const Field& field) {
    const std::string_view name = field.name;
    return files::equals_ignoring_case(name.substr(0, kBegins.size()), kBegins) ||
           std::any_of(std::begin(kOfProxies), std::end(kOfProxies),
                       [&](std::string_view known) { return files::equals_ignoring_case(name, known); });
  });
}

// A name that only this host gives an address, or no name. HTTP/1.0 may leave it out, which no browser does.
bool is_asked_for_by_address(std::string_view authority) {
  if (authority.empty()) return true;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end != std::string_view::npos &&
           files::parse_address(authority.substr(1, end - 1)).family == Family::v6;
  }
  const std::string_view host = authority.substr(0, authority.find(':'));
  return files::equals_ignoring_case(host, "localhost") || files::parse_address(host).family == Family::v4;
}

}  // namespace

const char* ViewerRule::why_not(Exchange& exchange) const {
  const ClientAddress address = address_of(exchange);
  if (files::any_has(allow_, address)) return nullptr;
  if (address.family == Family::local)
    return "The status is not for what comes by a Unix socket, since that may be a proxy: allow=unix lets it "
           "in.";
  if (!is_of_this_host(address))
    return "The status is for clients on this host; the option allow of the module status names others.";
  if (was_passed_on(exchange.request()))
    return "The status is not for what a proxy passes on; the option allow of the module status names its "
           "address.";
  if (!is_asked_for_by_address(exchange.request().authority))
    return "The status answers at an IP address or at localhost, so that no page of another site can read it; "
           "ask "
           "there, or name the client in the option allow of the module status.";
  return nullptr;
}

}  // namespace sluice::status
