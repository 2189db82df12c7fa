#include "proxy_options.h"

#include "base/text.h"
#include "settings/written_text.h"

namespace sluice::cli {
namespace {

// Adds the networks of a list, or none for "off".
Result<void> add_networks(GivenNetworks& given, std::string_view text) {
  if (given.said && (text == "off" || given.networks.empty()))
    return fail("off says that there is no such network: write off alone");
  given.said = true;
  if (text == "off") return {};
  bool goes_on = true;
  while (goes_on) {
    goes_on = text.find(',') != std::string_view::npos;
    const auto added = given.networks.add(trimmed(take_part(text, ",")));
    if (!added) return added;
  }
  return {};
}

}  // namespace

Result<void> add_proxy_network(const ServeOption&, ServeRequest& request, const std::string& text) {
  return add_networks(request.site().proxy_protocol, text);
}

Result<void> add_trusted_network(const ServeOption&, ServeRequest& request, const std::string& text) {
  return add_networks(request.settings.trusted_proxies.from, text);
}

Result<void> set_trusted_field(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text != "x-forwarded-for" && text != "forwarded")
    return fail(in_quotes(text) + " is no field that proxies write: write x-forwarded-for or forwarded");
  request.settings.trusted_proxies.field =
      text == "forwarded" ? ForwardedField::forwarded : ForwardedField::x_forwarded;
  return {};
}

}  // namespace sluice::cli
