#include "exchange/exchange.h"

#include <algorithm>
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
  // The answer to HEAD has no content, and with HTTP/1 a request's body would stand before what is to follow.
  const bool may_upgrade = head.method != Method::head && (head.version != 11 || head.body_size == 0);
  upgrade_offer_ = may_upgrade ? head.upgrade : std::string_view();
  body_.begin(head.body_size, head.expects_continue);
  error_pages_ = nullptr;
  changed_content_failed_ = task_woken_ = reader_woken_ = content_woken_ = false;
  stage_ = Stage::open;
  status_ = 200;
  field_lines_.clear();
  client_ = {};
  client_address_.clear();
}

void HttpExchange::set_origin(std::string_view authority, bool secure) {
  request_.authority = authority;
  request_.scheme = std::string_view(secure ? "https" : "http");
}

void HttpExchange::enter(const Route& route) {
  instance_ = route.instance.get();
  request_.path = route.path;
  request_.mount = route.mount;
  request_.query = route.query;
}

void HttpExchange::begin_call(const Route& route) {
  enter(route);
  status_ = 200;
  task_woken_ = false;
}

void HttpExchange::route(Route route) {
  if (route_.instance) earlier_.push_back(std::move(route_.instance));
  route_ = std::move(route);
  begin_call(route_);
}

void HttpExchange::handle() {
  ModuleInstance& handler = *instance();
  if (!handler.call([&] { handler.handler().handle(*this); }, &request_)) {
    answer_thrown();
  } else if (stage_ == Stage::open) {
    report_fault("it neither answered nor deferred a request");
    answer_for_handler({500});
  }
  if (stage_ == Stage::answered) task_.reset();
}

void HttpExchange::resume_task() {
  if (!task_.call([this](Task& task) { task.resumed(*this); })) answer_thrown();
  if (stage_ != Stage::deferred) task_.reset();
  judge_pass();
}

void HttpExchange::answer_thrown() {
  if (stage_ == Stage::answered) return;
  stage_ = Stage::open;
  answer_for_handler({500});
}

std::string HttpExchange::take_hand_over() {
  stage_ = Stage::open;
  return std::exchange(hand_over_target_, {});
}

void HttpExchange::answer_unrouted(const Refusal& refusal) {
  instance_ = nullptr;
  refuse(refusal);
}

Progress HttpExchange::pump(Sink& sink) {
  Progress progress = Progress::failed;
  failed_status_ = 502;
  if (answer_.transformed != nullptr) {
    progress = answer_.transformed->pump(sink);
    if (answer_.transformed->threw()) failed_status_ = 500;
    return progress;
  }
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
  changed_content_failed_ = answer_.transformed != nullptr || answer_.is_replaced;
  drop_answer();
  stage_ = Stage::open;
  answer_for_handler(refusal);
}

void HttpExchange::end() {
  drop_answer();
  task_.reset();
  body_.end();
  wanted_protocol_.clear();
  told_.clear();
  peer_.reset();
  route_ = Route{};
  filters_.clear();
  earlier_.clear();
  instance_ = nullptr;
  notes_.clear();
  give_back_above(content_, kTextKeptMax);
  give_back_above(field_lines_, kTextKeptMax);
}

void HttpExchange::drop_answer() {
  drop_content();
  answer_ = Answer{};
  filtered_ = false;
}

void HttpExchange::drop_content() {
  answer_.transformed.reset();
  answer_.body.reset();
  answer_.content = {};
  answer_.size = 0;
  if (holder_ != nullptr)
    holder_instance_->call([this] { std::exchange(holder_, nullptr)->release(); }, &request_);
}

void HttpExchange::report_content_fault(std::string_view what) {
  ModuleInstance* by = instance_;
  if (answer_.body) by = &answer_.body.instance();
  if (answer_.transformed != nullptr) by = &answer_.transformed->instance();
  if (by != nullptr) by->report_fault(what, &request_);
}

void HttpExchange::report_wait(bool for_content, std::string_view what) {
  ModuleInstance* by = for_content ? instance_ : reader_of_;
  if (for_content && answer_.body) by = &answer_.body.instance();
  if (for_content && answer_.transformed != nullptr) by = answer_.transformed->waits_for();
  if (by != nullptr) by->report_fault(what, &request_);
}

void HttpExchange::report_fault(std::string_view what) {
  if (instance_ != nullptr) instance_->report_fault(what, &request_);
}

Bytes HttpExchange::client_address() {
  if (client_address_.empty()) client_address_ = client().text_with_port();
  return client_address_;
}

