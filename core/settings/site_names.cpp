#include "settings/site_names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "settings/written_text.h"

namespace sluice {
namespace {

constexpr std::size_t kNameMax = 253;  // RFC 1035 section 2.3.4, without the last dot
constexpr std::size_t kLabelMax = 63;
constexpr std::string_view kWildcard = "*.";

bool is_label(std::string_view label) {
  const auto fits = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
  };
  return !label.empty() && label.size() <= kLabelMax && std::all_of(label.begin(), label.end(), fits);
}

bool is_host_name(std::string_view name) {
  if (name.size() > kNameMax) return false;
  for (;;) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == name.size()) return true;
    name.remove_prefix(dot + 1);
  }
}

// "[::1]" of "[0:0:0:0:0:0:0:1]"; nothing for what is no IPv6 address in brackets.
std::string shortest_ipv6(std::string_view name) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (name.size() < 3 || name.front() != '[' || name.back() != ']' ||
      ::inet_pton(AF_INET6, std::string(name.substr(1, name.size() - 2)).c_str(), &address) != 1 ||
      ::inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr)
    return "";
  return "[" + std::string(text.data()) + "]";
}

}  // namespace

Result<std::string> parse_site_name(std::string_view text) {
  const std::string subject = in_quotes(text) + " is not the name of a site: ";
  if (text.find("://") != std::string_view::npos)
    return fail(subject + "write the host alone, without http://");
  if (text.find('/') != std::string_view::npos) return fail(subject + "write the host alone, without a path");
  if (text == "*") return fail(subject + "a site without names answers to every name");
  if (std::any_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) > 0x7f; }))
    return fail(subject + "write letters beyond a to z as browsers send them, as in xn--bcher-kva.example");
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (std::string address = shortest_ipv6(name); !address.empty()) return address;
  if (name.find(':') != std::string::npos) return fail(subject + "write the host alone, without a port");
  if (name.ends_with('.')) name.pop_back();
  const bool wild = name.starts_with(kWildcard);
  const std::string_view host = std::string_view(name).substr(wild ? kWildcard.size() : 0);
  if (host.find('*') != std::string_view::npos)
    return fail(subject + "a * stands alone and first, as in *.example.org");
  if (!is_host_name(host)) return fail(subject + "write it as in example.org or *.example.org");
  return name;
}

bool SiteNames::add(const std::string& name, std::uint32_t site) {
  if (first_ == kNoSite) first_ = site;
  return names_.emplace(name, site).second;
}

bool SiteNames::add_default(std::uint32_t site) {
  if (default_ != kNoSite) return false;
  if (first_ == kNoSite) first_ = site;
  default_ = site;
  return true;
}

std::uint32_t SiteNames::find(std::string_view host) const {
  if (is_single()) return default_;
  if (host.ends_with('.')) host.remove_suffix(1);
  std::array<char, kNameMax> buffer{};
  if (host.empty() || host.size() > kNameMax) return default_;
  std::transform(host.begin(), host.end(), buffer.begin(), lower);
  std::string_view name(buffer.data(), host.size());
  const std::string address = name.front() == '[' ? shortest_ipv6(name) : "";
  if (!address.empty()) name = address;
  if (const auto found = names_.find(name); found != names_.end()) return found->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0) return default_;
  buffer[dot - 1] = '*';
  const auto found = names_.find(name.substr(dot - 1));
  return found == names_.end() ? default_ : found->second;
}

}  // namespace sluice
