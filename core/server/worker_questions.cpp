#include "server/worker_questions.h"

#include <algorithm>

#include "base/sealed_text.h"

namespace sluice {

void WorkerQuestions::asked(const WorkerMessage& question, QuestionPace& pace, std::uint64_t now_ms,
                            const Tell& tell) {
  const int fd = pace.admits(now_ms) ? find(question.text, now_ms) : -1;
  tell({ControlMessage::told, question.number}, fd);
}

// The descriptor of the text; -1 if there is none.
int WorkerQuestions::find(std::string_view question, std::uint64_t now_ms) {
  const auto source = std::find_if(sources_.begin(), sources_.end(),
                                   [question](const Source& known) { return known.question == question; });
  if (source == sources_.end()) return -1;
  if (now_ms >= source->made_ms + kFreshMs) {
    const std::string text = source->text();
    source->sealed = text.size() <= kTextMax ? sealed_text(text) : UniqueFd();
    source->made_ms = now_ms;
  }
  return source->sealed.get();
}

void WorkerQuestions::forget_texts() {
  for (Source& source : sources_) {
    source.sealed.reset();
    source.made_ms = 0;
  }
}

}  // namespace sluice
