// A stream without a socket: a fake session carries it. However it ends, the objects of its handler are
// destroyed once.
#include "exchange/stream.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "support/connection_fixture.h"
#include "support/ledger.h"

using namespace sluice;
using sluice::test::ConnectionFixture;
using sluice::test::Ledger;

namespace {

// Takes `room` bytes, and reports the client as lost after `lost_after` bytes of all sinks.
class FakeSink final : public AnswerSink {
 public:
  FakeSink(BodyFraming& framing, std::uint64_t room, std::uint64_t& lost_after)
      : framing_(framing), room_(room), lost_after_(lost_after) {}
  std::uint64_t room() const override { return std::min(room_, framing_.remaining); }
  Moved write(const Bytes* pieces, std::uint32_t count) override {
    std::uint64_t size = 0;
    for (std::uint32_t i = 0; i < count; ++i) size += pieces[i].size;
    if (size > framing_.remaining) framing_.overrun = true;
    size = std::min({size, room_, framing_.remaining});
    lost_ = size > lost_after_;
    if (lost_) return {0, Io::lost};
    lost_after_ -= size;
    room_ -= size;
    moved_ += size;
    full_ = room_ == 0;
    if (framing_.remaining != kUnknownSize) framing_.remaining -= size;
    return {size, full_ ? Io::full : Io::ok};
  }
  Moved send_file(int, std::uint64_t, std::uint64_t) override { return {0, Io::unsupported}; }
  Io finish() override { return Io::ok; }

 private:
  BodyFraming& framing_;
  std::uint64_t room_;
  std::uint64_t& lost_after_;
};

// A session whose results a test sets.
struct FakeSession final : StreamCarrier {
  std::vector<std::string> body;  // the pieces in which the request's body comes
  bool framed = true;             // the body ends after its pieces
  std::string left;               // the rest of the current piece
  bool client_lost = false;       // fetch_body fails
  Io begins = Io::ok;
  std::uint64_t room = 1 << 20;  // in each sink
  std::uint64_t lost_after = ~std::uint64_t{0};
  bool ended = false;  // the client has sent its end
  bool keeps = true;
  std::set<std::uint32_t> statuses;
  std::uint64_t begun_size = 0;  // how much was sent when the answer began
  std::uint64_t sent = 0;
  std::optional<FakeSink> sink;
  bool full = false;

  Ticket exchange_ticket() override { return Ticket{1}; }
  std::string client_name() override { return "nobody"; }
  bool fetch_body(RequestBody& to) override {
    while (to.wants_bytes()) {
      if (client_lost) return false;
      if (left.empty() && !body.empty()) {
        left = body.front();
        body.erase(body.begin());
      }
      if (!left.empty()) {
        left.erase(0, to.offer(left));
      } else if (framed) {
        to.finish();
      } else {
        break;
      }
    }
    return true;
  }
  bool send_continue() override { return true; }
  Io begin_answer(ResponseHead& head, bool, BodyFraming& framing) override {
    if (begins != Io::ok) return begins;
    statuses.insert(head.status);
    framing = {framing_of(head), head.size, false};
    begun_size = sent;
    return Io::ok;
  }
  AnswerSink& open_sink(BodyFraming& framing) override { return sink.emplace(framing, room, lost_after); }
  void close_sink() override {
    full = sink->is_full();
    sent += sink->moved();
    sink.reset();
  }
  bool can_take_back_answer() const override { return sent + (sink ? sink->moved() : 0) == begun_size; }
  void take_back_answer() override {}
  bool end_answer(bool request_taken) override { return keeps && request_taken; }
  bool client_has_ended() const override { return ended; }
  bool output_is_full() const override { return full; }
  bool share_is_used_up() const override { return false; }
  void stream_is_late(DeadlineKind) override {}
};

struct Fixture : ConnectionFixture {
  FakeSession session;
  Ledger ledger;
  RequestHead head;
  std::string target;

  Fixture() {
    mount("ledger");
    set_log(LogLevel::error, "test");
  }
  ~Fixture() { set_log(LogLevel::info, "test"); }
  const RequestHead& ask(const std::string& path, std::uint64_t body_size = 0) {
    char address[32];
    std::snprintf(address, sizeof(address), "%p", static_cast<void*>(&ledger));
    target = "/ledger/" + path + "?" + address;
    head.method = Method::get;
    head.method_name = "GET";
    head.target = target;
    head.body_size = body_size;
    return head;
  }
  // Advances in further turns while the stream waits only for the next turn.
  Stream::Outcome advance(Stream& stream) const {
    for (int turns = 0; turns < 10'000; ++turns) {
      loop->turn(0);
      const Stream::Outcome outcome = stream.advance();
      if (outcome != Stream::Outcome::waits || stream.waiting_for() != WaitingFor::turn) return outcome;
    }
    return Stream::Outcome::waits;
  }
  ModuleInstance& module() { return *router.find("/ledger/").instance; }
};

const char* const kWays[] = {
    "streams",     "endless",     "parks",        "overruns",          "underruns", "fails",
    "fails_late",  "twice",       "defers",       "defers_shortly",    "throws",    "reads",
    "reads_first", "reads_badly", "reads_slowly", "reads_and_streams", "nothing"};

using Outcome = Stream::Outcome;

}  // namespace

