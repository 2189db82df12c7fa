// A worker that is out of control writes what it likes into the memory that it shares with the supervisor, and
// sends what it likes: whatever that is, the supervisor's texts stay well-formed and bounded, and nothing
// outside of them is read.
//
// The input is a list of steps. Each is a byte that says what is written to, two that say where, one for the
// size, and the bytes.
#include <sluice/kit/json.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/sealed_text.h"
#include "control/health_text.h"
#include "control/metrics_text.h"
#include "control/status_json.h"
#include "control/status_text.h"
#include "expect.h"
#include "process/culprit.h"
#include "process/question_pace.h"
#include "server/worker_questions.h"
#include "swap/module_catalog.h"
#include "telemetry/access_ring.h"
#include "telemetry/worker_stats.h"

using namespace sluice;
using fuzz::expect;

namespace {

// The parts of the shared memory that a step can name, so that short inputs reach all of them.
struct Part {
  std::byte* memory;
  std::size_t size;
};

template <typename Of>
Part part(Of& of) {
  return {reinterpret_cast<std::byte*>(&of), sizeof(of)};
}

struct SharedMemory {
  std::unique_ptr<WorkerStats> stats = std::make_unique<WorkerStats>();
  std::unique_ptr<AccessRing> ring = std::make_unique<AccessRing>();
  AccessRingUse use{};

  Part part_of(unsigned which) {
    switch (which % 10) {
      case 0:
        return part(stats->modules);
      case 1:
        return part(stats->module_counters);
      case 2:
        return part(stats->sites);
      case 3:
        return part(stats->tls_failures);
      case 4:
        return part(stats->notes);
      case 5:
        return part(stats->fault);
      case 6:
        return part(stats->held);
      case 7:
        return part(use);
      case 8:
        return part(*ring);
      default:
        return part(*stats);
    }
  }
};

// One of JSON's values, from the front of the text (RFC 8259). Aborts if there is none.
class Json {
 public:
  explicit Json(std::string_view text) : left_(text) {}
  void whole() {
    value(0);
    blanks();
    expect(left_.empty(), "nothing follows the JSON");
  }

 private:
  void blanks() { left_.remove_prefix(std::min(left_.find_first_not_of(" \n\t\r"), left_.size())); }
  bool take(char what) {
    blanks();
    const bool is_there = !left_.empty() && left_.front() == what;
    if (is_there) left_.remove_prefix(1);
    return is_there;
  }
  void text() {
    expect(take('"'), "a text begins with a quote");
    for (;;) {
      expect(!left_.empty(), "a text of JSON has an end");
      const std::size_t size = kit::detail::utf8_size(left_);
      const char first = left_.front();
      expect(size > 0, "a text of JSON is UTF-8");
      expect(static_cast<unsigned char>(first) >= 0x20, "a text of JSON has no control characters");
      left_.remove_prefix(first == '\\' ? std::min<std::size_t>(2, left_.size()) : size);
      if (first == '"') return;
    }
  }
  void value(int depth) {
    expect(depth < 32, "JSON is not deep");
    blanks();
    expect(!left_.empty(), "there is a value");
    if (left_.front() == '"') return text();
    if (take('[')) {
      if (take(']')) return;
      do value(depth + 1);
      while (take(','));
      return expect(take(']'), "an array has an end");
    }
    if (take('{')) {
      if (take('}')) return;
      do {
        blanks();
        text();
        expect(take(':'), "a name has a value");
        value(depth + 1);
      } while (take(','));
      return expect(take('}'), "an object has an end");
    }
    const std::size_t size = std::min(left_.find_first_of(",]} \n"), left_.size());
    expect(size > 0 && left_.substr(0, size).find_first_not_of("0123456789.eE+-truefalsn") == std::string::npos,
           "a value is a number or a word");
    left_.remove_prefix(size);
  }

  std::string_view left_;
};

// The rules of Prometheus' text format that refuse all of it when they are broken.
void check_metrics(std::string_view text) {
  std::set<std::string_view> series;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    expect(end != std::string_view::npos, "each line of the metrics has an end");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    for (std::string_view left = line; !left.empty();) {
      const std::size_t size = kit::detail::utf8_size(left);
      expect(size > 0, "metrics are UTF-8");
      left.remove_prefix(size);
    }
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    const bool has_name =
        line.starts_with("sluice_") || line.starts_with("http_server_request_duration_seconds_");
    expect(has_name && space != std::string_view::npos, "a sample has a name and a value");
    expect(series.insert(line.substr(0, space)).second, "each series has one sample");
  }
}

