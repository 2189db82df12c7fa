#include "settings/serving_plan.h"

#include <fcntl.h>
#include <sched.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/mistakes.h"
#include "settings/address_clash.h"
#include "settings/confinement_support.h"
#include "settings/option_value.h"
#include "settings/processor_quota.h"
#include "settings/ticket_key_file.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Opens the mount's root=DIR. A DIR below the site's root becomes a path below the root's descriptor, so that
// symbolic links between mounts work. Any other DIR is opened as a folder of its own, which links cannot leave.
Result<MountFolder> plan_folder(const MountSpec& mount, const SitePlan& site, ServingPlan& plan) {
  if (!mount.root) return MountFolder{site.root.get(), mount.prefix.substr(1), site.root_path};
  const std::string what =
      fmt::format("the folder of the mount {}{},", site.is_default ? "" : site.label, mount.prefix);
  const std::string remedy = "make it, or change root=";
  const fs::path wanted(*mount.root);
  std::error_code error;
  const fs::path base = fs::canonical(site.settings.root, error);
  const fs::path full = fs::weakly_canonical(wanted.is_absolute() ? wanted : base / wanted, error);
  auto opened = open_folder(full.string(), what, remedy);
  if (!opened) return Unexpected(opened.error());
  const fs::path relative = full.lexically_relative(base);
  if (!relative.empty() && *relative.begin() != "..") {
    return MountFolder{site.root.get(), relative == "." ? "" : relative.string() + "/", site.root_path,
                       (fs::path(site.root_path) / wanted).string()};
  }
  if (!wanted.is_absolute()) {
    return fail(what + " " + *mount.root + " lies outside the root of its site: write it as an absolute path");
  }
  plan.folders.push_back(std::move(*opened));
  return MountFolder{plan.folders.back().get(), "", wanted.string()};
}

// Fewer if a quota of time lets no more run at once.
unsigned within_quota(unsigned processors) {
  return std::clamp(std::min(processors, processor_quota().value_or(processors)), 1U, kWorkersMax);
}

// sched_getaffinity(2) fails with EINVAL while the set has no bit for each processor that the kernel supports.
unsigned usable_processors() {
  constexpr std::size_t kSetsMax = 1024;  // a million processors
  for (std::vector<cpu_set_t> sets(1); sets.size() <= kSetsMax; sets.resize(2 * sets.size())) {
    const std::size_t size = sets.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, size, sets.data()) == 0)
      return within_quota(static_cast<unsigned>(CPU_COUNT_S(size, sets.data())));
    if (errno != EINVAL) break;
  }
  return 1;
}

// Certificates that several sites use are read once.
class CertificatePlan {
 public:
  CertificatePlan(ServingPlan& plan, const ServingPlan* before) : plan_(plan), before_(before) {}

  Result<void> plan(SitePlan& site) {
    const SiteSettings& settings = site.settings;
    if (settings.certificates.empty()) {
      return fail(
          fmt::format("the address https://{} of the site {} needs a certificate: give --certificate and "
                      "--key, or --certificate self-signed for development",
                      settings.first_with_tls()->text, site.label));
    }
    auto key = settings.keys.begin();
    for (const std::string& chain : settings.certificates) {
      const bool is_file = chain != kSelfSigned;
      if (is_file && key == settings.keys.end())
        return fail(fmt::format("the certificate {} has no key: give one with --key", chain));
      const auto index = is_file ? take_files({chain, *key++}) : take_self_signed(settings.names);
      if (!index) return Unexpected(index.error());
      site.certificates.push_back(*index);
    }
    if (key == settings.keys.end()) return {};
    return fail(fmt::format("the key {} has no certificate: give one with --certificate", *key));
  }

 private:
  Result<std::size_t> add(Result<Certificate> certificate) {
    return std::move(certificate).map([this](Certificate&& made) {
      plan_.certificates.push_back(std::move(made));
      return plan_.certificates.size() - 1;
    });
  }

