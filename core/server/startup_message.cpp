#include "server/startup_message.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/percent_encoding.h"

namespace sluice {
namespace {

// The prefix as it has to be written in a URL.
std::string encoded(std::string_view prefix) {
  std::string text;
  append_encoded(text, prefix);
  return text;
}

}  // namespace

void print_startup_message(const WorkerGroup& group) {
  const ServingPlan& plan = group.plan();
  char resolved[PATH_MAX];
  const char* root = ::realpath(plan.settings.root.c_str(), resolved);
  std::size_t widest = 0;
  for (const MountReport& mount : group.mounts()) widest = std::max(widest, encoded(mount.prefix).size());
  std::printf("sluice serves %s\n", root == nullptr ? plan.settings.root.c_str() : root);
  const auto say = [&](const std::string& url, const std::string& prefix, const std::string& module) {
    std::printf("  %s%-*s  by %s\n", url.c_str(), static_cast<int>(widest), encoded(prefix).c_str(),
                module.c_str());
  };
  for (const std::string& url : group.urls(0)) {
    if (group.mounts().empty()) std::printf("  %s\n", url.c_str());
    for (const MountReport& mount : group.mounts())
      say(url, mount.prefix, mount.module + (mount.closed ? ", switched off" : ""));
  }
  for (std::size_t site = 1; site < plan.sites.size(); ++site) {
    const MountSpec& spec = plan.settings.mounts[*plan.sites[site].mount];
    for (const std::string& url : group.urls(site)) say(url, spec.prefix, spec.module + ", isolated");
  }
  for (const Certificate& certificate : plan.certificates) {
    if (certificate.files.chain != kSelfSigned) continue;
    std::printf("the self-signed certificate has the SHA-256 fingerprint\n  %s\n",
                fingerprint_of(certificate.chain).c_str());
  }
  std::printf("%zu worker%s; stop with Ctrl-C, reload with kill -HUP %d\n", group.slots(),
              group.slots() == 1 ? "" : "s", ::getpid());
  std::fflush(stdout);
}

}  // namespace sluice
