#include "settings/confinement_support.h"

#include <sluice/abi.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/call_filter.h"
#include "base/confined.h"
#include "base/landlock.h"
#include "base/process_rights.h"

namespace sluice {
namespace {

// By which libraries find servers, proxies and credentials.
constexpr std::string_view kOfClients[] = {
    "CURL_CA_BUNDLE", "HOSTALIASES",     "LOCALDOMAIN",  "MYSQL_HOST",    "MYSQL_PWD",
    "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "OPENSSL_CONF", "PGDATABASE",    "PGHOST",
    "PGHOSTADDR",     "PGPASSFILE",      "PGPASSWORD",   "PGPORT",        "PGSERVICE",
    "PGSSLMODE",      "PGUSER",          "RES_OPTIONS",  "SSLKEYLOGFILE",
};

bool is_of_clients(std::string_view name) {
  return name.ends_with("_proxy") || name.ends_with("_PROXY") || name.starts_with("AWS_") ||
         std::find(std::begin(kOfClients), std::end(kOfClients), name) != std::end(kOfClients);
}

}  // namespace

std::uint64_t confinement_offered() {
  std::uint64_t offered = 0;
  if (!privileges_can_be_given_up()) return offered;  // all the rest needs it
  offered |= confined::kPrivileges | confined::kHidden;
  const int version = landlock_version();
  if (version > 0) offered |= confined::kFiles;
  if (version >= kLandlockTcp) offered |= confined::kTcp;
  if (version >= kLandlockScopes) offered |= confined::kScopes;
  if (calls_can_be_filtered()) offered |= confined::kCalls;
  if (new_code_can_be_forbidden()) offered |= confined::kNoNewCode;
  return offered;
}

std::string confinement_lacking() {
  struct Part {
    std::uint64_t bit;
    const char* what;
  };
  constexpr Part kParts[] = {
      {confined::kPrivileges,
       "prctl(2), by which a process gives up rights (a filter of system calls refuses it)"},
      {confined::kFiles, "Landlock, which confines files (Linux 5.13, and landlock in the lsm= of the boot)"},
      {confined::kTcp, "Landlock for TCP (Linux 6.7)"},
      {confined::kScopes, "Landlock for signals and abstract sockets (Linux 6.12)"},
      {confined::kCalls, "filters of system calls (seccomp)"},
      {confined::kNoNewCode, "PR_SET_MDWE, which forbids new code (Linux 6.3)"},
  };
  const std::uint64_t offered = confinement_offered();
  std::string text;
  for (const Part& part : kParts) {
    if ((offered & part.bit) == 0) text += (text.empty() ? "" : ", ") + std::string(part.what);
  }
  return text;
}

bool files_are_confined(const Settings& settings) {
  return settings.confine != Confine::off && (confinement_offered() & confined::kFiles) != 0;
}

std::vector<std::string> absent_grants(const Settings& settings) {
  std::vector<std::string> sentences;
  if (settings.confine == Confine::off) return sentences;
  const char* then = settings.confine == Confine::on ? ", or write --confine auto, which does without"
                     : files_are_confined(settings)  ? "; new workers that may use it take over then"
                                                     : "";
  for (const Grant& grant : settings.grants) {
    for (const auto* paths : {&grant.permissions.read, &grant.permissions.write}) {
      for (const std::string& path : *paths) {
        if (::access(path.c_str(), F_OK) == 0) continue;
        sentences.push_back(fmt::format("{}, which is granted to the module {}, does not exist: make it{}",
                                        path, grant.module, then));
      }
    }
  }
  return sentences;
}

Result<void> check_confinement(const Settings& settings) {
  if (settings.confine != Confine::on) return {};
  if (const auto absent = absent_grants(settings); !absent.empty()) return fail(absent.front());
  const std::string lacking = confinement_lacking();
  if (lacking.empty()) return {};
  return fail(
      fmt::format("--confine on needs what this kernel does not offer: {}; update it, or write --confine auto, "
                  "which does without",
                  lacking));
}

std::string unseen_variables(const Settings& settings) {
  if (settings.confine == Confine::off || environ == nullptr) return "";
  const auto& grants = settings.grants;
  const auto is_client = [](const Grant& grant) {
    return grant.permissions.has(kNeedsNetwork | kNeedsUnixSockets);
  };
  if (std::none_of(grants.begin(), grants.end(), is_client)) return "";
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    const bool granted = std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
      const auto& given = grant.permissions.variables;
      return std::find(given.begin(), given.end(), name) != given.end();
    });
    if (!granted && is_of_clients(name)) names.push_back(name);
  }
  if (names.empty()) return "";
  return fmt::format(
      "workers do not have the variable{} {}: add --grant NAME=env:{} for a module that needs {}",
      names.size() == 1 ? "" : "s", fmt::join(names, ", "), names.front(), names.size() == 1 ? "it" : "them");
}

}  // namespace sluice
