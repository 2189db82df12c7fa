#include "worker/server_questions.h"

#include <algorithm>
#include <utility>

#include "base/mapped_file.h"

namespace sluice {

ServerQuestions::~ServerQuestions() {
  loop_.timers().cancel(timer_);
}

bool ServerQuestions::ask(std::string_view question, Asker& asker) {
  const auto found = std::find_if(questions_.begin(), questions_.end(),
                                  [question](const Question& known) { return known.text == question; });
  std::size_t askers = 0;
  for (const Question& known : questions_) askers += known.asked.size() + known.waiting.size();
  if (control_ < 0 || found == questions_.end() || askers >= kAskersMax) return false;
  found->waiting.push_back(&asker);
  send(*found);
  start_timer();
  return true;
}

void ServerQuestions::forget(const Asker& asker) {
  for (Question& question : questions_) {
    std::erase(question.asked, &asker);
    std::erase(question.waiting, &asker);
  }
}

// A message that cannot be sent now is as good as lost: its askers get no answer when it is late.
void ServerQuestions::send(Question& question) {
  const std::uint64_t now_ms = loop_.now_ms();
  if (question.number != 0 || question.waiting.empty() || now_ms < question.not_before_ms) return;
  question.asked = std::exchange(question.waiting, {});
  question.number = ++last_number_;
  question.not_before_ms = now_ms + kPaceMs;
  question.late_ms = now_ms + kLateMs;
  send_message(control_, {ControlMessage::ask, question.number, std::string(question.text)});
}

void ServerQuestions::told(const WorkerMessage& answered) {
  const auto found = std::find_if(questions_.begin(), questions_.end(), [&](const Question& known) {
    return known.number != 0 && known.number == answered.number;
  });
  if (found == questions_.end()) return;  // it came too late
  const MappedFile text(answered.fd.get());
  answer(*found, !text.bytes().empty(), text.bytes());
  send(*found);
  start_timer();
}

// Askers may ask again meanwhile, and be forgotten. The question keeps its number until all have been answered,
// so that no message is sent for those who ask again before.
void ServerQuestions::answer(Question& question, bool known, std::string_view text) {
  while (!question.asked.empty()) {
    Asker& asker = *question.asked.back();
    question.asked.pop_back();
    asker.answered(known, text);
  }
  question.number = 0;
}

void ServerQuestions::fired() {
  timer_ = {};
  for (Question& question : questions_) {
    if (question.number != 0 && loop_.now_ms() >= question.late_ms) answer(question, false, {});
    send(question);
  }
  start_timer();
}

void ServerQuestions::start_timer() {
  std::uint64_t due_ms = Timers::kNone;
  for (const Question& question : questions_) {
    if (question.number != 0) due_ms = std::min(due_ms, question.late_ms);
    if (question.number == 0 && !question.waiting.empty()) due_ms = std::min(due_ms, question.not_before_ms);
  }
  // The timer before ends last, because there may be no memory for another.
  const TimerId before = timer_;
  timer_ = due_ms != Timers::kNone ? loop_.timers().start(due_ms, *this) : TimerId{};
  loop_.timers().cancel(before);
}

}  // namespace sluice
