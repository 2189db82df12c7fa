#include "worker/confinement.h"

#include <sluice/abi.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/call_filter.h"
#include "base/confined.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/process_rights.h"
#include "base/unique_fd.h"
#include "module/mapped_code.h"
#include "settings/confined_places.h"
#include "settings/confinement_support.h"
#include "settings/user.h"

namespace sluice {
namespace {

using Access = LandlockRules::Access;

// What the C library, OpenSSL and other libraries read while a process runs.
constexpr const char* kRead[] = {"/lib",
                                 "/lib64",
                                 "/usr/lib",
                                 "/usr/lib64",
                                 "/usr/libexec",
                                 "/usr/local/lib",
                                 "/usr/share/zoneinfo",
                                 "/usr/share/locale",
                                 "/usr/share/publicsuffix",
                                 "/usr/share/ca-certificates",
                                 "/usr/local/share/ca-certificates",
                                 "/etc/ld.so.cache",
                                 "/etc/localtime",
                                 "/etc/timezone",
                                 "/etc/locale.alias",
                                 "/etc/ssl/certs",
                                 "/etc/ssl/cert.pem",
                                 "/etc/ssl/openssl.cnf",
                                 "/etc/pki/tls/certs",
                                 "/etc/pki/tls/openssl.cnf",
                                 "/etc/pki/ca-trust",
                                 "/etc/ca-certificates",
                                 "/var/lib/ca-certificates",
                                 "/etc/crypto-policies",
                                 "/dev/urandom",
                                 "/dev/random",
                                 "/proc/meminfo",
                                 "/proc/cpuinfo",
                                 "/proc/stat",
                                 "/proc/sys/crypto/fips_enabled",
                                 "/proc/sys/vm/overcommit_memory",
                                 "/sys/kernel/mm/transparent_hugepage",
                                 "/sys/devices/system/cpu"};
constexpr const char* kUse[] = {"/dev/null", "/dev/zero", "/dev/full"};
constexpr const char* kOfPrograms[] = {"/bin",           "/sbin",        "/usr/bin",      "/usr/sbin",
                                       "/usr/local/bin", "/lib",         "/lib64",        "/usr/lib",
                                       "/usr/lib64",     "/usr/libexec", "/usr/local/lib"};

constexpr std::string_view kVariables[] = {"PATH",   "HOME",          "USER",        "LOGNAME",
                                           "LANG",   "LANGUAGE",      "TZ",          "TZDIR",
                                           "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"};
constexpr std::string_view kVariableGroups[] = {
    "LC_",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    "ASAN_", "LSAN_", "UBSAN_", "TSAN_",
#endif
#if defined(SLUICE_COVERAGE_FOLDER)
    "GCOV_",
#endif
};

bool is_plain_variable(std::string_view name) {
  return std::find(std::begin(kVariables), std::end(kVariables), name) != std::end(kVariables) ||
         std::any_of(std::begin(kVariableGroups), std::end(kVariableGroups),
                     [name](std::string_view group) { return name.starts_with(group); });
}

bool is_in_group(const ServingPlan& plan, std::optional<std::size_t> group, std::size_t mount) {
  return !group || plan.groups[*group].has(mount, plan.mounts[mount]);
}

// A module that mounts name only with isolate=on runs in none of the other workers.
bool runs_in(const ServingPlan& plan, std::optional<std::size_t> group, const std::string& module) {
  bool named = false;
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (plan.mounts[i].spec.module != module) continue;
    if (is_in_group(plan, group, i)) return true;
    named = true;
  }
  return !named && (!group || !plan.groups[*group].mount);
}

std::set<std::string> folders_of_options(const ServingPlan& plan, std::optional<std::size_t> group) {
  std::set<std::string> folders;
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (is_in_group(plan, group, i)) folders.merge(named_folders(plan.mounts[i].spec));
  }
  return folders;
}

// Collects rules until one fails.
class Files {
 public:
  explicit Files(LandlockRules& rules) : rules_(rules) {}

  template <typename Place>
  Files& allow(const Place& place, Access access) {
    if (done_) done_ = rules_.allow(place, access);
    return *this;
  }
  template <typename Places>
  Files& allow_all(const Places& places, Access access) {
    for (const auto& place : places) allow(std::string(place), access);
    return *this;
  }
  const Result<void>& done() const { return done_; }

 private:
  LandlockRules& rules_;
  Result<void> done_;
};

