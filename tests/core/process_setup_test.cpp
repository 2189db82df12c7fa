// What a process has asked the kernel for is what the kernel says it has.
#include "process_setup.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>

using namespace sluice;

namespace {

// The first version of what sched_getattr(2) tells; the kernel's header and the C library's exclude each other.
struct Scheduling {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};

Scheduling scheduling() {
  Scheduling attributes{};
  REQUIRE(::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) == 0);
  return attributes;
}

}  // namespace

TEST_CASE("a thread that asks for short slices gets them, and stays what it was", "[process_setup]") {
  Scheduling before{};
  Scheduling after{};
  std::thread([&] {
    before = scheduling();
    run_in_short_slices();
    after = scheduling();
  }).join();
  CHECK(after.policy == before.policy);
  CHECK(after.nice == before.nice);
  // Kernels that know of no slices of one's own tell of none.
  CHECK((before.runtime_ns == 0) == (after.runtime_ns == 0));
  if (after.policy == SCHED_OTHER) CHECK(after.runtime_ns <= 250'000);
}
