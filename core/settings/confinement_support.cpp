#include "settings/confinement_support.h"

#include <fmt/core.h>
#include <unistd.h>

#include "base/call_filter.h"
#include "base/confined.h"
#include "base/landlock.h"
#include "base/process_rights.h"

namespace sluice {

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

Result<void> check_confinement(const Settings& settings) {
  if (settings.confine == Confine::off) return {};
  for (const Grant& grant : settings.grants) {
    for (const auto* paths : {&grant.permissions.read, &grant.permissions.write}) {
      for (const std::string& path : *paths) {
        if (::access(path.c_str(), F_OK) != 0)
          return fail(
              fmt::format("{}, which is granted to the module {}, does not exist: make it first, because "
                          "the grant is for what is there",
                          path, grant.module));
      }
    }
  }
  if (settings.confine != Confine::on) return {};
  const std::string lacking = confinement_lacking();
  if (lacking.empty()) return {};
  return fail(
      fmt::format("--confine on needs what this kernel does not offer: {}; update it, or write --confine auto, "
                  "which does without",
                  lacking));
}

}  // namespace sluice
