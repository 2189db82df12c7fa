// The filter compress when there is no memory: what it keeps is optional.
//
// This file replaces operator new for the whole test program.
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "modules/decoding.h"
#include "modules/dictionary_fixture.h"

using namespace sluice;
using namespace sluice::test;

namespace {

// How many allocations on this thread succeed before one fails; negative: none fails.
thread_local int succeed = -1;
thread_local int failed = 0;

void* allocate(std::size_t size) {
  if (succeed >= 0 && succeed-- == 0) {
    ++failed;
    return nullptr;
  }
  return std::malloc(size == 0 ? 1 : size);
}

struct ShortageFixture : DictionaryFixture {
  // In each call of this name, the allocation after so many fails. Returns whether one has failed.
  bool answer_without_memory(const RequestPlan& plan, std::string_view call, int after) {
    failed = 0;
    const Answer answered = rig.start(plan, filter);
    answered->content.reserve(plan.behind.content.size());
    rig.server.around_call = [&](std::string_view what, const std::function<void()>& enter) {
      if (what == call) succeed = after;
      try {
        enter();
      } catch (...) {
        succeed = -1;
        throw;
      }
      succeed = -1;
    };
    CHECK(rig.server.run_until([&] { return answered->ended() && rig.server.offload_idle(); }));
    rig.server.around_call = nullptr;
    CHECK(answered->complete);
    CHECK((decode("zstd", answered->content).content == plan.behind.content));
    return failed > 0;
  }
  static std::string target_of(int number) { return "/m/" + std::to_string(number) + "/app.js"; }
  void check_that_content_is_kept() {
    const std::uint64_t before = rig.server.counters["from_memory"];
    for (int i = 0; i < 2; ++i) answer(plan_of(1, "/m/last.js"));
    CHECK(rig.server.counters["from_memory"] == before + 1);
  }
};

}  // namespace

void* operator new(std::size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

TEST_CASE_METHOD(ShortageFixture, "content that there is no memory to keep gives its place to others",
                 "[compress][memory]") {
  int after = 0;
  while (answer_without_memory(plan_of(1, target_of(after)), "Work::done", after)) ++after;
  CHECK(after > 4);
  CHECK(rig.server.violations.size() == static_cast<std::size_t>(after));
  rig.server.violations.clear();
  check_that_content_is_kept();
}

TEST_CASE_METHOD(ShortageFixture, "an answer is complete without the memory to record it",
                 "[compress][memory]") {
  int after = 0;
  for (bool has_failed = true; has_failed; ++after) {
    RequestPlan plan = plan_of(1, target_of(after));
    plan.behind.content = script_of(1, 10'000);  // less than a turn: the next one takes memory of the test
    rig.server.refuse_offloads = 1;              // and so does a queue
    has_failed = answer_without_memory(plan, "Transform::pass", after);
  }
  CHECK(after > 4);
  rig.server.refuse_offloads = 0;
  check_that_content_is_kept();
}
