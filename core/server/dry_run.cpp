#include "server/dry_run.h"

#include <fmt/core.h>
#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "process/listen_group.h"
#include "server/tried_settings.h"
#include "settings/confinement_support.h"
#include "settings/kernel_tls_support.h"

namespace sluice {

namespace {

// For a name, one of its addresses is enough, as when a server starts.
Result<std::string> try_all(const ListenAddress& address, const InheritedSockets& inherited) {
  std::optional<Result<std::string>> tried;
  for (const ListenAddress& one : every_address(address)) {
    auto note = inherited.has(one) ? Result<std::string>() : try_address(one);
    if (!tried || (!*tried && note)) tried = std::move(note);
  }
  return *tried;
}

// A site's addresses and names, as a heading over its mounts.
std::string heading(const SitePlan& site) {
  std::string text = "site " + site.label + " at";
  for (const ListenAddress& address : site.settings.listen)
    text += fmt::format(" {}{}", address.tls ? "https://" : "", address.text);
  if (site.settings.names.size() > 1 ||
      (!site.settings.names.empty() && site.settings.names.front() != site.label)) {
    text += ", for";
    for (const std::string& name : site.settings.names) text += " " + name;
  }
  return text + "\n";
}

// If there are several folders, the one of the module's file.
std::string whence(const ServingPlan& plan, const ModuleSet& modules, const std::string& name) {
  const auto found = std::find_if(modules.begin(), modules.end(),
                                  [&](const ModuleEntry& entry) { return entry.name == name; });
  return plan.settings.plugins.size() < 2 || found == modules.end() ? "" : " from " + found->folder;
}

// A single default site has no heading.
std::string served_text(const ServingPlan& plan, const TrialReport& report) {
  const bool headed = plan.sites.size() > 1 || !plan.sites.front().is_default;
  std::string text;
  for (std::size_t site = 0; site < plan.sites.size(); ++site) {
    if (headed) text += heading(plan.sites[site]);
    for (const MountReport& mount : report.mounts) {
      if (mount.site == site)
        text += fmt::format("{}{}  {} {}{}\n", headed ? "  " : "", mount.prefix, mount.filter ? "behind" : "by",
                            mount.module, whence(plan, report.modules, mount.module));
    }
  }
  return text;
}

}  // namespace

Result<std::string> check(const Settings& settings, InheritedSockets inherited) {
  const auto tried = try_settings(settings, [&] { inherited.close_for_child(); });
  if (!tried) return Unexpected(tried.error());
  const TrialReport& report = tried->folder.report;
  std::string text;
  text += served_text(*tried->plan, report);
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
  for (const std::string& sentence : absent_grants(settings)) text += "note: " + sentence + "\n";
  if (const std::string unseen = unseen_variables(settings); !unseen.empty()) text += "note: " + unseen + "\n";
  for (const CertificateFacts& facts : report.certificates) {
    if (const auto warning = expiry_warning(facts, std::time(nullptr))) text += "note: " + *warning + "\n";
  }
  if (const auto warning = kernel_tls_warning(*tried->plan)) text += "note: " + *warning + "\n";
  if (const auto wanted = inherited.check_wanted(*tried->plan); !wanted) add(wanted.error().message);
  for (const ServingGroup& group : tried->plan->groups) {
    for (const ServedAddress& address : group.addresses) {
      const auto note = try_all(address.at, inherited);
      if (!note) add(note.error().message);
      if (note && !note->empty()) text += "note: " + *note + "\n";
    }
  }
  if (!faults.empty()) return fail(faults);
  return text;
}

}  // namespace sluice