TEST_CASE_METHOD(Fixture, "however a stream ends, the objects of its handler are destroyed once", "[stream]") {
  const std::string way = GENERATE(from_range(std::begin(kWays), std::end(kWays)));
  const std::string ending = GENERATE("by itself", "cut", "late", "late body", "no client", "no head",
                                      "lost sink", "half sent", "destroyed");
  CAPTURE(way, ending);
  session.body = {"some", "of the body"};
  session.framed = ending != "late body";
  session.client_lost = ending == "no client";
  if (ending == "no head") session.begins = Io::lost;
  if (ending == "lost sink") session.lost_after = 0;
  if (ending == "half sent") session.room = 1, session.lost_after = 5;
  {
    Stream stream(context, session);
    stream.take_head(ask(way, 15), 0);
    for (int i = 0; i < 5 && stream.is_at_work() && stream.advance() == Outcome::waits; ++i) {
      if (ending == "by itself") stream.wake(module());
    }
    if (ending == "cut" && stream.is_at_work()) stream.cut();
    const DeadlineKind late = ending == "late body" ? DeadlineKind::body : DeadlineKind::handler;
    if (ending.starts_with("late") && stream.is_at_work() && stream.be_late(late) == Outcome::waits)
      while (stream.is_at_work() && advance(stream) != Outcome::waits) continue;
    if (ending != "destroyed" && stream.is_at_work()) stream.cut();
    if (ending != "destroyed") CHECK(ledger.destroyed == ledger.made);
    CHECK(ledger.destroyed <= ledger.made);
  }
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "an answer is sent, and the stream parses again or has ended", "[stream]") {
  session.keeps = GENERATE(true, false);
  Stream stream(context, session);
  stream.take_head(ask("streams"), 0);
  CHECK(stream.is_at_work());
  CHECK(advance(stream) == Outcome::sent);
  CHECK(stream.state() == (session.keeps ? StreamState::parsing : StreamState::ended));
  CHECK(session.statuses == std::set<std::uint32_t>{200});
  stream.reuse();
  CHECK(stream.state() == StreamState::parsing);
}

TEST_CASE_METHOD(Fixture, "a stream waits for what it needs, and goes on when that comes", "[stream]") {
  Stream stream(context, session);
  SECTION("its handler") {
    stream.take_head(ask("defers_shortly"), 0);
    CHECK(advance(stream) == Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::handler);
    CHECK(advance(stream) == Outcome::waits);  // nobody has resumed it
    REQUIRE(stream.wake(module()));
  }
  SECTION("the request's body") {
    session.framed = false;
    stream.take_head(ask("reads", 10), 0);
    CHECK(advance(stream) == Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::client_bytes);
    session.body = {"0123456789"};
    session.framed = true;
  }
  SECTION("room for the head") {
    session.begins = Io::full;
    stream.take_head(ask("streams"), 0);
    CHECK(advance(stream) == Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::socket_room);
    session.begins = Io::ok;
  }
  SECTION("room for the content") {
    session.room = 1000;
    stream.take_head(ask("streams"), 0);
    CHECK(advance(stream) == Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::socket_room);
    CHECK(advance(stream) == Outcome::waits);
  }
  CHECK(advance(stream) == Outcome::sent);
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "an answer that fails before anything was sent is replaced", "[stream]") {
  const std::string way = GENERATE("fails", "throws");
  CAPTURE(way);
  Stream stream(context, session);
  stream.take_head(ask(way), 0);
  CHECK(advance(stream) == Outcome::sent);
  CHECK(session.statuses.contains(way == "fails" ? 502 : 500));
  CHECK(stream.state() == StreamState::parsing);
}

TEST_CASE_METHOD(Fixture, "a reader that fails after its answer was sent ends the connection", "[stream]") {
  session.body = {"a body"};
  Stream stream(context, session);
  stream.take_head(ask("reads_badly", 6), 0);
  CHECK(advance(stream) == Outcome::sent);
  CHECK(session.statuses == std::set<std::uint32_t>{200});
  CHECK(stream.state() == StreamState::ended);
}

TEST_CASE_METHOD(Fixture, "an answer that must not be completed is cut", "[stream]") {
  const std::string way = GENERATE("overruns", "underruns", "fails_late");
  CAPTURE(way);
  Stream stream(context, session);
  stream.take_head(ask(way), 0);
  CHECK(advance(stream) == Outcome::cut);
  CHECK(stream.state() == StreamState::ended);
}

TEST_CASE_METHOD(Fixture, "an endless answer is closed in order", "[stream]") {
  Stream stream(context, session);
  stream.take_head(ask("endless"), 0);
  CHECK(advance(stream) == Outcome::waits);
  REQUIRE(stream.waits_endlessly());
  SECTION("with its last chunk missing") {
    CHECK(stream.close_endless() == Outcome::closed);
  }
  SECTION("because its client has left and nothing came") {
    session.ended = true;
    CHECK(stream.be_late(DeadlineKind::linger) == Outcome::client_left);
  }
  CHECK_FALSE(stream.is_at_work());
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "a head that was refused is answered without a handler", "[stream]") {
  Stream stream(context, session);
  session.keeps = false;
  stream.refuse_head(RequestHead{}, 0, {400});
  CHECK(advance(stream) == Outcome::sent);
  CHECK(session.statuses == std::set<std::uint32_t>{400});
  CHECK(ledger.made == 0);
}