Result<void> allow_files(LandlockRules& rules, const ConfinedProcess& process) {
  const Permissions& granted = process.granted;
  Files files(rules);
  // The kernel forgets the folder of a process in /proc, and makes another one later, unless it is open.
  static const UniqueFd kOwnFolder(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (kOwnFolder) files.allow(kOwnFolder.get(), Access::read);
  files.allow_all(kRead, Access::read).allow_all(kUse, Access::use);
  files.allow_all(places_of_variables(), Access::read);
  for (const SitePlan& site : process.plan.sites) files.allow(site.root.get(), Access::read);
  for (const UniqueFd& folder : process.plan.folders) files.allow(folder.get(), Access::read);
  files.allow_all(folders_of_options(process.plan, process.group), Access::read);
  if (!process.copies.empty()) files.allow(process.copies, Access::read);
  if (granted.has(kNeedsNetwork)) files.allow_all(kFilesOfNames, Access::read);
  if (granted.has(kNeedsPrograms)) files.allow_all(kOfPrograms, Access::run);
  files.allow_all(granted.read, Access::read).allow_all(granted.write, Access::write);
#if defined(SLUICE_COVERAGE_FOLDER)
  files.allow(std::string(SLUICE_COVERAGE_FOLDER), Access::write);
#endif
  return files.done();
}

Result<void> enforce_landlock(int version, const ConfinedProcess& process) {
  const Permissions& granted = process.granted;
  LandlockRules::Free free;
  free.connect = granted.has(kNeedsNetwork);
  free.bind = granted.has(kNeedsListening);
  free.abstract_sockets = granted.has(kNeedsUnixSockets);
  auto rules = LandlockRules::begin(version, free);
  if (!rules) return Unexpected(rules.error());
  const auto allowed = allow_files(*rules, process);
  if (!allowed) return allowed;
  return rules->enforce();
}

Result<void> enforce_filter(const ConfinedProcess& process) {
  const Permissions& granted = process.granted;
  CallPermissions may;
  may.connect = granted.has(kNeedsNetwork);
  may.listen = granted.has(kNeedsListening);
  may.unix_sockets = granted.has(kNeedsUnixSockets);
  may.processes = granted.has(kNeedsPrograms);
  may.files = granted.has(kNeedsWriting);
  // From a noexec folder, modules are loaded through files in memory.
  may.code = granted.has(kNeedsNewCode) || (!process.copies.empty() && is_noexec(process.copies));
  return filter_calls(may);
}

// A process that tries modules is killed when its time is over, but a busy machine may be late.
constexpr std::uint64_t kTrialGraceS = 5;

Result<void> limit(const ConfinedProcess& process) {
  const Settings& settings = process.plan.settings;
  auto limited =
      settings.limits.worker_bytes_max == 0 ? Result<void>() : limit_memory(settings.limits.worker_bytes_max);
  if (limited && process.tries) limited = limit_processor_time(settings.policy.swap_ms / 1000 + kTrialGraceS);
  return limited;
}

// Gives up one part after the other, and collects what is in force.
class GivingUp {
 public:
  GivingUp(bool all_is_needed, ToldParts* told) : all_is_needed_(all_is_needed), told_(told) {}

  // A container or a filter from outside may refuse what the kernel offers.
  void note(std::uint64_t parts, const Result<void>& done) {
    if (done) {
      in_force_ |= parts;
      return;
    }
    const std::string& why = done.error().message;
    if (!all_is_needed_) {
      const std::string words = fmt::format("{}", fmt::join(confined_words(parts), ", "));
      log(is_told_first(parts) ? LogLevel::warning : LogLevel::debug,
          fmt::format("workers are confined without: {}, because {}", words, why));
    } else if (outcome_) {
      outcome_ = fail(why + "; --confine auto serves without it");
    }
  }
  Result<std::uint64_t> in_force() const {
    return outcome_.map([this] { return in_force_; });
  }

 private:
  // Without `told_` it is a process that tries modules, which says the same as a worker.
  bool is_told_first(std::uint64_t parts) const {
    return told_ != nullptr && (told_->missing.fetch_or(parts, std::memory_order_relaxed) & parts) != parts;
  }

  const bool all_is_needed_;
  ToldParts* const told_;
  Result<void> outcome_;
  std::uint64_t in_force_ = 0;
};

// All that needs the right to be restricted further.
Result<std::uint64_t> give_up(const ConfinedProcess& process, std::uint64_t offered) {
  const Settings& settings = process.plan.settings;
  const std::uint64_t of_landlock = offered & (confined::kFiles | confined::kTcp | confined::kScopes);
  GivingUp giving_up(settings.confine == Confine::on, process.told);
  giving_up.note(confined::kPrivileges, give_up_privileges());
  if (!settings.core_dumps) giving_up.note(confined::kHidden, hide_from_same_user());
  if (!process.granted.has(kNeedsNewCode) && forbid_new_code()) giving_up.note(confined::kNoNewCode, {});
  if (of_landlock != 0) giving_up.note(of_landlock, enforce_landlock(landlock_version(), process));
  if ((offered & confined::kCalls) != 0) giving_up.note(confined::kCalls, enforce_filter(process));
  return giving_up.in_force();
}

Result<void> change_user(const ServingPlan& plan) {
  return plan.user ? become(*plan.user) : Result<void>();
}

std::vector<int> kept_descriptors(const ConfinedProcess& process) {
  std::vector<int> kept = process.descriptors;
  kept.push_back(log_descriptor());
  for (const SitePlan& site : process.plan.sites) kept.push_back(site.root.get());
  for (const UniqueFd& folder : process.plan.folders) kept.push_back(folder.get());
  return kept;
}

}  // namespace

Permissions permissions_of(const ServingPlan& plan, std::optional<std::size_t> group) {
  Permissions permissions;
  for (const Grant& grant : plan.settings.grants) {
    if (runs_in(plan, group, grant.module)) permissions.add(grant.permissions);
  }
  return permissions;
}

Result<std::uint64_t> confine(const ConfinedProcess& process) {
  const Settings& settings = process.plan.settings;
  if (settings.confine == Confine::off) {
    return change_user(process.plan).and_then([&] { return limit(process); }).map([] {
      return std::uint64_t{0};
    });
  }
  const std::uint64_t offered = confinement_offered();
  keep_variables([&](std::string_view name) {
    const auto& more = process.granted.variables;
    return is_plain_variable(name) || std::find(more.begin(), more.end(), name) != more.end();
  });
  empty_bounding_set();
  keep_descriptors(kept_descriptors(process));
  auto done = change_user(process.plan);
  if (done) done = limit(process);
  if (!done) return Unexpected(done.error());
  if ((offered & confined::kPrivileges) == 0) return std::uint64_t{0};
  return give_up(process, offered);
}

}  // namespace sluice