const Peer& HttpExchange::peer() {
  if (peer_ == nullptr) {
    peer_ = std::make_unique<PeerFacts>(driver_->peer_facts());
    if (client_.is_known()) {
      client_.describe(*peer_);
      peer_->peer.flags |= kPeerByProxy;
      if (peer_->peer.tls_version != 0) peer_->peer.flags |= kPeerTlsOfProxy;
    }
  }
  return peer_->view();
}

bool HttpExchange::is_too_late_for(std::string_view what) {
  if (stage_ != Stage::answered) return false;
  report_fault("it set " + std::string(what) + " after its answer");
  return true;
}

void HttpExchange::status(std::uint32_t code) {
  if (!is_too_late_for("a status")) status_ = valid_status(code);
}

std::uint32_t HttpExchange::valid_status(std::uint32_t code) {
  if (code >= 200 && code <= 599) return code;
  report_fault("it set the status " + std::to_string(code) + ", which is not one from 200 to 599");
  return 500;
}

bool HttpExchange::field(Bytes name, Bytes value) {
  return !is_too_late_for("a field") && append_valid_field(name, value);
}

bool HttpExchange::append_valid_field(Bytes name, Bytes value) {
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

bool HttpExchange::early_hints(const FieldBlock& block) {
  return !is_too_late_for("early hints") && request_.version != 10 && driver_->send_early_hints(block.lines());
}

bool HttpExchange::accept_answer() {
  if (stage_ == Stage::answered || stage_ == Stage::handed_over) {
    report_fault(stage_ == Stage::answered ? "it answered a request twice"
                                           : "it answered a request that it had handed over");
    return false;
  }
  stage_ = Stage::answered;
  answered_behind_ = filters_.size();
  if (is_in_filter()) --answered_behind_;  // it does not see its own answer
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
  holder_instance_ = instance_;
  answer_content(content);
}

void HttpExchange::stream(std::uint64_t size, Body* body) {
  std::unique_ptr<Body> owned(body);
  if (!accept_answer()) return;
  const bool is_empty = forbids_content(answer_.status);
  answer_.size = is_empty ? 0 : size;
  answer_.has_end = answer_.size != kUnknownSize;
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
  if (stage_ != Stage::open || task_) {
    report_fault("it deferred a request that was answered or deferred already");
    return;
  }
  stage_ = Stage::deferred;
  task_ = ModuleOwned<Task>(std::move(owned), *instance(), request_);
}

bool HttpExchange::prefers(Bytes type, Bytes usual) const {
  return prefers_media_type(request_, type, usual);
}

void HttpExchange::hand_over(Bytes target) {
  if (stage_ == Stage::answered || stage_ == Stage::handed_over)
    return report_fault("it handed a request over that it had answered or handed over already");
  if (has_taken_body()) return refuse({500});
  hand_over_target_ = std::string_view(target);
  stage_ = Stage::handed_over;
}

void HttpExchange::receive(Reader* reader) {
  std::unique_ptr<Reader> owned(reader);
  if (body_.may_attach()) {
    reader_of_ = instance_;
    return body_.attach(ModuleOwned<Reader>(std::move(owned), *instance(), request_));
  }
  report_fault("it wants to receive a request's body twice, or too late");
}

bool HttpExchange::offers_upgrade(Bytes protocol) const {
  wanted_protocol_ = std::string_view(protocol);
  return protocol.size > 0 && list_has(upgrade_offer_, protocol);
}

bool HttpExchange::upgrade(Bytes protocol, Reader* reader, Body* body) {
  std::unique_ptr<Reader> owned_reader(reader);
  std::unique_ptr<Body> owned_body(body);
  if (!offers_upgrade(protocol)) return false;
  if (stage_ != Stage::answered && body_.has_reader()) {
    report_fault("it takes the request's body, and so may not upgrade the connection");
    return false;
  }
  std::string accepted{std::string_view(protocol)};  // goes first: there may be no memory
  if (!accept_answer()) return false;
  upgrade_ = std::move(accepted);
  constexpr std::uint32_t kSwitchingProtocols = 101;
  answer_.status = request_.version == 11 ? kSwitchingProtocols : 200;
  answer_.size = kUnknownSize;
  answer_.has_end = false;
  answer_.upgrade = upgrade_;
  answer_.body = ModuleOwned<Body>(std::move(owned_body), *instance(), request_);
  reader_of_ = instance_;
  body_.open_tunnel(ModuleOwned<Reader>(std::move(owned_reader), *instance(), request_));
  return true;
}

}  // namespace sluice
