// A worker's questions about the whole server, for its modules, on their way to the supervisor and back.
//
// All who ask the same share one message to the supervisor, which is sent at most every kPaceMs: the supervisor
// is asked little, whatever the modules do. A supervisor that does not answer within kLateMs leaves the askers
// without an answer. Loop thread.
//
// INVARIANT: of each question at most one message is unanswered, and at most kAskersMax askers wait.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "loop/event_loop.h"
#include "module/questions.h"
#include "worker/worker_message.h"

namespace sluice {

class ServerQuestions final : public Questions, private Timer {
 public:
  static constexpr std::size_t kAskersMax = 256;
  static constexpr std::uint64_t kPaceMs = 100;
  static constexpr std::uint64_t kLateMs = 5'000;

  // `loop` lives longer.
  explicit ServerQuestions(EventLoop& loop) : loop_(loop) {}
  ~ServerQuestions();
  ServerQuestions(const ServerQuestions&) = delete;
  ServerQuestions& operator=(const ServerQuestions&) = delete;

  // The socket to the supervisor, which stays the caller's; -1 without one: then nothing can be asked.
  void use(int control) { control_ = control; }
  // The supervisor has answered: ControlMessage::told.
  void told(const WorkerMessage& answer);

  // Questions
  bool ask(std::string_view question, Asker& asker) override;
  void forget(const Asker& asker) override;

 private:
  struct Question {
    std::string_view text;
    std::uint64_t number = 0;         // of the unanswered message; 0 for none
    std::uint64_t not_before_ms = 0;  // when the next message may be sent
    std::uint64_t late_ms = 0;        // when the unanswered message counts as lost
    std::vector<Asker*> asked = {};   // get the answer to that message
    std::vector<Asker*> waiting = {};
  };

  void fired() override;
  void send(Question& question);
  static void answer(Question& question, bool known, std::string_view text);
  void start_timer();

  EventLoop& loop_;
  int control_ = -1;
  std::uint64_t last_number_ = 0;
  TimerId timer_{};
  std::array<Question, 4> questions_{{{"metrics"}, {"status"}, {"health"}, {"workers"}}};
};

}  // namespace sluice
