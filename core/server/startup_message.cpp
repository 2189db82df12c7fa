#include "server/startup_message.h"

#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/percent_encoding.h"
#include "settings/confinement_support.h"

namespace sluice {
namespace {

constexpr std::size_t kLinesMax = 40;

// One line: what answers at a URL.
struct Line {
  std::string url;
  std::string prefix;  // as it has to be written in a URL
  std::string module;
};

std::string encoded(std::string_view prefix) {
  std::string text;
  append_encoded(text, prefix);
  return text;
}

bool answers_at(const ServedAddress& address, const SitePlan& site, std::uint32_t index) {
  return site.settings.names.empty() ? address.names.default_site() == index
                                     : address.names.find(site.settings.names.front()) == index;
}

// The URL with the site's name in place of the address.
std::string named(const std::string& url, const SitePlan& site) {
  const std::size_t host = url.find("://");
  if (site.settings.names.empty() || host == std::string::npos) return url;
  return url.substr(0, host + 3) + site.settings.names.front() + url.substr(url.rfind(':'));
}

// Where a site answers.
std::vector<std::string> urls_of(const WorkerGroup& group, std::uint32_t site) {
  const ServingPlan& plan = group.plan();
  const auto& addresses = plan.groups.front().addresses;
  std::vector<std::string> urls;
  for (std::uint32_t i = 0; i < addresses.size(); ++i) {
    if (!answers_at(addresses[i], plan.sites[site], site)) continue;
    for (const std::string& url : group.urls(0, i)) urls.push_back(named(url, plan.sites[site]));
  }
  return urls;
}

std::vector<Line> lines_of(const WorkerGroup& group) {
  const ServingPlan& plan = group.plan();
  std::vector<Line> lines;
  for (std::uint32_t site = 0; site < plan.sites.size(); ++site) {
    const bool silent =
        std::none_of(group.mounts().begin(), group.mounts().end(),
                     [&](const MountReport& mount) { return mount.site == site && !mount.filter; });
    for (const std::string& url : urls_of(group, site)) {
      if (silent) lines.push_back({url, "", ""});
      for (const MountReport& mount : group.mounts()) {
        if (mount.site == site)
          lines.push_back(
              {url, encoded(mount.prefix),
               mount.module + (mount.filter ? ", a filter" : "") + (mount.closed ? ", switched off" : "")});
      }
    }
  }
  for (std::size_t i = 1; i < plan.groups.size(); ++i) {
    const MountSpec& spec = plan.mounts[*plan.groups[i].mount].spec;
    for (const std::string& url : group.urls(i))
      lines.push_back({url, encoded(spec.prefix), spec.module + ", isolated"});
  }
  return lines;
}

void print_lines(const std::vector<Line>& lines) {
  const std::size_t shown = std::min(lines.size(), kLinesMax);
  std::size_t widest = 0;
  for (std::size_t i = 0; i < shown; ++i)
    widest = std::max(widest, lines[i].url.size() + lines[i].prefix.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string by = lines[i].module.empty() ? "" : "  by " + lines[i].module;
    const std::string url = lines[i].url + lines[i].prefix;
    fmt::print("  {:{}}{}\n", url, by.empty() ? 0 : widest, by);
  }
  if (shown < lines.size()) fmt::print("  and {} more, which `sluice status` lists\n", lines.size() - shown);
}

std::string what_is_served(const ServingPlan& plan) {
  if (plan.sites.size() > 1) return fmt::format("{} sites", plan.sites.size());
  char resolved[PATH_MAX];
  const std::string& root = plan.sites.front().settings.root;
  return ::realpath(root.c_str(), resolved) == nullptr ? root : resolved;
}

}  // namespace

void print_startup_message(const WorkerGroup& group) {
  const ServingPlan& plan = group.plan();
  fmt::print("sluice serves {}\n", what_is_served(plan));
  print_lines(lines_of(group));
  for (const Certificate& certificate : plan.certificates) {
    if (certificate.files.chain != kSelfSigned) continue;
    fmt::print("the self-signed certificate{} has the SHA-256 fingerprint\n  {}\n",
               certificate.names.empty() ? "" : " for " + certificate.names.front(),
               fingerprint_of(certificate.chain));
  }
  fmt::print("{} worker{}; stop with Ctrl-C, reload with kill -HUP {}\n", group.slots(),
             group.slots() == 1 ? "" : "s", ::getpid());
  std::fflush(stdout);
}

void log_confinement(const Settings& settings, const std::string& lacking) {
  if (settings.confine != Confine::off && !lacking.empty())
    log(LogLevel::warning, "workers are confined in part, since this kernel does not offer " + lacking);
  for (const std::string& sentence : absent_grants(settings)) log(LogLevel::warning, sentence);
  if (const std::string unseen = unseen_variables(settings); !unseen.empty()) log(LogLevel::info, unseen);
}

}  // namespace sluice