  Result<std::size_t> take_files(const CertificateFiles& files) {
    for (std::size_t i = 0; i < plan_.certificates.size(); ++i) {
      if (plan_.certificates[i].files == files) return i;
    }
    return add(read_certificate(files));
  }

  Result<std::size_t> take_self_signed(const std::vector<std::string>& names) {
    const auto is_it = [&](const Certificate& other) {
      return other.files.chain == kSelfSigned && other.names == names && std::time(nullptr) < other.renew_at_s;
    };
    const auto& known = plan_.certificates;
    if (const auto same = std::find_if(known.begin(), known.end(), is_it); same != known.end())
      return static_cast<std::size_t>(same - known.begin());
    if (before_ != nullptr) {
      const auto& former = before_->certificates;
      if (const auto same = std::find_if(former.begin(), former.end(), is_it); same != former.end())
        return add(*same);
    }
    return add(make_self_signed(names));
  }

  ServingPlan& plan_;
  const ServingPlan* before_;
};

// Keys of session tickets outlive reloads, so that clients can resume their sessions.
Result<void> plan_tls(ServingPlan& plan, const ServingPlan* before) {
  CertificatePlan certificates(plan, before);
  Mistakes mistakes;
  bool any = false;
  for (SitePlan& site : plan.sites) {
    if (site.settings.first_with_tls() == nullptr) continue;
    any = true;
    mistakes.take(certificates.plan(site));
  }
  if (const auto planned = mistakes.result(); !planned) return planned;
  for (const SitePlan& site : plan.sites) {
    if (!site.is_default && site.settings.first_with_tls() == nullptr && !site.settings.certificates.empty())
      return fail(
          fmt::format("the site {} has a certificate, but no address that uses it: write listen = "
                      "\"https://HOST:PORT\"",
                      site.label));
  }
  const Settings& settings = plan.settings;
  if (!any && !settings.ticket_keys_file.empty())
    return fail("--ticket-keys is given, but no address uses it: write --listen https://HOST:PORT");
  if (!any && settings.certificates.empty() && settings.keys.empty()) return {};
  if (!any) return fail("a certificate is given, but no address uses it: write --listen https://HOST:PORT");
  auto keys = plan_ticket_keys(settings.ticket_keys_file, before == nullptr ? nullptr : before->ticket_keys);
  if (!keys) return Unexpected(keys.error());
  plan.ticket_keys = std::move(*keys);
  return {};
}

Result<void> plan_mounts(ServingPlan& plan) {
  Mistakes mistakes;
  for (std::size_t i = 0; i < plan.sites.size(); ++i) {
    for (const MountSpec& spec : plan.sites[i].settings.mounts) {
      auto folder = plan_folder(spec, plan.sites[i], plan);
      if (folder) {
        plan.mounts.push_back({i, spec, std::move(*folder)});
      } else {
        mistakes.add("", folder.error());
      }
    }
  }
  return mistakes.result();
}

Result<void> plan_groups(ServingPlan& plan) {
  std::vector<AddressedSite> addressed;
  for (const SitePlan& site : plan.sites)
    addressed.push_back(
        {site.label, site.settings.names, site.settings.listen, site.settings.proxy_protocol.networks});
  auto addresses = serve_addresses(addressed);
  if (!addresses) return Unexpected(addresses.error());
  const unsigned workers = plan.settings.workers == 0 ? usable_processors() : plan.settings.workers;
  plan.groups.push_back({std::move(*addresses), workers});
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const MountSpec& spec = plan.mounts[i].spec;
    if (!spec.isolate) continue;
    ServedAddress address{*spec.listen, {}};
    address.proxies = plan.sites[plan.mounts[i].site].settings.proxy_protocol.networks;
    address.names.add_default(static_cast<std::uint32_t>(plan.mounts[i].site));
    plan.groups.push_back({{std::move(address)}, 1, i, plan.mounts[i].site});
  }
  std::vector<std::vector<ListenAddress>> all;
  for (const ServingGroup& group : plan.groups) {
    all.emplace_back();
    for (const ServedAddress& address : group.addresses) all.back().push_back(address.at);
  }
  return check_together(all);
}

