// One request and its answer, as a handler sees them. It knows no socket: a stream gives it the parsed request
// and takes the answer from it.
//
// Owns the answer's body, the task and the request body's reader. Holds the handler's instance from `route` to
// `end`. Loop thread.
//
// INVARIANT: exactly one answer is accepted. Further answers are destroyed, logged and counted as faults.
#pragma once

#include <sluice/handler.h>

#include <memory>
#include <string>
#include <string_view>

#include "exchange/request_body.h"
#include "http/http_status.h"
#include "http/request_head.h"
#include "module/module_owned.h"
#include "settings/error_pages.h"

namespace sluice {

// What the exchange needs from the session below its stream.
class ExchangeDriver {
 public:
  virtual Ticket exchange_ticket() = 0;
  virtual std::string client_name() = 0;

 protected:
  ~ExchangeDriver() = default;
};

// The accepted answer. The view `content` is valid until `end`.
struct Answer {
  std::uint32_t status = 200;
  std::uint64_t size = 0;  // of the content, or kUnknownSize
  std::string_view content;
  ModuleOwned<Body> body;  // instead of content
};

// The handler that answers a request, and the parts of the target that it sees.
struct Route {
  InstanceRef handler;
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

  enum class Stage : std::uint8_t { open, deferred, answered };

  // Begins with a parsed request. `head` and `driver` have to live until `end`.
  void begin(const RequestHead& head, std::uint64_t arrived_ns, ExchangeDriver& driver);
  // The site's own pages take the place of the server's. They live until `end`.
  void use_error_pages(const ErrorPages& pages) { error_pages_ = &pages; }
  // Sets the handler. The views of `route` have to live until `end`.
  void route(Route route);
  // Calls the handler. Answers with 500 if it throws, or neither answers nor defers.
  void handle();
  // Calls the deferred task. REQUIRES: stage() == deferred.
  void resume_task();
  // Calls the body. REQUIRES: answer().body.
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
  // Destroys the answer, the task and the reader, which cancels them if they have not ended. Releases the
  // instance.
  void end();

  Stage stage() const { return stage_; }
  Answer& answer() { return answer_; }
  const std::string& field_lines() const { return field_lines_; }
  bool is_head() const { return request_.method == Method::head; }
  std::uint32_t version() const { return request_.version; }
  ModuleInstance* instance() const { return route_.handler.get(); }
  // The offloaded calls for the request, also when it has ended; null if there were none.
  const std::shared_ptr<RequestCalls>& calls() const { return request_.calls; }
  void forget_calls() { request_.calls.reset(); }
  RequestBody& body() { return body_; }
  const RequestBody& body() const { return body_; }
  void report_fault(std::string_view what);

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

 private:
  // Reports a fault if the handler has answered: handler.h wants `what` before.
  bool is_too_late_for(std::string_view what);
  bool accept_answer();
  void answer_content(std::string_view content);
  ErrorPage page_for(const Refusal& refusal) const;
  void drop_answer();

  ExchangeDriver* driver_ = nullptr;
  const ErrorPages* error_pages_ = nullptr;
  Route route_;
  HandledRequest request_;
  Stage stage_ = Stage::open;
  std::uint32_t status_ = 200;
  std::uint32_t failed_status_ = 502;
  std::string field_lines_;
  std::string content_;  // the copy of `send`, or one of the server's own pages
  std::string client_address_;
  Answer answer_;
  Holder* holder_ = nullptr;
  ModuleOwned<Task> task_;
  RequestBody body_;
};

}  // namespace sluice
