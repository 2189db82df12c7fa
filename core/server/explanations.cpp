#include "server/explanations.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/monotonic_clock.h"
#include "server/explained_workers.h"

namespace sluice {
namespace {

// What the worker has written, which it may still change. Nothing if that is nothing, or too much.
std::optional<std::string> read_written(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0 || about.st_size <= 0 ||
      static_cast<std::size_t>(about.st_size) > Explanations::kTextMax)
    return std::nullopt;
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  if (got != static_cast<ssize_t>(text.size())) return std::nullopt;
  return text;
}

}  // namespace

Explanations::Explanations(EventLoop& loop) : late_(loop, [this] { give_late_up(); }) {}

void Explanations::ask(const std::string& query, const WorkerGroup& group, Answer answer) {
  const auto decoded = ExplainQuery::decode(query);
  if (!decoded) return answer(Unexpected(decoded.error()));
  const std::vector<WorkerProcess*> workers = workers_for(*decoded, group);
  const auto serves = [](const WorkerProcess* worker) {
    return worker->ready() && !worker->dying() && !worker->stopped();
  };
  const auto found = std::find_if(workers.begin(), workers.end(), serves);
  if (found == workers.end()) return answer(fail("no worker serves at this moment: try again"));
  UniqueFd text(::memfd_create("explanation", MFD_CLOEXEC));
  if (!text) return answer(fail_errno("there is no memory for the worker's answer", errno));
  const std::uint64_t late_ms = monotonic_ms() + kLateMs;
  questions_.push_back({(*found)->pid(), ++last_number_, late_ms, std::move(answer), std::move(text)});
  if (!(*found)->tell({ControlMessage::explain, last_number_, query}, questions_.back().text.get()))
    return this->answer(questions_.size() - 1, fail("the worker takes no question now: try again"));
  if (questions_.size() == 1) late_.at(late_ms);
}

void Explanations::explained(pid_t worker, const WorkerMessage& message) {
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    if (questions_[i].worker != worker || questions_[i].number != message.number) continue;
    constexpr std::string_view kError = "error ";
    const auto text = read_written(questions_[i].text.get());
    if (!text) return answer(i, fail("the worker's answer cannot be read: try again"));
    if (text->starts_with(kError)) return answer(i, fail(text->substr(kError.size())));
    return answer(i, *text);
  }
}

void Explanations::worker_ended(pid_t worker) {
  for (std::size_t i = questions_.size(); i-- > 0;) {
    if (questions_[i].worker == worker)
      answer(i, fail("the worker ended while it answered this request: the log says why"));
  }
}

void Explanations::give_late_up() {
  while (!questions_.empty() && questions_.front().late_ms <= monotonic_ms()) {
    answer(0, fail(fmt::format("the worker does not answer within {} s: something holds its loop up, which the "
                               "log names",
                               kLateMs / 1000)));
  }
  if (!questions_.empty()) late_.at(questions_.front().late_ms);
}

void Explanations::answer(std::size_t index, const ControlAnswer& answer) {
  const Answer to = std::move(questions_[index].answer);
  questions_.erase(questions_.begin() + static_cast<std::ptrdiff_t>(index));
  if (questions_.empty()) late_.off();
  to(answer);
}

}  // namespace sluice
