#include "control/status_text.h"

#include <fmt/core.h>
#include <algorithm>
#include <vector>

namespace sluice {
namespace {

using Row = std::vector<std::string>;

constexpr std::uint64_t kSecondMs = 1000;
constexpr std::uint64_t kMinuteMs = 60 * kSecondMs;
constexpr std::uint64_t kHourMs = 60 * kMinuteMs;
constexpr std::uint64_t kDayMs = 24 * kHourMs;

// The two largest units: "3d 4h", "12s".
std::string duration(std::uint64_t duration_ms) {
  const auto two = [&](std::uint64_t large, const char* large_name, std::uint64_t small,
                       const char* small_name) {
    return std::to_string(duration_ms / large) + large_name + " " +
           std::to_string(duration_ms % large / small) + small_name;
  };
  if (duration_ms >= kDayMs) return two(kDayMs, "d", kHourMs, "h");
  if (duration_ms >= kHourMs) return two(kHourMs, "h", kMinuteMs, "m");
  if (duration_ms >= kMinuteMs) return two(kMinuteMs, "m", kSecondMs, "s");
  return std::to_string(duration_ms / kSecondMs) + "s";
}

// REQUIRES: all rows have the same number of cells.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] + 2 - row[i].size(), ' ');
    }
    text += '\n';
  }
  return text;
}

// A certificate may have a hundred names.
std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShown) text += fmt::format(", and {} more", names.size() - kShown);
  return text;
}

std::string certificate_table(const std::vector<CertificateView>& certificates, bool sites) {
  if (certificates.empty()) return "";
  std::vector<Row> rows{{"CERTIFICATE", "EXPIRES", "NAMES"}};
  for (const auto& [facts, shown_by] : certificates)
    rows.push_back({facts.file, moment_text(facts.not_after_s), some_names(facts.names)});
  for (std::size_t i = 0; sites && i < rows.size(); ++i)
    rows[i].insert(rows[i].begin(), i == 0 ? "SITE" : some_names(certificates[i - 1].sites));
  return "\n" + table(rows);
}

}  // namespace

std::string status_text(const ServerView& view) {
  std::string text = fmt::format("process {}, running for {}\n", view.pid, duration(view.up_ms));
  for (const std::string& url : view.listening) text += fmt::format("listening at {}\n", url);
  std::vector<Row> workers{{"WORKER", "PROCESS", "STATE", "RUNNING", "CONNECTIONS", "REQUESTS"}};
  for (const WorkerView& worker : view.workers) {
    workers.push_back({std::to_string(worker.index + 1), std::to_string(worker.pid), std::string(worker.state),
                       duration(worker.up_ms), std::to_string(worker.stats->connections_open.get()),
                       std::to_string(worker.stats->requests.get())});
  }
  // Without other sites, the default one is not worth a word.
  const bool sites = std::any_of(view.places.begin(), view.places.end(),
                                 [&](const Place& place) { return !place.site_is_default; });
  std::vector<Row> mounts{{"MOUNT", "MODULE", "GENERATION", "STATE"}};
  for (const Place& place : view.places) {
    const std::string at = place.address.empty() ? "" : " at " + place.address;
    mounts.push_back({place.prefix, place.module.name + (place.filter ? ", a filter" : ""),
                      std::to_string(place.module.generation),
                      (place.module.closed ? "switched off" : "serving") + at});
  }
  for (std::size_t i = 0; sites && i < mounts.size(); ++i)
    mounts[i].insert(mounts[i].begin(), i == 0 ? "SITE" : view.places[i - 1].site);
  return text + "\n" + table(workers) + "\n" + table(mounts) + certificate_table(view.certificates, sites);
}

}  // namespace sluice
