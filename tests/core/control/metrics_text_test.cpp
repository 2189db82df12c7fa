// The exported text follows the rules of the format, and its counts add up over the lives of workers.
#include "control/metrics_text.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

ServerView view_of(const WorkerStats& first) {
  ServerView view;
  view.pid = 1;
  view.up_ms = 1500;
  view.workers.push_back({0, 2, 1000, "serving", &first});
  return view;
}

// The value of a series as written; empty if it is missing.
std::string value_of(const std::string& text, const std::string& series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
  }
  return "";
}

}  // namespace

TEST_CASE("counters of a worker and of those before it add up", "[metrics]") {
  const auto ended = std::make_unique<WorkerStats>();
  ended->requests.add(5);
  ended->answers_by_class[4].add(2);
  ended->connections_open.set(3);
  ended->waits[0].set(3);
  ended->turns.add(2'000'000'000);
  ended->module_counters[ended->module_counter_index("hello.greeted")].value.add(7);
  const auto living = std::make_unique<WorkerStats>();
  living->requests.add(1);
  living->connections_open.set(1);
  living->waits[0].set(2);
  living->module_counter_index("other.first");  // so that the indexes differ
  living->module_counters[living->module_counter_index("hello.greeted")].value.add(1);
  PastCounts past;
  past.add(0, *ended);
  past.add(3, *ended);
  const std::string text = metrics_text(view_of(*living), past);
  CHECK(value_of(text, "sluice_requests_total{worker=\"1\"}") == "6");
  CHECK(value_of(text, "sluice_requests_total{worker=\"4\"}") == "5");
  CHECK(value_of(text, "sluice_answers_total{worker=\"1\",class=\"4xx\"}") == "2");
  CHECK(value_of(text, "sluice_connections_open{worker=\"1\"}") == "1");
  CHECK(value_of(text, "sluice_connections_open{worker=\"4\"}") == "0");
  CHECK(value_of(text, "sluice_waits{worker=\"1\",for=\"head\"}") == "2");
  CHECK(value_of(text, "sluice_loop_longest_turn_seconds{worker=\"1\"}") == "2");
  CHECK(value_of(text, "sluice_module_events_total{module=\"hello\",event=\"greeted\"}") == "15");
  CHECK(value_of(text, "sluice_module_events_total{module=\"other\",event=\"first\"}") == "0");
  CHECK(value_of(text, "sluice_up_seconds") == "1.5");
  CHECK(value_of(text, "sluice_workers") == "1");
}

TEST_CASE("durations of requests have the names and bounds of OpenTelemetry", "[metrics]") {
  const auto stats = std::make_unique<WorkerStats>();
  const auto count = [&](const char* site, const char* route, std::size_t method, std::uint32_t status,
                         std::uint64_t ns) {
    const auto index = stats->request_series_index(site, route, RequestSeries::kind_of(method, status));
    stats->request_series[index].durations.add(ns);
  };
  count("", "/x/", 0, 200, 4'000'000);
  count("", "/x/", 0, 206, 60'000'000);
  count("a.example", "", 9, 404, 1'000'000);
  const std::string text = metrics_text(view_of(*stats), PastCounts());
  CHECK_THAT(text, Contains("\n# TYPE http_server_request_duration_seconds histogram\n"));
  const std::string series =
      "http_server_request_duration_seconds_bucket{http_request_method=\"GET\",http_route=\"/x/"
      "\",class=\"2xx\",le=";
  CHECK(value_of(text, series + "\"0.005\"}") == "1");
  CHECK(value_of(text, series + "\"0.05\"}") == "1");
  CHECK(value_of(text, series + "\"0.075\"}") == "2");
  CHECK(value_of(text, series + "\"+Inf\"}") == "2");
  const std::string count_of = "http_server_request_duration_seconds_count";
  CHECK(value_of(text, count_of + "{http_request_method=\"GET\",http_route=\"/x/\",class=\"2xx\"}") == "2");
  CHECK(value_of(
            text,
            count_of + "{http_request_method=\"_OTHER\",http_route=\"\",class=\"4xx\",site=\"a.example\"}") ==
        "1");
}

TEST_CASE("a histogram is cumulative, and ends in its count", "[metrics]") {
  const auto stats = std::make_unique<WorkerStats>();
  stats->turns.add(500);
  stats->turns.add(1'500);
  stats->turns.add(1'600);
  stats->turns.add(60'000'000'000);
  const std::string text = metrics_text(view_of(*stats), PastCounts());
  const std::string bucket = "sluice_loop_turn_seconds_bucket{worker=\"1\",le=";
  CHECK(value_of(text, bucket + "\"1e-06\"}") == "1");
  CHECK(value_of(text, bucket + "\"2e-06\"}") == "3");
  CHECK(value_of(text, bucket + "\"4.194304\"}") == "3");
  CHECK(value_of(text, bucket + "\"+Inf\"}") == "4");
  CHECK(value_of(text, "sluice_loop_turn_seconds_count{worker=\"1\"}") == "4");
  CHECK(value_of(text, "sluice_loop_turn_seconds_sum{worker=\"1\"}") == "60.0000036");
}

TEST_CASE("every series follows the help and type of its family", "[metrics]") {
  const auto stats = std::make_unique<WorkerStats>();
  stats->module_index("odd\"name\\");
  stats->net_turns.add(1);
  const std::string text = metrics_text(view_of(*stats), PastCounts());
  CHECK_THAT(text, Contains("module=\"odd\\\"name\\\\\""));
  std::istringstream lines(text);
  std::string family;
  std::string previous;
  for (std::string line; std::getline(lines, line); previous = line) {
    INFO(line);
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
    } else if (line.starts_with("# TYPE ")) {
      CHECK(line.starts_with("# TYPE " + family + " "));
      CHECK(previous.starts_with("# HELP " + family + " "));
    } else {
      CHECK(line.starts_with(family));
    }
  }
}

TEST_CASE("without an audit the series of audited turns are left out", "[metrics]") {
  const auto stats = std::make_unique<WorkerStats>();
  CHECK_THAT(metrics_text(view_of(*stats), PastCounts()), !Contains("sluice_loop_sleeps_total"));
  stats->net_turns.add(1);
  CHECK_THAT(metrics_text(view_of(*stats), PastCounts()), Contains("sluice_loop_sleeps_total{worker=\"1\"} 0"));
}

TEST_CASE("sites are counted by name, whatever their number in a worker's plan", "[metrics]") {
  const auto one = std::make_unique<WorkerStats>();
  ServerView view = view_of(*one);
  CHECK_THAT(metrics_text(view, PastCounts()), !Contains("sluice_site_"));
  const auto other = std::make_unique<WorkerStats>();
  view.workers.push_back({1, 2, 0, "serving", other.get()});
  one->sites[0].name.set("a.example");
  one->sites[1].name.set("b.example");
  other->sites[0].name.set("b.example");
  one->site(0).answers_by_class[4].add(3);
  one->site(1).answers_by_class[2].add(5);
  other->site(0).answers_by_class[2].add(10);
  other->site(0).bytes_sent.add(1000);
  const std::string text = metrics_text(view, PastCounts());
  CHECK(value_of(text, "sluice_site_answers_total{site=\"a.example\",class=\"4xx\"}") == "3");
  CHECK(value_of(text, "sluice_site_answers_total{site=\"b.example\",class=\"2xx\"}") == "15");
  CHECK(value_of(text, "sluice_site_sent_bytes_total{site=\"b.example\"}") == "1000");
  CHECK(&one->site(100'000) == &one->sites[WorkerStats::kSitesMax - 1]);
}

TEST_CASE("the end of each certificate is a series", "[metrics]") {
  const auto stats = std::make_unique<WorkerStats>();
  ServerView view = view_of(*stats);
  CHECK_THAT(metrics_text(view, PastCounts()), !Contains("certificate"));
  view.certificates = {
      {{"/a.pem", {"a"}, 1'700'000'000, "AB"}, {}}, {{"/a.pem", {}, 1, ""}, {}}, {{"/b.pem", {}, 5, ""}, {}}};
  const std::string text = metrics_text(view, PastCounts());
  const std::string series = "sluice_certificate_not_after_timestamp_seconds{file=";
  CHECK(value_of(text, series + "\"/a.pem\"}") == "1700000000");
  CHECK(value_of(text, series + "\"/b.pem\"}") == "5");
  const std::size_t first = text.find(series + "\"/a.pem\"}");
  CHECK(text.find(series + "\"/a.pem\"}", first + 1) == std::string::npos);
}

TEST_CASE("a worker out of control cannot make the metrics unreadable", "[metrics]") {
  const auto stats = std::make_unique<WorkerStats>();
  // Two samples of one series, and text that is not UTF-8, are refused by Prometheus together with all others.
  for (const char* reason : {"a\nb", "a\\nb",
                             "a\xff"
                             "b",
                             "a\xfe"
                             "b"})
    stats->tls_failure_index(reason);
  for (const char* name : {"x", "x.x"}) stats->module_counter_index(name);
  const std::string text = metrics_text(view_of(*stats), {});
  const auto count = [&](const std::string& series) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(series, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  CHECK(count("{reason=\"a\\nb\"}") == 1);
  CHECK(count("{reason=\"a\\\\nb\"}") == 1);
  CHECK(count("{reason=\"a\xef\xbf\xbd"
              "b\"}") == 1);
  CHECK(count("{module=\"x\",event=\"x\"}") == 1);
  CHECK(text.find("\xff") == std::string::npos);
}
