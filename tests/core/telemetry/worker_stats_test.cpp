// Counters that one thread writes while others read. The test uses threads, since ThreadSanitizer sees no
// races between processes.
#include "telemetry/worker_stats.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>

using namespace sluice;

TEST_CASE("a counter never shrinks for its readers", "[stats]") {
  constexpr std::uint64_t kCount = 200'000;
  const auto stats = std::make_unique<WorkerStats>();
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kCount; ++i) {
      stats->requests.add();
      stats->turns.add(i * 1000);
      stats->notes[0].module_tag.store(i % 3, std::memory_order_relaxed);
      if (i == kCount / 2) stats->module_index("hello");
    }
  });
  std::uint64_t last = 0;
  bool grows = true;
  while (last < kCount) {
    const std::uint64_t now = stats->requests.get();
    grows = grows && now >= last;
    last = now;
    const std::string_view name =
        noted_module(*stats, stats->notes[0].module_tag.load(std::memory_order_relaxed));
    grows = grows && (name.empty() || name == "hello");
  }
  writer.join();
  CHECK(grows);
  CHECK(stats->requests.get() == kCount);
}

TEST_CASE("equal names share an entry, and names without room share the last one", "[stats]") {
  const auto stats = std::make_unique<WorkerStats>();
  const auto first = stats->module_counter_index("hello.requests");
  CHECK(stats->module_counter_index("hello.errors") != first);
  CHECK(stats->module_counter_index("hello.requests") == first);
  const std::string longer(200, 'x');
  CHECK(stats->module_counter_index(longer) == stats->module_counter_index(longer + "y"));
  for (unsigned i = 0; i < 2 * WorkerStats::kModuleCountersMax; ++i) {
    stats->module_counter_index("m." + std::to_string(i));
  }
  CHECK(stats->module_counter_index("one more") == WorkerStats::kModuleCountersMax - 1);
  CHECK(stats->module_counter_index("hello.requests") == first);
}

TEST_CASE("a name is cut at a NUL byte, and still finds its entry again", "[stats]") {
  using namespace std::string_view_literals;
  const auto stats = std::make_unique<WorkerStats>();
  const auto first = stats->module_counter_index("hello.a\0b"sv);
  CHECK(stats->module_counter_index("hello.a\0b"sv) == first);
  CHECK(stats->module_counter_index("hello.a") == first);
  CHECK(stats->module_counter_index("hello.b") == first + 1);
}

TEST_CASE("counts of two workers add up by name, and the longest turn is kept", "[stats]") {
  const auto one = std::make_unique<WorkerStats>();
  const auto other = std::make_unique<WorkerStats>();
  one->requests.add(2);
  one->turns.add(5'000);
  one->module_index("hello");
  other->requests.add(3);
  other->turns.add(9'000);
  other->answers[other->module_index("static")].add(1);
  other->answers[other->module_index("hello")].add(7);
  one->absorb(*other);
  CHECK(one->requests.get() == 5);
  CHECK(one->turns.count() == 2);
  CHECK(one->turns.total_ns() == 14'000);
  CHECK(one->turns.longest_ns() == 9'000);
  CHECK(one->answers[one->module_index("hello")].total_ns() == 7);
  CHECK(one->answers[one->module_index("static")].total_ns() == 1);
}

TEST_CASE("a note names the module that a thread is in, and its generation", "[stats]") {
  const auto stats = std::make_unique<WorkerStats>();
  const std::uint64_t note = make_module_tag(stats->module_index("hello"), 7);
  CHECK(noted_module(*stats, 0).empty());
  CHECK(noted_module(*stats, note) == "hello");
  CHECK(noted_generation(note) == 7);
  CHECK(noted_module(*stats, 1000).empty());
}
