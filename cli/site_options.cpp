#include "site_options.h"

#include <fmt/core.h>
#include <algorithm>

#include "base/text.h"
#include "settings/option_value.h"
#include "settings/site_names.h"
#include "settings/written_text.h"

namespace sluice::cli {
namespace {

// The site that the command line's mounts name, which is made with its first one.
SiteSettings& named_site(Settings& settings, const std::string& name) {
  const std::vector<std::string> names{name};
  const auto same = std::find_if(settings.sites.begin(), settings.sites.end(),
                                 [&](const SiteSettings& site) { return site.names == names; });
  if (same != settings.sites.end()) return *same;
  settings.sites.emplace_back().names = names;
  return settings.sites.back();
}

}  // namespace

Result<void> add_mount(SiteSettings& site, MountSpec mount) {
  const auto same = [&](const MountSpec& other) {
    return other.prefix == mount.prefix && !other.filter && !mount.filter;
  };
  if (const auto other = std::find_if(site.mounts.begin(), site.mounts.end(), same);
      other != site.mounts.end()) {
    return fail(fmt::format("the prefix '{}' is mounted twice, by {} and by {}: remove one", mount.prefix,
                            other->module, mount.module));
  }
  site.mounts.push_back(std::move(mount));
  return {};
}

Result<void> add_mount_text(const ServeOption& option, ServeRequest& request, const std::string& text) {
  const bool is_filter = option.name == std::string_view("filter");
  auto mount = is_filter ? parse_filter(text) : parse_mount(text);
  if (!mount) return Unexpected(mount.error());
  const std::string& name = mount->site_name;
  if (!name.empty() && request.open_site) {
    return fail(fmt::format("the {} {} names a site, but stands in one: write the prefix alone", option.name,
                            in_quotes(text)));
  }
  SiteSettings& site = name.empty() ? request.site() : named_site(request.settings, name);
  return add_mount(site, std::move(*mount));
}

Result<void> add_name(const ServeOption&, ServeRequest& request, const std::string& text) {
  auto name = parse_site_name(text);
  if (!name) return Unexpected(name.error());
  std::vector<std::string>& names = request.site().names;
  if (std::find(names.begin(), names.end(), *name) != names.end())
    return fail(fmt::format("the name {} is given twice: give it once", *name));
  names.push_back(std::move(*name));
  return {};
}

Result<void> set_redirect(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text != "https" && text != "off") return fail(in_quotes(text) + " is no redirect: write https or off");
  request.site().redirect = text == "https" ? Redirect::https : Redirect::off;
  return {};
}

Result<void> add_protocols(const ServeOption&, ServeRequest& request, const std::string& text) {
  Protocols& protocols = request.site().protocols;
  if (!protocols.said) protocols = {false, false, false, true};
  std::string_view rest = text;
  bool goes_on = true;
  while (goes_on) {
    goes_on = rest.find(',') != std::string_view::npos;
    const std::string_view name = trimmed(take_part(rest, ","));
    bool* const member = name == "http/1.1" ? &protocols.http1
                         : name == "h2"     ? &protocols.http2
                         : name == "h2c"    ? &protocols.http2_clear
                                            : nullptr;
    if (member == nullptr)
      return fail(in_quotes(name) + " is no protocol that sluice speaks: write h2, http/1.1 or h2c");
    if (*member) return fail(in_quotes(name) + " is given twice: write it once");
    *member = true;
  }
  if (protocols.http2_clear && request.open_site) {
    return fail(
        "h2c is of the whole server, because clients begin it before they name a site: write it above the "
        "first "
        "[[site]]");
  }
  return {};
}

Result<void> set_hsts(const ServeOption&, ServeRequest& request, const std::string& text) {
  TransportSecurity hsts;
  hsts.said = true;
  std::string_view rest = text;
  const std::string_view age = take_part(rest, " ");
  if (age != "off") {
    const auto parsed = parse_duration_ms(age);
    if (!parsed) return Unexpected(parsed.error());
    hsts.seconds = *parsed / 1000;
    if (hsts.seconds == 0)
      return fail(in_quotes(age) + " is less than a second: write off, or a TIME as in 365d");
  }
  if (age == "off" && !rest.empty()) return fail("behind off nothing follows: write off alone");
  while (!rest.empty()) {
    const std::string_view word = take_part(rest, " ");
    if (word != "subdomains" && word != "preload")
      return fail(in_quotes(word) + " is unknown here: write a TIME, and subdomains or preload behind it");
    (word == "preload" ? hsts.preload : hsts.subdomains) = true;
  }
  request.site().hsts = hsts;
  return {};
}

Result<void> set_client_certificates(const ServeOption&, ServeRequest& request, const std::string& text) {
  ClientCertificates& asked = request.site().client_certificates;
  if (text == "off") asked = ClientCertificates::off;
  if (text == "asked") asked = ClientCertificates::asked;
  if (text == "required") asked = ClientCertificates::required;
  if (text == "off" || text == "asked" || text == "required") return {};
  return fail(in_quotes(text) + " says nothing of client certificates: write off, asked or required");
}

Result<void> add_listen(const ServeOption&, ServeRequest& request, const std::string& text) {
  auto address = parse_listen(text);
  if (!address) return Unexpected(address.error());
  auto& all = request.site().listen;
  const auto same = [&](const ListenAddress& other) { return other.text == address->text; };
  // Port 0 means another port each time, so it may stand twice.
  if (!text.ends_with(":0") && std::any_of(all.begin(), all.end(), same))
    return fail(fmt::format("the address '{}' is given twice: give it once", text));
  all.push_back(std::move(*address));
  return {};
}

Result<void> add_certificate(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text.empty()) return fail("an empty value names no certificate: write a FILE, or self-signed");
  request.site().certificates.push_back(text);
  return {};
}

Result<void> add_key(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text.empty()) return fail("an empty value names no key: write a FILE");
  request.site().keys.push_back(text);
  return {};
}

}  // namespace sluice::cli
