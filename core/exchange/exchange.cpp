#include "exchange/exchange.h"

#include <utility>

#include "base/kept_memory.h"
#include "base/log.h"
#include "http/http_fields.h"
#include "http/http_status.h"
#include "http/media_preference.h"

namespace sluice {
namespace {

// The capacity that each text of an answer keeps between two requests.
constexpr std::size_t kTextKeptMax = 8 * 1024;

}  // namespace

void HttpExchange::begin(const RequestHead& head, std::uint64_t arrived_ns, ExchangeDriver& driver) {
  driver_ = &driver;
  request_ = HandledRequest{};
  request_.method = head.method;
  request_.version = head.version;
  request_.field_count = static_cast<std::uint32_t>(head.fields.size());
  request_.fields = head.fields.data();
  request_.method_name = head.method_name;
  request_.target = head.target;
  request_.body_size = head.body_size;
  request_.arrived_ns = arrived_ns;
  body_.begin(head.body_size, head.expects_continue);
  error_pages_ = nullptr;
  stage_ = Stage::open;
  status_ = 200;
  field_lines_.clear();
  client_address_.clear();
}

void HttpExchange::route(Route route) {
  route_ = std::move(route);
  request_.path = route_.path;
  request_.mount = route_.mount;
  request_.query = route_.query;
}

void HttpExchange::handle() {
  ModuleInstance& handler = *instance();
  if (!handler.call([&] { handler.handler().handle(*this); }, &request_)) {
    if (stage_ != Stage::answered) answer_for_handler({500});
  } else if (stage_ == Stage::open) {
    report_fault("it neither answered nor deferred a request");
    answer_for_handler({500});
  }
  if (stage_ == Stage::answered) task_.reset();
}

void HttpExchange::resume_task() {
  if (!task_.call([this](Task& task) { task.resumed(*this); }) && stage_ != Stage::answered)
    answer_for_handler({500});
  if (stage_ == Stage::answered) task_.reset();
}

Progress HttpExchange::pump(Sink& sink) {
  Progress progress = Progress::failed;
  failed_status_ = 502;
  if (!answer_.body.call([&](Body& body) { progress = body.pump(sink); })) failed_status_ = 500;
  return progress;
}

void HttpExchange::answer_for_handler(const Refusal& refusal) {
  // The handler has failed, so its reader gets no more of the request's body.
  if (body_.has_reader() && !body_.finished()) body_.break_off(refusal);
  field_lines_.clear();
  refuse(refusal);
  task_.reset();
}

void HttpExchange::replace_answer(const Refusal& refusal) {
  drop_answer();
  stage_ = Stage::open;
  answer_for_handler(refusal);
}

void HttpExchange::end() {
  drop_answer();
  task_.reset();
  body_.end();
  route_ = Route{};
  give_back_above(content_, kTextKeptMax);
  give_back_above(field_lines_, kTextKeptMax);
}

void HttpExchange::drop_answer() {
  answer_.body.reset();
  if (holder_ != nullptr) {
    instance()->call([this] { std::exchange(holder_, nullptr)->release(); }, &request_);
  }
  answer_ = Answer{};
}

void HttpExchange::report_fault(std::string_view what) {
  if (route_.handler) route_.handler->report_fault(what, &request_);
}

Bytes HttpExchange::client_address() {
  if (client_address_.empty()) client_address_ = driver_->client_name();
  return client_address_;
}

bool HttpExchange::is_too_late_for(std::string_view what) {
  if (stage_ != Stage::answered) return false;
  report_fault("it set " + std::string(what) + " after its answer");
  return true;
}

void HttpExchange::status(std::uint32_t code) {
  if (is_too_late_for("a status")) return;
  if (code < 200 || code > 599) {
    report_fault("it set the status " + std::to_string(code) + ", which is not one from 200 to 599");
    code = 500;
  }
  status_ = code;
}

bool HttpExchange::field(Bytes name, Bytes value) {
  if (is_too_late_for("a field")) return false;
  const char* why = why_not_sendable(name, value);
  if (why == nullptr && field_lines_.size() + name.size + value.size + 4 > kFieldLinesMax) {
    why = "the answer's fields are too long together";
  }
  if (why != nullptr) {
    report_fault("it may not send the field " + std::string(std::string_view(name)) + ": " + why);
    return false;
  }
  append_field(field_lines_, name, value);
  return true;
}

void HttpExchange::fields(const FieldBlock& block) {
  if (is_too_late_for("prepared fields")) return;
  if (field_lines_.size() + block.lines().size() > kFieldLinesMax) {
    report_fault("the prepared fields are too long for one answer");
    return;
  }
  field_lines_ += block.lines();
}

bool HttpExchange::accept_answer() {
  if (stage_ == Stage::answered) {
    report_fault("it answered a request twice");
    return false;
  }
  stage_ = Stage::answered;
  answer_.status = status_;
  return true;
}

void HttpExchange::answer_content(std::string_view content) {
  answer_.content = forbids_content(answer_.status) ? std::string_view() : content;
  answer_.size = answer_.content.size();
}

void HttpExchange::send(Bytes content) {
  // The copy comes before the answer is accepted, because there may be no memory for it.
  if (stage_ != Stage::answered) content_ = std::string_view(content);
  if (!accept_answer()) return;
  answer_content(content_);
}

void HttpExchange::send_held(Bytes content, Holder& holder) {
  if (!accept_answer()) {
    holder.release();
    return;
  }
  holder_ = &holder;
  answer_content(content);
}

void HttpExchange::stream(std::uint64_t size, Body* body) {
  std::unique_ptr<Body> owned(body);
  if (!accept_answer()) return;
  const bool is_empty = forbids_content(answer_.status);
  answer_.size = is_empty ? 0 : size;
  if (is_head() || is_empty) return;
  answer_.body = ModuleOwned<Body>(std::move(owned), *instance(), request_);
}

void HttpExchange::fail(std::uint32_t code) {
  if (stage_ != Stage::answered && (code < 300 || code > 599)) {
    report_fault("it failed with the status " + std::to_string(code) + ", which is not one from 300 to 599");
    code = 500;
  }
  refuse({code});
}

ErrorPage HttpExchange::page_for(const Refusal& refusal) const {
  const bool as_text = prefers("text/plain", "text/html");
  const std::string* own = as_text || error_pages_ == nullptr ? nullptr : error_pages_->find(status_);
  if (own != nullptr) return {"text/html; charset=utf-8", *own};
  return error_page(status_, refusal.reason, as_text);
}

void HttpExchange::refuse(const Refusal& refusal) {
  if (stage_ != Stage::answered) {
    status_ = refusal.status;
    remove_field(field_lines_, "Content-Type");  // the handler set it for other content
    if (!forbids_content(status_)) {
      ErrorPage page = page_for(refusal);
      append_field(field_lines_, "Content-Type", page.type);
      append_field(field_lines_, "Vary", "Accept");
      content_ = std::move(page.content);
    }
  }
  if (!accept_answer()) return;
  answer_content(content_);
}

void HttpExchange::defer(Task* task) {
  std::unique_ptr<Task> owned(task);
  if (stage_ != Stage::open) {
    report_fault("it deferred a request that was answered or deferred already");
    return;
  }
  stage_ = Stage::deferred;
  task_ = ModuleOwned<Task>(std::move(owned), *instance(), request_);
}

bool HttpExchange::prefers(Bytes type, Bytes usual) const {
  return prefers_media_type(request_, type, usual);
}

void HttpExchange::receive(Reader* reader) {
  std::unique_ptr<Reader> owned(reader);
  if (body_.may_attach()) return body_.attach(ModuleOwned<Reader>(std::move(owned), *instance(), request_));
  report_fault("it wants to receive a request's body twice, or too late");
}

}  // namespace sluice