void check_culprit(const Culprit& culprit) {
  expect(culprit.module.size() <= Label::kSizeMax, "a module's name is bounded");
  expect(culprit.request.size() <= sizeof(Snapshot::request), "a request's line is bounded");
  expect(culprit.frames.size() <= Snapshot::kFramesMax, "frames are bounded");
  expect(culprit.sent_by >= 0, "a process has a number");
  for (const Snapshot::Frame& frame : culprit.frames)
    expect(::strnlen(frame.object, sizeof(frame.object)) < sizeof(frame.object), "a path has an end");
  expect(culprit.text().size() < 1024, "a sentence is bounded");
}

void check_culprits(const WorkerStats& stats) {
  const ModuleSet modules{{"hello.so", "/copies/hello.1.so", 1, "hello", "/hello/", false, false}};
  for (const Snapshot* snapshot : {&stats.fault, &stats.held}) {
    Culprit culprit = read_snapshot(stats, *snapshot);
    check_culprit(culprit);
    name_by_frames(culprit, modules);
    check_culprit(culprit);
    ModuleCatalog catalog;
    catalog.fault(culprit.module, culprit.generation, 1'000, {});
  }
  for (const CallNote& note : stats.notes) check_culprit(read_note(stats, note));
  check_culprit(read_notes(stats));
}

void check_texts(const WorkerStats& stats) {
  ServerView view;
  view.pid = 1;
  view.modules = {{"hello.so", "/copies/hello.1.so", 1, "hello", "/hello/", false, false}};
  view.workers = {{0, 2, 1'000, "serving", &stats}, {1, 3, 1'000, "serving", &stats}};
  PastCounts past;
  past.add(0, stats);
  past.add(0, stats);
  check_metrics(metrics_text(view, past));
  Json(status_json(view, past, 1'700'000'000)).whole();
  expect(status_text(view).size() < 4096, "the status is bounded");
  expect(health_text(view).size() < 1024, "health is bounded");
}

void check_ring(AccessRing& ring, const AccessRingUse& use) {
  std::string lines;
  bool broken = false;
  // A ring cannot hold more lines than bytes.
  std::size_t taken = 0;
  const auto place = [&](std::uint16_t) { return &lines; };
  for (; ring.take(place, broken); ++taken) {
    expect(taken <= AccessRing::kSize, "a ring is empty in the end");
    expect(!lines.empty() && lines.size() <= AccessRing::kLineMax, "a line is bounded");
    lines.clear();
  }
  expect(!ring.take(place, broken), "a ring that was emptied is empty");
  ring.take_dropped();
  expect(ring.take_dropped() == 0, "dropped lines are told once");
  static_cast<void>(use.is_free() || use.is_left() || use.has_worker() || use.plan() == 0);
}

void check_questions(std::string_view bytes) {
  WorkerQuestions questions;
  questions.add("health", [] { return std::string("ready\n"); });
  QuestionPace pace;
  std::uint64_t answers = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string question = i % 2 == 0 ? "health" : std::string(bytes);
    questions.asked({ControlMessage::ask, static_cast<std::uint64_t>(i), question}, pace, 1'000,
                    [&](const WorkerMessage&, int fd) { answers += fd >= 0 ? 1U : 0U; });
  }
  expect(answers <= QuestionPace::kAtOnce, "few questions are answered at once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SharedMemory shared;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  std::string_view left = all;
  while (left.size() > 4) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(left[at]); };
    const Part place = shared.part_of(byte(0));
    // Ends of arrays are reached from behind.
    const std::size_t from = (std::size_t{byte(1)} | std::size_t{byte(2)} << 8) *
                             ((byte(0) & 0x80) != 0 ? std::size_t{64} : std::size_t{1});
    const std::size_t at = (byte(0) & 0x40) != 0 ? place.size - 1 - from % place.size : from % place.size;
    const std::string_view bytes = left.substr(4, byte(3));
    std::memcpy(place.memory + at, bytes.data(), std::min(bytes.size(), place.size - at));
    left.remove_prefix(std::min<std::size_t>(left.size(), 4 + byte(3)));
  }
  check_culprits(*shared.stats);
  if (size % 4 == 0) check_texts(*shared.stats);  // takes long
  check_ring(*shared.ring, shared.use);
  if (size % 16 == 0) check_questions(all);
  return 0;
}
