// One request and its answer, as a handler sees them. It knows no socket: a stream gives it the parsed request
// and takes the answer from it.
//
// Owns the answer's body, the task and the request body's reader. Holds the instances of the filters that were
// asked, and of the handler, until `end`. Loop thread.
//
// INVARIANT: exactly one answer is accepted. Further answers are destroyed, logged and counted as faults.
#pragma once

#include <sluice/filter.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/peer_address.h"
#include "base/peer_facts.h"
#include "exchange/decisions.h"
#include "exchange/exchange_notes.h"
#include "exchange/request_body.h"
#include "exchange/transformed_content.h"
#include "http/http_status.h"
#include "http/request_head.h"
#include "module/module_owned.h"
#include "settings/error_pages.h"

namespace sluice {

// The upper half of a request's ticket is the index of its connection, or this.
inline constexpr std::uint32_t kNoConnection = ~std::uint32_t{0};

// What the exchange needs from the session below its stream.
class ExchangeDriver {
 public:
  virtual Ticket exchange_ticket() = 0;
  virtual PeerAddress peer_address() = 0;
  // Sends a response 103 with these lines; false if it cannot be sent.
  virtual bool send_early_hints(std::string_view lines) = 0;
  virtual PeerFacts peer_facts() = 0;

 protected:
  ~ExchangeDriver() = default;
};

// The accepted answer. The view `content` is valid until `end`.
struct Answer {
  std::uint32_t status = 200;
  std::uint64_t size = 0;  // of the content, or kUnknownSize
  bool has_end = true;     // the handler's own content has a known size
  std::string_view content;
  ModuleOwned<Body> body;    // instead of content
  bool is_replaced = false;  // a filter's body is in place of the handler's content
  bool hides_server = false;
  std::string_view upgrade;  // the protocol to which the connection changes; empty if it does not
  // What filters make of the content or the body, which it has taken over.
  std::unique_ptr<TransformedContent> transformed;

  // Whether the content comes by HttpExchange::pump.
  bool is_pumped() const { return body || transformed != nullptr; }
  // Whether filters have made content without a known end of content that has one.
  bool ends_behind_filters() const { return has_end && transformed != nullptr; }
};

// A handler or filter that a request has come to, and the parts of the target that it sees.
struct Route {
  InstanceRef instance;
  std::string_view path;  // behind the mount's prefix
  std::string_view mount;
  std::string_view query;
};

class HttpExchange final : public Exchange {
 public:
  HttpExchange() = default;
  ~HttpExchange() { end(); }
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  enum class Stage : std::uint8_t { open, deferred, handed_over, answered };

