#include "control/status_text.h"

#include <fmt/core.h>
#include <algorithm>
#include <vector>

#include "base/confined.h"
#include "control/text_table.h"

namespace sluice {
namespace {

// "yes", "no", "files, calls, ...", each with what is granted.
std::string confinement_of(const WorkerView& worker) {
  const std::uint64_t bits = worker.stats->confined.get();
  std::string text = bits == 0 ? "no" : bits == confined::kAll ? "yes" : "";
  for (const std::string& word : confined_words(text.empty() ? bits : 0))
    text += (text.empty() ? "" : ", ") + word;
  return worker.granted.empty() ? text : text + ", but for " + worker.granted;
}

std::string certificate_table(const std::vector<CertificateView>& certificates, bool sites) {
  if (certificates.empty()) return "";
  std::vector<TextRow> rows{{"CERTIFICATE", "EXPIRES", "NAMES"}};
  for (const auto& [facts, shown_by] : certificates)
    rows.push_back({facts.file, moment_text(facts.not_after_s), some_names(facts.names)});
  for (std::size_t i = 0; sites && i < rows.size(); ++i)
    rows[i].insert(rows[i].begin(), i == 0 ? "SITE" : some_names(certificates[i - 1].sites));
  return "\n" + text_table(rows);
}

}  // namespace

std::string status_text(const ServerView& view) {
  std::string text = fmt::format("process {}, running for {}\n", view.pid, duration_text(view.up_ms));
  for (const std::string& url : view.listening) text += fmt::format("listening at {}\n", url);
  std::vector<TextRow> workers{
      {"WORKER", "PROCESS", "STATE", "RUNNING", "CONNECTIONS", "REQUESTS", "CONFINED"}};
  for (const WorkerView& worker : view.workers) {
    workers.push_back({std::to_string(worker.index + 1), std::to_string(worker.pid), std::string(worker.state),
                       duration_text(worker.up_ms), std::to_string(worker.stats->connections_open.get()),
                       std::to_string(worker.stats->requests.get()), confinement_of(worker)});
  }
  if (!view.lacking.empty()) text += fmt::format("this kernel does not offer {}\n", view.lacking);
  // Without other sites, the default one is not worth a word.
  const bool sites = std::any_of(view.places.begin(), view.places.end(),
                                 [&](const Place& place) { return !place.site_is_default; });
  std::vector<TextRow> mounts{{"MOUNT", "MODULE", "GENERATION", "STATE"}};
  for (const Place& place : view.places) {
    const std::string at = place.address.empty() ? "" : " at " + place.address;
    mounts.push_back({place.prefix, place.module.name + (place.filter ? ", a filter" : ""),
                      std::to_string(place.module.generation),
                      (place.module.closed ? "switched off" : "serving") + at});
  }
  for (std::size_t i = 0; view.several_folders && i < mounts.size(); ++i)
    mounts[i].push_back(i == 0 ? "FROM" : view.places[i - 1].module.folder);
  for (std::size_t i = 0; sites && i < mounts.size(); ++i)
    mounts[i].insert(mounts[i].begin(), i == 0 ? "SITE" : view.places[i - 1].site);
  return text + "\n" + text_table(workers) + "\n" + text_table(mounts) +
         certificate_table(view.certificates, sites);
}

}  // namespace sluice
