// One request and its answer for tests. It hands a handler the request, records the answer, pumps its body
// into a sink whose room can be set, feeds a reader, and can be cancelled at any point. A filter gets the
// request in the same way; if it lets the request go on, it is shown an answer that the test has planned.
//
// Belongs to the FakeServer's thread; owns the body, task and reader that it is given. A breach of the
// contract becomes one of the server's `violations`.
//
// INVARIANT: one answer; a body that is done has written exactly what it declared.
#pragma once

#include <sluice/filter.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_host.h"

namespace sluice::test {

// How the client takes an answer.
struct SinkPlan {
  std::uint64_t room = 1 << 20;                  // in one pump
  std::vector<std::uint64_t> socket = {};        // what the socket takes, turn by turn; empty: everything
  std::uint64_t stands_still_at = kUnknownSize;  // the client takes no more after this many bytes
  bool no_send_file = false;
  bool discard = false;  // count the content, but do not keep it
};

// What answers behind a filter.
struct AnswerPlan {
  std::uint32_t code = 200;
  std::vector<std::pair<std::string, std::string>> lines;
  std::string content = {};
  bool has_size = true;
  std::vector<std::size_t> pauses = {};  // where the content falls silent for a while, in order
};

struct RequestPlan {
  std::string path;  // decoded, below the mount
  Method method = Method::get;
  std::string query;
  std::string mount = "/m/";
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> body;  // pieces, as they arrive
  bool has_body_size = true;
  bool body_stops = false;       // behind the pieces more should come, but does not
  std::uint64_t arrived_ns = 0;  // 0: now
  SinkPlan sink;
  AnswerPlan behind = {};
  std::string target = {};  // as sent; the path if it is empty
  std::string authority = "example.org";
  std::string scheme = "http";
  std::string client = "192.0.2.1:49152";
  std::string address = {};  // the same in network order, for Exchange::peer
  std::map<std::string, std::string> notes = {};
  std::string upgrade = {};  // a protocol that the client offers to change to
  bool explained = false;    // somebody listens to decisions
};

class FakeExchange final : public Exchange, public Driven {
 public:
  FakeExchange(FakeServer& server, RequestPlan plan);
  ~FakeExchange() override { cancel(); }

  // Calls the handler.
  void begin(Handler& handler);
  // Asks the filter, and shows it the answer.
  void begin(Filter& filter);
  // The client leaves.
  void cancel();
  // More of the request's body, or on an upgraded connection, comes. REQUIRES: RequestPlan::body_stops.
  void send_more(std::string piece);
  void end_body() { body_goes_on_ = false; }
  // The answer is complete, cut off or cancelled.
  bool ended() const { return ended_; }

  // The answer.
  std::uint32_t code = 200;
  std::vector<std::pair<std::string, std::string>> lines;
  std::string content;
  std::uint64_t received = 0;  // bytes of content
  std::uint64_t declared = 0;  // kUnknownSize if not declared
  unsigned answers = 0;
  bool complete = false;
  bool cut = false;       // the body failed
  bool deferred = false;  // at any time
  unsigned pumps = 0;
  unsigned parks = 0;
  unsigned cold_sends = 0;  // send_file of pages that were not resident
  unsigned files_sent = 0;  // calls of send_file that sent something
  bool request_body_ended = false;
  std::string upgraded_to;     // the protocol of `upgrade`
  bool tells_end = false;      // tell_end() was called
  bool passed = false;         // a filter let the request go on
  std::string handed_over_to;  // the target of hand_over
  bool transformed = false;    // a filter changed the content
  bool replaced = false;       // a filter's body took its place
  std::vector<std::size_t> received_at_pause;
  bool takes_nothing = false;  // the client, for now; set by tests
  std::map<std::string, std::string> notes;
  std::vector<std::string> decisions;                         // as they were explained
  std::vector<std::pair<std::string, std::string>> hints;     // lines of responses 103
  std::vector<std::pair<std::string, std::string>> trailers;  // lines behind the content

  // The value of the first field of that name; empty if there is none.
  std::string line(std::string_view name) const;
  // Called before each pump.
  std::function<void(FakeExchange&)> before_pump;
  // Called before each line of the head; may throw, as the server may when memory is short.
  std::function<void()> before_field;

  // Driven.
  void drive() override;
  void resume() override { woken_ = true; }
  bool is_runnable() const override {
    return woken_ || (answers > 0 && body_ != nullptr && !parked_ && received < plan_.sink.stands_still_at);
  }

  // Exchange
  const Request& request() const override { return request_; }
  Bytes client_address() override { return plan_.client; }
  void status(std::uint32_t status_code) override;
  bool field(Bytes name, Bytes value) override;
  void fields(const FieldBlock& block) override;
  void send(Bytes bytes) override;
  void send_held(Bytes bytes, Holder& holder) override;
  void stream(std::uint64_t size, Body* body) override;
  void fail(std::uint32_t status_code) override;
  void defer(Task* task) override;
  void receive(Reader* reader) override;
  Ticket ticket() override { return ticket_; }
  bool prefers(Bytes type, Bytes usual) const override;
  void pass() override;
  void hand_over(Bytes target) override;
  bool note(Bytes name, Bytes value) override;
  Bytes noted(Bytes name) const override;
  bool early_hints(const FieldBlock& block) override;
  const Peer& peer() override { return client; }
  void tell_end() override { tells_end = true; }
  bool offers_upgrade(Bytes protocol) const override;
  bool upgrade(Bytes protocol, Reader* reader, Body* body) override;
  bool is_explained() const override { return plan_.explained; }
  void explain(Bytes decision) override { decisions.emplace_back(std::string_view(decision)); }

  Peer client;  // set by tests

 private:
  class FakeSink;
  friend class FakeHead;

  void answer_behind();
  void run(Transform& transform, std::string_view input);

  bool accept_answer();
  void end();
  void pump();
  std::uint64_t socket_room();
  void feed();

  FakeServer& server_;
  const RequestPlan plan_;
  std::vector<Field> request_fields_;
  Request request_;
  Ticket ticket_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<Body> body_;
  std::unique_ptr<Transform> transform_;
  Filter* filter_ = nullptr;
  Handler* handler_ = nullptr;
  std::unique_ptr<Reader> reader_;
  std::vector<std::string> request_body_;
  bool body_goes_on_ = false;  // more may come behind request_body_
  std::size_t body_piece_ = 0;
  std::size_t body_taken_ = 0;  // of the present piece
  std::size_t socket_turn_ = 0;
  bool received_once_ = false;
  bool reader_paused_ = false;
  bool parked_ = false;
  bool woken_ = false;
  bool ended_ = false;
};

}  // namespace sluice::test
