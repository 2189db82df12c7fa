// A worker's questions, and a test that acts as its supervisor.
#include "worker/server_questions.h"

#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sealed_text.h"

using namespace sluice;

namespace {

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  UniqueFd supervisor;
  UniqueFd worker;
  ServerQuestions questions{*loop};

  struct Asker final : Questions::Asker {
    void answered(bool known, std::string_view text) override {
      heard.emplace_back(known ? text : "unknown");
      if (then) then();
    }
    std::vector<std::string> heard;
    std::function<void()> then;
  };

  Fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    supervisor.reset(ends[0]);
    worker.reset(ends[1]);
    questions.use(worker.get());
  }
  // The next question, once it was sent; empty if there is none within some turns.
  WorkerMessage asked(int turns = 3) const {
    WorkerMessage message;
    message.kind = ControlMessage::ready;
    for (int i = 0; i < turns; ++i) {
      if (receive_message(supervisor.get(), message) == Heard::message) break;
      loop->turn(10);
    }
    return message;
  }
  void tell(std::uint64_t number, std::string_view text, bool known = true) {
    WorkerMessage answer{ControlMessage::told, number};
    if (known) answer.fd = sealed_text(text);
    questions.told(answer);
  }
};

constexpr int kManyTurns = 2'000;

}  // namespace

TEST_CASE_METHOD(Fixture, "all who ask the same share one message and its answer", "[server_questions]") {
  Asker one, two, other;
  REQUIRE(questions.ask("metrics", one));
  const WorkerMessage message = asked();
  CHECK(message.kind == ControlMessage::ask);
  CHECK(message.text == "metrics");
  REQUIRE(questions.ask("health", other));
  const WorkerMessage health = asked();
  CHECK(health.text == "health");
  CHECK(health.number != message.number);
  tell(message.number, "the counters");
  CHECK(one.heard == std::vector<std::string>{"the counters"});
  CHECK(other.heard.empty());
  // A message that is on its way does not answer those who come later, and the next one waits for its time.
  REQUIRE(questions.ask("metrics", one));
  REQUIRE(questions.ask("metrics", two));
  const WorkerMessage again = asked(kManyTurns);
  CHECK(again.text == "metrics");
  tell(again.number, "newer");
  CHECK(one.heard.size() == 2);
  CHECK(two.heard == std::vector<std::string>{"newer"});
  tell(again.number, "twice");
  tell(12'345, "of no question");
  tell(0, "of none");
  CHECK(two.heard.size() == 1);
  tell(health.number, "", false);
  CHECK(other.heard == std::vector<std::string>{"unknown"});
}

TEST_CASE_METHOD(Fixture, "what cannot be asked is refused", "[server_questions]") {
  Asker asker;
  CHECK_FALSE(questions.ask("", asker));
  CHECK_FALSE(questions.ask("passwords", asker));
  std::size_t askers = 0;
  while (questions.ask("status", asker)) REQUIRE(++askers <= ServerQuestions::kAskersMax);
  CHECK(askers == ServerQuestions::kAskersMax);
  CHECK_FALSE(questions.ask("metrics", asker));
  questions.forget(asker);
  questions.use(-1);
  CHECK_FALSE(questions.ask("metrics", asker));
}

TEST_CASE_METHOD(Fixture, "an asker that is forgotten is not called, also by one that is answered",
                 "[server_questions]") {
  auto gone = std::make_unique<Asker>();
  Asker asker;
  REQUIRE(questions.ask("metrics", *gone));
  const WorkerMessage message = asked();
  questions.forget(*gone);
  gone.reset();  // AddressSanitizer reports a call
  tell(message.number, "text");

  // Both wait for the next message, and the one that is answered first forgets the other.
  auto other = std::make_unique<Asker>();
  REQUIRE(questions.ask("metrics", *other));
  REQUIRE(questions.ask("metrics", asker));
  asker.then = [&] {
    if (other == nullptr) return;
    CHECK(other->heard.empty());
    questions.forget(*other);
    other.reset();
    CHECK(questions.ask("metrics", asker));  // this waits for the message behind that
  };
  tell(asked(kManyTurns).number, "text");
  CHECK(other == nullptr);
  CHECK(asker.heard == std::vector<std::string>{"text"});
  tell(asked(kManyTurns).number, "more");
  CHECK(asker.heard == std::vector<std::string>{"text", "more"});
}

TEST_CASE_METHOD(Fixture, "a supervisor that does not answer leaves nobody waiting", "[server_questions]") {
  Asker asker;
  SECTION("it does not read") {
    while (send_message(worker.get(), {ControlMessage::ask, 1, "metrics"})) continue;
  }
  SECTION("it does not answer") {}
  REQUIRE(questions.ask("metrics", asker));
  for (int i = 0; i < kManyTurns && asker.heard.empty(); ++i) loop->turn(10);
  CHECK(asker.heard == std::vector<std::string>{"unknown"});
}
