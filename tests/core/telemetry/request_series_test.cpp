// Durations of requests: their buckets, and their series in the memory of a worker.
#include "telemetry/request_series.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "telemetry/worker_stats.h"

using namespace sluice;

TEST_CASE("a duration is in the first bucket whose bound it does not exceed", "[request_series]") {
  RequestHistogram durations;
  durations.add(0);
  durations.add(5'000'000);
  durations.add(5'000'001);
  durations.add(10'000'000'000);
  durations.add(10'000'000'001);
  CHECK(durations.bucket(0) == 2);
  CHECK(durations.bucket(1) == 1);
  CHECK(durations.bucket(RequestHistogram::kBuckets - 2) == 1);
  CHECK(durations.bucket(RequestHistogram::kBuckets - 1) == 1);
  CHECK(durations.count() == 5);
  CHECK(durations.total_ns() == 20'010'000'002);
}

TEST_CASE("a series is found again by site, route, method and class", "[request_series]") {
  const auto stats = std::make_unique<WorkerStats>();
  const std::uint64_t get = RequestSeries::kind_of(0, 204);
  const std::uint32_t first = stats->request_series_index("a", "/", get);
  CHECK(stats->request_series_index("a", "/", RequestSeries::kind_of(0, 200)) == first);
  CHECK(stats->request_series_index("b", "/", get) != first);
  CHECK(stats->request_series_index("a", "/x/", get) != first);
  CHECK(stats->request_series_index("a", "/", RequestSeries::kind_of(9, 499)) != first);
  CHECK(stats->request_series_index("a", "/", get) == first);
  CHECK(stats->request_series[first].method() == "GET");
  CHECK(stats->request_series[first].status_class() == 2);
}

TEST_CASE("series that do not fit share the last one", "[request_series]") {
  const auto stats = std::make_unique<WorkerStats>();
  std::uint32_t last = 0;
  for (int i = 0; i < 600; ++i)
    last = stats->request_series_index("", "/" + std::to_string(i) + "/", RequestSeries::kind_of(0, 200));
  CHECK(last == WorkerStats::kRequestSeriesMax - 1);
  CHECK(stats->request_series[last].route.get() == "(more)");
  CHECK(stats->request_series[last].method() == "_OTHER");
  stats->request_series[last].durations.add(1);
  const auto sum = std::make_unique<WorkerStats>();
  sum->absorb(*stats);
  sum->absorb(*stats);
  CHECK(sum->request_series[last].durations.count() == 2);
}

TEST_CASE("what a faulty process wrote has no meaning, and no place outside", "[request_series]") {
  RequestSeries series;
  for (const std::uint64_t kind : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{101}}) {
    series.kind.set(kind);
    CHECK_FALSE(series.method().empty());
    CHECK(series.status_class() < 10);
  }
}

TEST_CASE("numbers and names that read alike are one series", "[request_series]") {
  const auto worker = std::make_unique<WorkerStats>();
  for (const std::uint32_t i : {0U, 1U}) {
    worker->request_series[i].route.set("/");
    worker->request_series[i].kind.set(3 + 100 * i);
    worker->request_series[2 + i].route.set("(more)");
    worker->request_series[2 + i].kind.set(91 + i);
  }
  const auto all = std::make_unique<WorkerStats>();
  all->absorb(*worker);
  CHECK(all->request_series[0].kind.get() == 3);
  CHECK(all->request_series[1].kind.get() == 0);
  CHECK(all->request_series[WorkerStats::kRequestSeriesMax - 1].route.get() == "(more)");
}
