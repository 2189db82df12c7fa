#include "server/dry_run.h"

#include <fmt/core.h>
#include <ctime>
#include <optional>
#include <utility>

#include "process/listen_group.h"
#include "server/tried_settings.h"

namespace sluice {

namespace {

// For a name, one of its addresses is enough, as when a server starts.
Result<std::string> try_all(const ListenAddress& address) {
  std::optional<Result<std::string>> tried;
  for (const ListenAddress& one : every_address(address)) {
    auto note = try_address(one);
    if (!tried || (!*tried && note)) tried = std::move(note);
  }
  return *tried;
}

}  // namespace

Result<std::string> check(const Settings& settings) {
  const auto tried = try_settings(settings);
  if (!tried) return Unexpected(tried.error());
  const TrialReport& report = tried->folder.report;
  std::string text;
  for (const MountReport& mount : report.mounts) text += mount.prefix + "  by " + mount.module + "\n";
  std::string faults;
  const auto add = [&](const std::string& sentence) { faults += (faults.empty() ? "" : "\n") + sentence; };
  for (const ModuleProblem& problem : report.problems) add(problem.sentence);
  for (const ModuleWarning& warning : report.warnings) {
    if (warning.prefix.empty()) {
      text += fmt::format("note: {}\n", warning.sentence);  // about something that no option asked for
    } else {
      add(warning.sentence);
    }
  }
  for (const CertificateFacts& facts : report.certificates) {
    if (const auto warning = expiry_warning(facts, std::time(nullptr))) text += "note: " + *warning + "\n";
  }
  for (const ServingSite& site : tried->plan->sites) {
    for (const ListenAddress& address : site.listen) {
      const auto note = try_all(address);
      if (!note) add(note.error().message);
      if (note && !note->empty()) text += "note: " + *note + "\n";
    }
  }
  if (!faults.empty()) return fail(faults);
  return text;
}

}  // namespace sluice