  // Begins with a parsed request. `head` and `driver` have to live until `end`.
  void begin(const RequestHead& head, std::uint64_t arrived_ns, ExchangeDriver& driver);
  // Proxies have told who asks, in place of the connection's peer.
  void set_client(const PeerAddress& client) { client_ = client; }
  PeerAddress client() const { return client_.is_known() ? client_ : driver_->peer_address(); }
  // Who wants to know what is decided; null: nobody.
  void tell_decisions(Decisions* to) { decisions_ = to; }
  // Tells what the server itself has decided. REQUIRES: is_explained().
  void decided(std::string_view what) { tell_decision(nullptr, what); }
  // Tells what the filter or handler that was called last has decided.
  void explain_stage();
  // The site's own pages take the place of the server's. They live until `end`.
  void use_error_pages(const ErrorPages& pages) { error_pages_ = &pages; }
  // Asks a filter, which is the one at `place` of its site. The stage is open afterwards if the request goes
  // on. Answers with 500 if it throws. The views of `route` have to live until `end`.
  void ask_filter(std::size_t place, Route route);
  bool has_asked(std::size_t place) const;
  bool has_filters() const { return !filters_.empty(); }
  // Sets the handler. The views of `route` have to live until `end`.
  void route(Route route);
  // Calls the handler. Answers with 500 if it throws, or neither answers nor defers.
  void handle();
  // Calls the deferred task. Afterwards the stage is open if a filter has let the request go on. REQUIRES:
  // stage() == deferred.
  void resume_task();
  // Ends the stage handed_over. Returns the target that answers in place of the handler or filter.
  std::string take_hand_over();
  // Shows the answer's head to the filters. REQUIRES: stage() == answered.
  void filter_answer();
  // Tells the filters, and the handlers that have asked for it, that the exchange is over.
  void tell_ended(const Outcome& outcome);
  // Whether the answer would tell the client of an extended CONNECT that its protocol is spoken now (RFC 8441
  // section 5), and it is not.
  bool is_false_success() const {
    return request_.method == Method::connect && answer_.upgrade.empty() && answer_.status < 300;
  }
  // Of an answer 426: the protocol that the client should offer (RFC 9110 section 15.5.22); else empty.
  std::string_view required_upgrade() const {
    return answer_.status == 426 ? std::string_view(wanted_protocol_) : std::string_view();
  }
  bool is_told_of_end() const { return has_filters() || !told_.empty(); }
  // The module has resumed the exchange: what it has there goes on. false if it has nothing to do with it.
  bool wake(const ModuleInstance& module);
  // Wakes the reader if it was resumed since the last call. Not before: it may pause after it was resumed.
  void wake_reader() {
    if (std::exchange(reader_woken_, false)) body_.wake();
  }
  // Whether the task, and the content, were resumed since the last call.
  bool take_task_woken() { return std::exchange(task_woken_, false); }
  bool take_content_woken() { return std::exchange(content_woken_, false); }
  // Calls the body, or what filters have made of the content. REQUIRES: answer().is_pumped().
  Progress pump(Sink& sink);
  // The status to answer with after a pump has failed, if nothing of the answer was sent: 502, or 500 if it
  // threw.
  Refusal failure() const { return {failed_status_}; }
  // Answers in the handler's place, with the server's own page.
  void answer_for_handler(const Refusal& refusal);
  // The same if the handler has answered already. REQUIRES: nothing of that answer was sent.
  void replace_answer(const Refusal& refusal);
  // Answers with the server's own page, and keeps the fields that were set.
  void refuse(const Refusal& refusal);
  // The same, where there is no handler.
  void answer_unrouted(const Refusal& refusal);
  // Destroys the answer, the task and the reader, which cancels them if they have not ended. Releases the
  // instance.
  void end();

  Stage stage() const { return stage_; }
  Answer& answer() { return answer_; }
  const Answer& answer() const { return answer_; }
  const std::string& field_lines() const { return field_lines_; }
  bool is_head() const { return request_.method == Method::head; }
  std::uint32_t version() const { return request_.version; }
  // The handler or filter that was called last; null if there was none.
  ModuleInstance* instance() const { return instance_; }
  // The handler that the path has led to; null if there was none.
  ModuleInstance* handler() const { return route_.instance.get(); }
  // The offloaded calls for the request, also when it has ended; null if there were none.
  const std::shared_ptr<RequestCalls>& calls() const { return request_.calls; }
  void forget_calls() { request_.calls.reset(); }
  RequestBody& body() { return body_; }
  const RequestBody& body() const { return body_; }
  // `authority` has to live until `end`.
  void set_origin(std::string_view authority, bool secure);
  void report_fault(std::string_view what);
  // The content is at fault: its module's, or that of the outermost filter that changes it.
  void report_content_fault(std::string_view what);
  // The same for the module for which the content, or else the request's body, waits.
  void report_wait(bool for_content, std::string_view what);

