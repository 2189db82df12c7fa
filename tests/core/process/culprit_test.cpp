#include "process/culprit.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>

using namespace sluice;

namespace {

struct Fixture {
  std::unique_ptr<WorkerStats> stats = std::make_unique<WorkerStats>();

  void note(unsigned thread, const std::string& module, std::uint32_t generation) {
    stats->notes[thread].module_tag = make_module_tag(stats->module_index(module), generation);
  }
};

Snapshot::Frame frame_in(const std::string& object) {
  Snapshot::Frame frame;
  object.copy(frame.object, sizeof(frame.object) - 1);
  return frame;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "notes blame the loop first, and offload threads only if they agree", "[culprit]") {
  CHECK(read_notes(*stats).text() == "in the server itself, outside any module");
  note(1, "one", 2);
  CHECK(read_notes(*stats).text() == "inside module one, generation 2");
  note(2, "one", 2);
  CHECK(read_notes(*stats).module == "one");
  note(3, "other", 1);
  CHECK(read_notes(*stats).module.empty());
  note(0, "third", 4);
  CHECK(read_notes(*stats).text() == "inside module third, generation 4");
}

TEST_CASE_METHOD(Fixture, "a snapshot is read only within its bounds, whatever a worker wrote", "[culprit]") {
  Snapshot& fault = stats->fault;
  fault.module_tag = make_module_tag(stats->module_index("hello"), 3);
  fault.signal = 11;
  fault.sent_by = -1;  // a process that has no number here
  fault.frames_size = ~0U;
  std::memset(fault.request, 'r', sizeof(fault.request));
  for (Snapshot::Frame& frame : fault.frames) std::memset(frame.object, 'o', sizeof(frame.object));
  const Culprit culprit = read_snapshot(*stats, fault);
  CHECK(culprit.module == "hello");
  CHECK(culprit.outside);
  CHECK(culprit.blamed().empty());
  CHECK(culprit.sent_by == 0);
  CHECK(culprit.request == std::string(sizeof(fault.request), 'r'));
  REQUIRE(culprit.frames.size() == Snapshot::kFramesMax);
  CHECK(std::strlen(culprit.frames.back().object) == sizeof(fault.frames[0].object) - 1);
}

TEST_CASE("frames blame the first module that they lead through", "[culprit]") {
  const ModuleSet modules{{"a.so", "/copies/a.2.so", 2, "apple", "", false, false},
                          {"b.so", "/copies/b.1.so", 1, "", "", false, false}};
  Culprit culprit;
  culprit.frames = {frame_in(""), frame_in("/lib/libc.so.6")};
  name_by_frames(culprit, modules);
  CHECK(culprit.module.empty());
  culprit.frames.push_back(frame_in("/copies/a.2.so"));
  culprit.frames.push_back(frame_in("/copies/b.1.so"));
  name_by_frames(culprit, modules);
  CHECK(culprit.text() == "inside module apple, generation 2");
  culprit.frames.erase(culprit.frames.begin(), culprit.frames.begin() + 3);
  name_by_frames(culprit, modules);
  CHECK(culprit.text() == "inside module b.so, generation 1");
}
