#include "top_page.h"

#include <fmt/core.h>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "control/text_table.h"
#include "text_layout.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kDurations = "http_server_request_duration_seconds";
constexpr std::size_t kRoutesMax = 12;

std::string rate(double per_second) {
  return per_second < 10 ? fmt::format("{:.1f}", per_second) : fmt::format("{:.0f}", per_second);
}

std::string bytes(double per_second) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; per_second >= 1000 && unit + 1 < std::size(kUnits); ++unit) per_second /= 1000;
  return fmt::format("{:.{}f} {}", per_second, unit == 0 || per_second >= 100 ? 0 : 1, kUnits[unit]);
}

std::string milliseconds(double seconds) {
  return seconds < 0.01 ? fmt::format("{:.2f} ms", seconds * 1000) : fmt::format("{:.0f} ms", seconds * 1000);
}

// One series of the histogram, without its bound.
using Route = std::map<std::string, std::string, std::less<>>;
using Buckets = std::map<double, double>;  // by bound: requests up to it

Route route_of(Route labels) {
  for (const char* dropped : {"le", "http_request_method", "class"}) labels.erase(dropped);
  return labels;
}

double bound_of(const MetricSamples::Sample& sample) {
  const auto found = sample.labels.find("le");
  if (found == sample.labels.end() || found->second == "+Inf") return std::numeric_limits<double>::infinity();
  return std::strtod(found->second.c_str(), nullptr);
}

std::map<Route, Buckets> routes_between(const MetricSamples& before, const MetricSamples& now) {
  std::map<Route, Buckets> routes;
  const std::string name = std::string(kDurations) + "_bucket";
  for (const auto& sample : now.of(name)) routes[route_of(sample.labels)][bound_of(sample)] += sample.value;
  for (const auto& sample : before.of(name)) routes[route_of(sample.labels)][bound_of(sample)] -= sample.value;
  return routes;
}

double count_of(const Buckets& buckets) {
  return buckets.empty() ? 0 : buckets.rbegin()->second;
}

// The bound that so many of the requests do not exceed.
std::string within(const Buckets& buckets, double part) {
  const double count = count_of(buckets);
  if (count <= 0) return "-";
  for (const auto& [bound, requests] : buckets) {
    if (requests < part * count) continue;
    return bound > 60 ? "> 10 s" : fmt::format("{:g} ms", bound * 1000);
  }
  return "-";
}

std::string label_of(const Route& route, std::string_view label) {
  const auto found = route.find(label);
  return found == route.end() || found->second.empty() ? "-" : printable(found->second);
}

std::string route_table(const std::map<Route, Buckets>& routes, double seconds) {
  std::vector<const std::pair<const Route, Buckets>*> busiest;
  busiest.reserve(routes.size());
  for (const auto& route : routes) busiest.push_back(&route);
  std::stable_sort(busiest.begin(), busiest.end(), [](const auto* one, const auto* other) {
    return count_of(one->second) > count_of(other->second);
  });
  busiest.resize(std::min(busiest.size(), kRoutesMax));
  std::vector<TextRow> rows{{"SITE", "MOUNT", "REQUESTS/S", "HALF WITHIN", "99% WITHIN"}};
  for (const auto* route : busiest) {
    rows.push_back({label_of(route->first, "site"), label_of(route->first, "http_route"),
                    rate(count_of(route->second) / seconds), within(route->second, 0.5),
                    within(route->second, 0.99)});
  }
  return text_table(rows);
}

std::string worker_table(const MetricSamples& before, const MetricSamples& now, double seconds) {
  std::vector<TextRow> rows{{"WORKER", "REQUESTS/S", "SENT/S", "CONNECTIONS", "LONGEST TURN"}};
  for (const std::string& worker : now.values("sluice_requests_total", "worker")) {
    const auto grown = [&](std::string_view name) {
      return std::max(0.0, now.sum(name, "worker", worker) - before.sum(name, "worker", worker)) / seconds;
    };
    rows.push_back({printable(worker), rate(grown("sluice_requests_total")),
                    bytes(grown("sluice_sent_bytes_total")),
                    fmt::format("{:.0f}", now.sum("sluice_connections_open", "worker", worker)),
                    milliseconds(now.sum("sluice_loop_longest_turn_seconds", "worker", worker))});
  }
  return text_table(rows);
}

std::string module_table(const MetricSamples& before, const MetricSamples& now, double seconds) {
  std::vector<TextRow> rows{{"MODULE", "GENERATION", "STATE", "ANSWERS/S"}};
  for (const std::string& module : now.values("sluice_module_generation", "module")) {
    constexpr std::string_view kAnswers = "sluice_module_answer_seconds_count";
    const double answers =
        std::max(0.0, now.sum(kAnswers, "module", module) - before.sum(kAnswers, "module", module));
    const bool closed = now.sum("sluice_module_closed", "module", module) != 0;
    rows.push_back({printable(module),
                    fmt::format("{:.0f}", now.sum("sluice_module_generation", "module", module)),
                    closed ? "switched off" : "serving", rate(answers / seconds)});
  }
  return text_table(rows);
}

}  // namespace

std::string top_page(const MetricSamples& before, const MetricSamples& now, double seconds) {
  const auto grown = [&](std::string_view name) {
    return std::max(0.0, now.sum(name) - before.sum(name)) / seconds;
  };
  const auto up_ms = static_cast<std::uint64_t>(now.sum("sluice_up_seconds") * 1000);
  std::string page = fmt::format("up {}, {:.0f} workers, {:.0f} connections\n", duration_text(up_ms),
                                 now.sum("sluice_workers"), now.sum("sluice_connections_open"));
  page += fmt::format("{} requests/s, {}/s sent;", rate(grown("sluice_requests_total")),
                      bytes(grown("sluice_sent_bytes_total")));
  for (const char* status : {"2xx", "3xx", "4xx", "5xx"}) {
    const double answers =
        now.sum("sluice_answers_total", "class", status) - before.sum("sluice_answers_total", "class", status);
    page += fmt::format(" {} {}/s", status, rate(std::max(0.0, answers) / seconds));
  }
  page += "\nwaiting for";
  for (const std::string& what : now.values("sluice_waits", "for"))
    page += fmt::format(" {}: {:.0f}", printable(what), now.sum("sluice_waits", "for", what));
  page += "\n\n" + worker_table(before, now, seconds);
  const auto routes = routes_between(before, now);
  if (!routes.empty()) page += "\n" + route_table(routes, seconds);
  return page + "\n" + module_table(before, now, seconds);
}

}  // namespace sluice::cli
