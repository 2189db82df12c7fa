// A supervisor that is asked over a real socket, also by a worker that is out of control.
#include "server/worker_questions.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/mapped_file.h"

using namespace sluice;

namespace {

long descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

struct Fixture {
  UniqueFd worker;
  UniqueFd supervisor;
  WorkerQuestions questions;
  QuestionPace pace;
  std::uint64_t now_ms = 1'000'000;
  int made = 0;
  std::string long_text;

  Fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    worker.reset(ends[0]);
    supervisor.reset(ends[1]);
    questions.add("metrics", [this] { return "made " + std::to_string(++made); });
    questions.add("long", [this] { return long_text; });
  }
  void ask(const std::string& question, std::uint64_t number) const {
    REQUIRE(send_message(worker.get(), {ControlMessage::ask, number, question}));
  }
  // The supervisor's turn. Gives how many answers could not be sent.
  int answer_all() {
    int unsent = 0;
    WorkerMessage message;
    while (receive_message(supervisor.get(), message) == Heard::message) {
      questions.asked(message, pace, now_ms, [&](const WorkerMessage& answer, int fd) {
        if (!send_message(supervisor.get(), answer, fd)) ++unsent;
      });
    }
    return unsent;
  }
  // "7: made 1", or "7" if there is no text.
  std::string hear() const {
    WorkerMessage message;
    if (receive_message(worker.get(), message) != Heard::message) return "nothing";
    CHECK(message.kind == ControlMessage::told);
    CHECK(message.text.empty());
    std::string text = std::to_string(message.number);
    if (message.fd) text.append(": ").append(MappedFile(message.fd.get()).bytes());
    return text;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a question is answered with a text that nobody can change", "[worker_questions]") {
  ask("metrics", 7);
  CHECK(answer_all() == 0);
  WorkerMessage message;
  REQUIRE(receive_message(worker.get(), message) == Heard::message);
  CHECK(message.number == 7);
  const int fd = message.fd.get();
  CHECK(MappedFile(fd).bytes() == "made 1");
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  CHECK((::fcntl(fd, F_GET_SEALS) & kSeals) == kSeals);
  CHECK(::pwrite(fd, "x", 1, 0) < 0);
  CHECK(::ftruncate(fd, 0) < 0);
}

TEST_CASE_METHOD(Fixture, "a text serves all who ask within a moment, and is made anew then",
                 "[worker_questions]") {
  for (std::uint64_t number = 1; number <= 3; ++number) ask("metrics", number);
  answer_all();
  CHECK(hear() == "1: made 1");
  CHECK(hear() == "2: made 1");
  CHECK(hear() == "3: made 1");
  now_ms += WorkerQuestions::kFreshMs;
  ask("metrics", 4);
  answer_all();
  CHECK(hear() == "4: made 2");
  questions.forget_texts();
  ask("metrics", 5);
  answer_all();
  CHECK(hear() == "5: made 3");
}

TEST_CASE_METHOD(Fixture, "what is no question is answered with nothing", "[worker_questions]") {
  for (const std::string& text : {std::string(), std::string("metric"), std::string("metrics\0", 8),
                                  std::string(100'000, 'x'), std::string("../metrics")}) {
    ask(text, 3);
    answer_all();
    CHECK(hear() == "3");
  }
  long_text.assign(WorkerQuestions::kTextMax + 1, 'x');
  ask("long", 4);
  answer_all();
  CHECK(hear() == "4");
  CHECK(made == 0);
}

TEST_CASE_METHOD(Fixture, "a worker that asks without an end gets no text, and keeps nobody busy",
                 "[worker_questions]") {
  std::string answer;
  for (std::uint64_t number = 1; number <= 10 * QuestionPace::kAtOnce; ++number) {
    now_ms += number % 2;
    ask("metrics", number);
    answer_all();
    answer = hear();
    if (number <= QuestionPace::kAtOnce) CHECK_THAT(answer, Catch::Matchers::Contains(": made "));
  }
  CHECK(answer == std::to_string(10 * QuestionPace::kAtOnce));  // without a text
  CHECK(made <= 5);
}

TEST_CASE_METHOD(Fixture, "a worker that hears no answer, or dies, leaves nothing behind",
                 "[worker_questions]") {
  const long before = descriptors();
  int unsent = 0;
  for (std::uint64_t number = 1; unsent == 0; ++number) {
    REQUIRE(number < 100'000);
    now_ms += QuestionPace::kMsEach;
    ask("metrics", number);
    unsent = answer_all();
  }
  worker.reset();
  now_ms += QuestionPace::kMsEach;
  const WorkerMessage last{ControlMessage::ask, 1, "metrics"};
  questions.asked(last, pace, now_ms, [&](const WorkerMessage& answer, int fd) {
    CHECK(fd >= 0);
    CHECK_FALSE(send_message(supervisor.get(), answer, fd));
  });
  questions.forget_texts();
  CHECK(descriptors() == before - 1);  // the worker's end
}
