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

#include "settings/address_clash.h"
#include "settings/option_value.h"
#include "settings/ticket_key_file.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Opens the mount's root=DIR. A DIR below the document root becomes a path below the root's descriptor, so that
// symbolic links between mounts work. Any other DIR is opened as a folder of its own, which links cannot leave.
Result<MountFolder> plan_mount(const MountSpec& mount, ServingPlan& plan) {
  if (!mount.root) return MountFolder{plan.root.get(), mount.prefix.substr(1), plan.root_path};
  const std::string what = fmt::format("the folder of the mount {},", mount.prefix);
  const std::string remedy = "make it, or change root=";
  const fs::path wanted(*mount.root);
  std::error_code error;
  const fs::path base = fs::canonical(plan.settings.root, error);
  const fs::path full = fs::weakly_canonical(wanted.is_absolute() ? wanted : base / wanted, error);
  auto opened = open_folder(full.string(), what, remedy);
  if (!opened) return Unexpected(opened.error());
  const fs::path relative = full.lexically_relative(base);
  if (!relative.empty() && *relative.begin() != "..") {
    return MountFolder{plan.root.get(), relative == "." ? "" : relative.string() + "/", plan.root_path,
                       (fs::path(plan.root_path) / wanted).string()};
  }
  if (!wanted.is_absolute()) {
    return fail(what + " " + *mount.root + " lies outside the document root: write it as an absolute path");
  }
  plan.folders.push_back(std::move(*opened));
  return MountFolder{plan.folders.back().get(), "", wanted.string()};
}

// sched_getaffinity(2) fails with EINVAL while the set has no bit for each processor that the kernel supports.
unsigned usable_processors() {
  constexpr std::size_t kSetsMax = 1024;  // a million processors
  for (std::vector<cpu_set_t> sets(1); sets.size() <= kSetsMax; sets.resize(2 * sets.size())) {
    const std::size_t size = sets.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, size, sets.data()) == 0)
      return std::clamp(static_cast<unsigned>(CPU_COUNT_S(size, sets.data())), 1U, kWorkersMax);
    if (errno != EINVAL) break;
  }
  return 1;
}

Result<Certificate> self_signed(const ServingPlan* before) {
  if (before != nullptr) {
    for (const Certificate& certificate : before->certificates) {
      if (certificate.files.chain == kSelfSigned && std::time(nullptr) < certificate.renew_at_s)
        return certificate;
    }
  }
  return make_self_signed();
}

// Keys of session tickets outlive reloads, so that clients can resume their sessions.
Result<void> plan_certificates(ServingPlan& plan, const ServingPlan* before) {
  const ListenAddress* encrypted = nullptr;
  for (const ServingSite& site : plan.sites) {
    for (const ListenAddress& address : site.listen) {
      if (address.tls) encrypted = &address;
    }
  }
  if (encrypted == nullptr) {
    if (!plan.settings.ticket_keys_file.empty())
      return fail("--ticket-keys is given, but no address uses it: write --listen https://HOST:PORT");
    if (plan.settings.certificates.empty() && plan.settings.keys.empty()) return {};
    return fail("a certificate is given, but no address uses it: write --listen https://HOST:PORT");
  }
  if (plan.settings.certificates.empty()) {
    return fail(
        fmt::format("the address https://{} needs a certificate: give --certificate and --key, or "
                    "--certificate self-signed "
                    "for development",
                    encrypted->text));
  }
  auto key = plan.settings.keys.begin();
  for (const std::string& chain : plan.settings.certificates) {
    const bool is_file = chain != kSelfSigned;
    if (is_file && key == plan.settings.keys.end())
      return fail(fmt::format("the certificate {} has no key: give one with --key", chain));
    auto certificate = is_file ? read_certificate({chain, *key++}) : self_signed(before);
    if (!certificate) return Unexpected(certificate.error());
    plan.certificates.push_back(std::move(*certificate));
  }
  if (key != plan.settings.keys.end())
    return fail(fmt::format("the key {} has no certificate: give one with --certificate", *key));
  auto keys =
      plan_ticket_keys(plan.settings.ticket_keys_file, before == nullptr ? nullptr : before->ticket_keys);
  if (!keys) return Unexpected(keys.error());
  plan.ticket_keys = std::move(*keys);
  return {};
}

}  // namespace

Result<UniqueFd> open_folder(const std::string& path, const std::string& what, const std::string& remedy) {
  UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT) return fail(fmt::format("{} {} does not exist: {}", what, path, remedy));
  if (errno == ENOTDIR) return fail(fmt::format("{} {} is not a folder: {}", what, path, remedy));
  return fail_errno(fmt::format("{} {} cannot be opened", what, path), errno);
}

Result<PlanPtr> make_plan(const Settings& settings, const ServingPlan* before) {
  auto plan = std::make_shared<ServingPlan>();
  plan->settings = settings;
  plan->sites.push_back(
      {settings.listen, settings.workers == 0 ? usable_processors() : settings.workers, std::nullopt});
  for (std::size_t i = 0; i < settings.mounts.size(); ++i) {
    if (settings.mounts[i].isolate) plan->sites.push_back({{*settings.mounts[i].listen}, 1, i});
  }
  std::vector<std::vector<ListenAddress>> addresses;
  for (const ServingSite& site : plan->sites) addresses.push_back(site.listen);
  const auto together = check_together(addresses);
  if (!together) return Unexpected(together.error());
  auto user = find_user(settings.user);
  if (!user) return Unexpected(user.error());
  plan->user = *user;
  auto root = open_folder(settings.root, "the document root", "make it, or name another one with --root");
  if (!root) return Unexpected(root.error());
  plan->root = std::move(*root);
  std::error_code error;
  plan->root_path = fs::absolute(settings.root, error).string();
  for (const MountSpec& mount : settings.mounts) {
    auto folder = plan_mount(mount, *plan);
    if (!folder) return Unexpected(folder.error());
    plan->mount_folders.push_back(std::move(*folder));
  }
  const auto certified = plan_certificates(*plan, before);
  if (!certified) return Unexpected(certified.error());
  return plan;
}

}  // namespace sluice