Result<void> plan_client_counts(ServingPlan& plan) {
  const Limits& limits = plan.settings.limits;
  if (limits.client_connections_max + limits.client_handshakes_max + limits.client_requests_max == 0) return {};
  unsigned workers = 0;
  for (const ServingGroup& group : plan.groups) workers += group.workers;
  if (workers == 0) return {};  // there are other mistakes
  auto counts = ClientCounts::make(workers);
  if (!counts) return Unexpected(counts.error());
  plan.client_counts = std::move(*counts);
  return {};
}

// The files are opened by the process that writes them.
Result<void> plan_access_logs(ServingPlan& plan) {
  Mistakes mistakes;
  for (SitePlan& site : plan.sites) {
    std::string path = site.settings.access_log;
    if (path.empty() || path == kNoAccessLog) continue;
    if (path != kStdout) {
      std::error_code error;
      const std::filesystem::path file = std::filesystem::absolute(path, error);
      if (std::filesystem::is_directory(file, error)) {
        mistakes.add("", {fmt::format("the access log {} is a folder: name a file", path)});
      } else if (!std::filesystem::is_directory(file.parent_path(), error)) {
        mistakes.add("", {fmt::format("the folder of the access log {} does not exist: make it", path)});
      }
      path = file.lexically_normal().string();
    }
    const auto known = std::find(plan.access_logs.begin(), plan.access_logs.end(), path);
    site.access_log = static_cast<std::uint16_t>(known - plan.access_logs.begin());
    if (known == plan.access_logs.end()) plan.access_logs.push_back(path);
  }
  std::size_t size = 0;
  for (const std::string& path : plan.access_logs) size += path.size() + sizeof("12345:");
  if (size > ServingPlan::kAccessLogPathsMax)
    mistakes.add("", {fmt::format("the {} access logs are too many: let several sites share one",
                                  plan.access_logs.size())});
  return mistakes.result();
}

// The roots are those that are open already.
std::vector<ConfinedPlace> open_places(const ServingPlan& plan) {
  std::vector<ConfinedPlace> places;
  for (const std::string& path : confined_paths(plan)) {
    const auto is_root = [&](const SiteMount& mount) { return mount.folder.root == path; };
    const auto mount = std::find_if(plan.mounts.begin(), plan.mounts.end(), is_root);
    if (mount == plan.mounts.end()) {
      places.push_back(open_place(path));
    } else {
      places.push_back({path, UniqueFd(::fcntl(mount->folder.fd, F_DUPFD_CLOEXEC, 0))});
    }
  }
  return places;
}

}  // namespace

std::set<std::string> confined_paths(const ServingPlan& plan) {
  if (!files_are_confined(plan.settings)) return {};
  std::set<std::string> paths = granted_places(plan.settings);
  for (const SiteMount& mount : plan.mounts) {
    paths.insert(mount.folder.root);
    paths.merge(named_folders(mount.spec));
  }
  paths.erase("");
  return paths;
}

Result<PlanPtr> make_plan(const Settings& settings, const ServingPlan* before) {
  auto plan = std::make_shared<ServingPlan>();
  plan->settings = settings;
  auto user = find_user(settings.user);
  if (!user) return Unexpected(user.error());
  plan->user = *user;
  auto sites = plan_sites(settings);
  if (!sites) return Unexpected(sites.error());
  plan->sites = std::move(*sites);
  Mistakes mistakes;
  if (mistakes.merge(plan_mounts(*plan))) mistakes.take(plan_groups(*plan));
  mistakes.merge(plan_tls(*plan, before));
  mistakes.merge(plan_access_logs(*plan));
  mistakes.merge(plan_client_counts(*plan));
  return mistakes.result().map([&]() -> PlanPtr {
    plan->places = open_places(*plan);
    return plan;
  });
}

}  // namespace sluice