  // Exchange
  const Request& request() const override { return request_; }
  Bytes client_address() override;
  void status(std::uint32_t code) override;
  bool field(Bytes name, Bytes value) override;
  void fields(const FieldBlock& block) override;
  void send(Bytes content) override;
  void send_held(Bytes content, Holder& holder) override;
  void stream(std::uint64_t size, Body* body) override;
  void fail(std::uint32_t code) override;
  void defer(Task* task) override;
  void receive(Reader* reader) override;
  Ticket ticket() override { return driver_->exchange_ticket(); }
  bool prefers(Bytes type, Bytes usual) const override;
  void pass() override;
  void hand_over(Bytes target) override;
  bool note(Bytes name, Bytes value) override { return notes_.set(name, value); }
  Bytes noted(Bytes name) const override { return notes_.get(name); }
  bool early_hints(const FieldBlock& block) override;
  const Peer& peer() override;
  void tell_end() override;
  bool offers_upgrade(Bytes protocol) const override;
  bool upgrade(Bytes protocol, Reader* reader, Body* body) override;
  bool is_explained() const override { return decisions_ != nullptr; }
  void explain(Bytes decision) override { tell_decision(instance_, decision); }

 private:
  friend class FilteredHead;
  struct AskedFilter {
    std::size_t place = 0;
    Route route;
  };

  // The calls and objects that follow are of the instance of `route`.
  void enter(const Route& route);
  // The same, before they are called the first time.
  void begin_call(const Route& route);
  // Whether an instance of this module has the request.
  bool concerns(const ModuleInstance& module) const;
  // Reports a fault if somebody takes the request's body, and others are to answer.
  bool has_taken_body();
  // Answers with 500 then, if a filter has let the request go on.
  void judge_pass();
  // Answers with 500 in place of what was called last and threw, if it had not answered.
  void answer_thrown();
  // Whether a filter was called last, and no handler since.
  bool is_in_filter() const;
  // Reports a fault if the handler has answered: handler.h wants `what` before.
  bool is_too_late_for(std::string_view what);
  // The same status, or 500 after a fault.
  std::uint32_t valid_status(std::uint32_t code);
  bool append_valid_field(Bytes name, Bytes value);
  bool accept_answer();
  void answer_content(std::string_view content);
  ErrorPage page_for(const Refusal& refusal) const;
  void drop_answer();
  void drop_content();
  void tell_decision(const ModuleInstance* by, std::string_view what);

  ExchangeDriver* driver_ = nullptr;
  const ErrorPages* error_pages_ = nullptr;
  Decisions* decisions_ = nullptr;
  Route route_;
  std::vector<InstanceRef> earlier_;     // handlers that have handed the request over
  std::vector<AskedFilter> filters_;     // the outermost first
  std::vector<Route> told_;              // of handlers that want to know of the end
  std::string_view upgrade_offer_;       // RequestHead::upgrade
  mutable std::string wanted_protocol_;  // that offers_upgrade was asked for last
  std::string upgrade_;                  // the protocol that was accepted
  std::unique_ptr<PeerFacts> peer_;      // made when it is asked for
  ModuleInstance* instance_ = nullptr;
  std::size_t answered_behind_ = 0;      // how many of filters_ stand before the one who has answered
  bool filtered_ = false;                // they have seen the answer
  bool changed_content_failed_ = false;  // content that a filter had changed, so a page answers in its place
  bool task_woken_ = false;
  bool reader_woken_ = false;
  bool content_woken_ = false;
  std::string hand_over_target_;
  ExchangeNotes notes_;
  HandledRequest request_;
  Stage stage_ = Stage::open;
  std::uint32_t status_ = 200;
  std::uint32_t failed_status_ = 502;
  std::string field_lines_;
  std::string content_;         // the copy of `send`, or one of the server's own pages
  PeerAddress client_;          // if proxies have told it
  std::string client_address_;  // made when it is asked for
  Answer answer_;
  Holder* holder_ = nullptr;
  ModuleInstance* holder_instance_ = nullptr;
  ModuleInstance* reader_of_ = nullptr;  // who takes the request's body
  ModuleOwned<Task> task_;
  RequestBody body_;
};

}  // namespace sluice
