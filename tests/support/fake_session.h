// A session without a socket: it carries a stream as a test says. And a worker's parts without a worker, for
// streams whose requests the test module "ledger" answers.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "exchange/stream.h"
#include "support/connection_fixture.h"
#include "support/ledger.h"

namespace sluice::test {

// Takes `room` bytes, and reports the client as lost after `lost_after` bytes of all sinks.
class FakeSink final : public AnswerSink {
 public:
  FakeSink(BodyFraming& framing, std::uint64_t room, std::uint64_t& lost_after, std::string& content)
      : AnswerSink(framing), room_(room), lost_after_(lost_after), content_(content) {}
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
    const std::size_t end = content_.size() + size;
    for (std::uint32_t i = 0; i < count && content_.size() < end; ++i)
      content_ += std::string_view(pieces[i]).substr(0, end - content_.size());
    moved_ += size;
    full_ = room_ == 0;
    if (framing_.remaining != kUnknownSize) framing_.remaining -= size;
    return {size, full_ ? Io::full : Io::ok};
  }
  Moved send_file(int, std::uint64_t, std::uint64_t) override { return {0, Io::unsupported}; }
  Io finish() override { return Io::ok; }

 private:
  std::uint64_t room_;
  std::uint64_t& lost_after_;
  std::string& content_;
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
  bool secure = false;
  bool request_taken = false;  // as the last answer's end has told
  std::set<std::uint32_t> statuses;
  std::uint64_t begun_size = 0;  // how much was sent when the answer began
  std::uint64_t sent = 0;
  std::string hints;           // of responses 103
  std::string fields;          // of the answer that was begun last
  std::string content;         // of all answers
  std::uint64_t declared = 0;  // of the answer that was begun last
  std::optional<FakeSink> sink;
  bool full = false;
  std::optional<DeadlineKind> late;  // the last deadline that has passed

  Ticket exchange_ticket() override { return Ticket{1}; }
  PeerAddress peer_address() override { return {}; }
  PeerFacts peer_facts() override { return {}; }
  bool send_early_hints(std::string_view lines) override {
    hints += lines;
    return true;
  }
  std::uint32_t find_site(std::string_view, Refusal&) const override { return 0; }
  std::uint32_t site_of_connection() const override { return 0; }
  std::optional<TlsFacts> tls_facts() const override { return std::nullopt; }
  bool is_secure() const override { return secure; }
  bool may_redirect() const override { return !secure; }
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
    declared = head.size;
    fields = head.fields;
    return Io::ok;
  }
  AnswerSink& open_sink(BodyFraming& framing) override {
    return sink.emplace(framing, room, lost_after, content);
  }
  void close_sink() override {
    full = sink->is_full();
    sent += sink->moved();
    sink.reset();
  }
  bool can_take_back_answer() const override { return sent + (sink ? sink->moved() : 0) == begun_size; }
  void take_back_answer() override {}
  bool end_answer(bool taken) override {
    request_taken = taken;
    return keeps && taken;
  }
  bool client_has_ended() const override { return ended; }
  bool output_is_full() const override { return full; }
  bool share_is_used_up() const override { return false; }
  void stream_is_late(DeadlineKind kind) override { late = kind; }
};

struct StreamFixture : ConnectionFixture {
  const UniqueFd log_file{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  FakeSession session;
  Ledger ledger;
  RequestHead head;
  std::string target;

  StreamFixture() {
    mount("ledger");
    set_log_fd(log_file.get());
  }
  ~StreamFixture() { set_log_fd(STDERR_FILENO); }
  const RequestHead& ask(const std::string& path, std::uint64_t body_size = 0) {
    char address[32];
    std::snprintf(address, sizeof(address), "%p", static_cast<void*>(&ledger));
    target = "/ledger/" + path + "?" + address;
    head.method = Method::get;
    head.method_name = "GET";
    head.target = target;
    const bool upgrades = path.starts_with("upgrades");
    head.body_size = upgrades ? 0 : body_size;
    head.upgrade = upgrades ? "ledger" : "";
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
  ModuleInstance& module() { return *router.find(0, "/ledger/").instance; }
};

// What the module "ledger" answers to.
inline constexpr const char* kWays[] = {"upgrades",
                                        "upgrades_shortly",
                                        "upgrades_badly",
                                        "upgrades_slowly",
                                        "upgrades_and_throws",
                                        "streams",
                                        "endless",
                                        "parks",
                                        "overruns",
                                        "underruns",
                                        "fails",
                                        "fails_late",
                                        "twice",
                                        "defers",
                                        "defers_shortly",
                                        "throws",
                                        "reads",
                                        "reads_first",
                                        "reads_badly",
                                        "reads_slowly",
                                        "reads_and_streams",
                                        "nothing"};

}  // namespace sluice::test
