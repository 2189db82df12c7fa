#include "settings/site_plan.h"

#include <fcntl.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/mistakes.h"
#include "base/small_file.h"

namespace sluice {
namespace {

constexpr std::size_t kClientCaMax = 1024 * 1024;

// What a site leaves out is as in the settings of the server.
SiteSettings complete(SiteSettings site, const SiteSettings& server) {
  if (site.root.empty()) site.root = server.root;
  if (site.listen.empty()) site.listen = server.listen;
  if (site.certificates.empty() && site.keys.empty() && site.first_with_tls() != nullptr) {
    site.certificates = server.certificates;
    site.keys = server.keys;
  }
  if (site.client_certificates == ClientCertificates::unsaid)
    site.client_certificates = server.client_certificates;
  if (site.client_ca.empty()) site.client_ca = server.client_ca;
  if (!site.proxy_protocol.said) site.proxy_protocol = server.proxy_protocol;
  if (site.redirect == Redirect::unsaid) site.redirect = server.redirect;
  if (!site.hsts.said) site.hsts = server.hsts;
  if (!site.protocols.said) site.protocols = server.protocols;
  if (site.access_log.empty()) site.access_log = server.access_log;
  if (site.access_log_format == AccessLogFormat::unsaid) site.access_log_format = server.access_log_format;
  if (site.error_pages.empty()) site.error_pages = server.error_pages;
  return site;
}

std::string label_of(const SiteSettings& site) {
  if (!site.log_name.empty()) return site.log_name;
  if (!site.names.empty()) return site.names.front();
  return site.listen.empty() ? "default" : site.listen.front().text;
}

std::string security_field(const TransportSecurity& hsts) {
  if (hsts.seconds == 0) return "";
  return fmt::format("Strict-Transport-Security: max-age={}{}{}\r\n", hsts.seconds,
                     hsts.subdomains ? "; includeSubDomains" : "", hsts.preload ? "; preload" : "");
}

// The port of the first address with TLS.
std::string https_port(const std::vector<ListenAddress>& listen) {
  for (const ListenAddress& address : listen) {
    if (!address.tls) continue;
    const std::string port = address.text.substr(address.text.rfind(':'));
    return port == ":443" || port == ":0" ? "" : port;
  }
  return "";
}

// Whether requests in clear text get more than a redirect, which Unix sockets and isolated mounts never send.
bool answers_in_clear_text(const SiteSettings& site) {
  const bool redirects = site.redirect == Redirect::https;
  return std::any_of(site.listen.begin(), site.listen.end(),
                     [&](const ListenAddress& one) { return !one.tls && (!redirects || one.is_unix()); }) ||
         std::any_of(site.mounts.begin(), site.mounts.end(),
                     [](const MountSpec& mount) { return mount.listen && !mount.listen->tls; });
}

Result<std::string> client_ca_of(const SitePlan& site) {
  const SiteSettings& settings = site.settings;
  const bool asks = settings.client_certificates == ClientCertificates::asked ||
                    settings.client_certificates == ClientCertificates::required;
  if (!asks) return std::string();
  const bool required = settings.client_certificates == ClientCertificates::required;
  if (settings.first_with_tls() == nullptr || (required && answers_in_clear_text(settings))) {
    return fail(
        fmt::format("the site {} asks for client certificates, but also answers in clear text, where nobody "
                    "can show one: listen at https:// addresses alone, or set redirect = \"https\"",
                    site.label));
  }
  if (settings.client_ca.empty()) {
    return fail(
        fmt::format("the site {} asks for client certificates, but has no client-ca: name the file of "
                    "those who sign them",
                    site.label));
  }
  return read_client_ca(settings.client_ca);
}

Result<SitePlan> plan_site(const SiteSettings& settings, bool is_default) {
  SitePlan site;
  site.settings = settings;
  site.is_default = is_default;
  site.label = is_default ? "default" : label_of(settings);
  if (!settings.protocols.http1) {
    return fail(
        fmt::format("the protocols of the site {} leave out http/1.1, which clients speak that choose nothing: "
                    "add it",
                    site.label));
  }
  if (!is_default && !settings.has_mounts()) {
    return fail(
        fmt::format("the site {} has no mount, so it would serve nothing: add one, as in [[site.mount]] "
                    "with at = \"/\" and module = \"static_sendfile\"",
                    site.label));
  }
  auto root = is_default
                  ? open_folder(settings.root, "the document root", "make it, or name another one with --root")
                  : open_folder(settings.root, fmt::format("the site {}: its root", site.label),
                                "make it, or name another one with root");
  if (!root) return Unexpected(root.error());
  site.root = std::move(*root);
  std::error_code error;
  site.root_path = std::filesystem::absolute(settings.root, error).string();
  if (!settings.error_pages.empty()) {
    auto pages = ErrorPages::read(settings.error_pages);
    if (!pages) return Unexpected(pages.error());
    site.error_pages = std::move(*pages);
  }
  auto ca = client_ca_of(site);
  if (!ca) return Unexpected(ca.error());
  site.client_ca = std::move(*ca);
  site.https_port = https_port(settings.listen);
  site.secure_fields = security_field(settings.hsts);
  return site;
}

}  // namespace

bool SiteSettings::has_mounts() const {
  return std::any_of(mounts.begin(), mounts.end(), [](const MountSpec& mount) { return !mount.filter; });
}

const ListenAddress* SiteSettings::first_with_tls() const {
  for (const ListenAddress& address : listen) {
    if (address.tls) return &address;
  }
  for (const MountSpec& mount : mounts) {
    if (mount.listen && mount.listen->tls) return &*mount.listen;
  }
  return nullptr;
}

Result<UniqueFd> open_folder(const std::string& path, const std::string& what, const std::string& remedy) {
  UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT) return fail(fmt::format("{} {} does not exist: {}", what, path, remedy));
  if (errno == ENOTDIR) return fail(fmt::format("{} {} is not a folder: {}", what, path, remedy));
  return fail_errno(fmt::format("{} {} cannot be opened", what, path), errno);
}

Result<std::string> read_client_ca(const std::string& file) {
  return SmallFile::open(file, "the client-ca " + file, kClientCaMax).and_then([](const SmallFile& open) {
    return open.read();
  });
}

Result<std::vector<SitePlan>> plan_sites(const Settings& settings) {
  std::vector<SitePlan> sites;
  Mistakes mistakes;
  const auto add = [&](const SiteSettings& written, bool is_default) {
    auto site = plan_site(complete(written, settings), is_default);
    if (!site) return mistakes.add("", site.error());
    sites.push_back(std::move(*site));
  };
  if (settings.has_default_site()) add(settings, true);
  for (const SiteSettings& site : settings.sites) add(site, false);
  return mistakes.result().map([&] { return std::move(sites); });
}

}  // namespace sluice
