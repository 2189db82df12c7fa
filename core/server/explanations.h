// Passes the requests of `sluice explain` to a worker, and its answers back.
//
// A worker may be out of control, so nothing that it writes is trusted: the length of its text is bounded, and
// one that does not answer is not waited for. Supervisor's thread; never blocks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "control/control_server.h"
#include "loop/alarm.h"
#include "process/worker_group.h"

namespace sluice {

class Explanations {
 public:
  // Longer than a worker takes (ExplainedRequests::kLimitMs).
  static constexpr std::uint64_t kLateMs = 15'000;
  // A longer text is not read.
  static constexpr std::size_t kTextMax = 1024 * 1024;

  // `loop` lives longer.
  explicit Explanations(EventLoop& loop);

  // `query`: an encoded ExplainQuery. `answer` is called once; nobody is asked if none of the workers that
  // would get the request serves.
  using Answer = std::function<void(const ControlAnswer&)>;
  void ask(const std::string& query, const WorkerGroup& group, Answer answer);
  void explained(pid_t worker, const WorkerMessage& message);
  void worker_ended(pid_t worker);

 private:
  struct Question {
    pid_t worker = -1;
    std::uint64_t number = 0;
    std::uint64_t late_ms = 0;
    Answer answer;
    UniqueFd text;  // memory for the worker's answer: workers cannot send descriptors
  };
  void answer(std::size_t index, const ControlAnswer& answer);
  void give_late_up();

  std::vector<Question> questions_;  // in the order in which they were asked
  std::uint64_t last_number_ = 0;
  Alarm late_;
};

}  // namespace sluice
