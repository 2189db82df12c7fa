#include "support/fake_exchange.h"

#include <algorithm>
#include <numeric>

#include "base/monotonic_clock.h"
#include "http/http_fields.h"
#include "http/http_status.h"
#include "http/media_preference.h"
#include "support/fake_head.h"
#include "support/fake_request.h"
#include "support/fake_sink.h"

namespace sluice::test {

FakeExchange::FakeExchange(FakeServer& server, RequestPlan plan)
    : server_(server),
      plan_(std::move(plan)),
      ticket_(server.add(*this)),
      request_body_(plan_.body),
      body_goes_on_(plan_.body_stops) {
  for (const auto& [name, value] : plan_.fields) request_fields_.push_back({name, value, known_field(name)});
  client.address = plan_.address;
  notes = plan_.notes;
  request_.arrived_ns = plan_.arrived_ns != 0 ? plan_.arrived_ns : monotonic_ns();
  request_.method = plan_.method;
  request_.field_count = static_cast<std::uint32_t>(request_fields_.size());
  request_.fields = request_fields_.data();
  request_.method_name = method_name(plan_.method);
  request_.target = plan_.target.empty() ? plan_.path : plan_.target;
  request_.path = plan_.path;
  request_.mount = plan_.mount;
  request_.query = plan_.query;
  request_.authority = plan_.authority;
  request_.scheme = plan_.scheme;
  request_.body_size =
      std::accumulate(plan_.body.begin(), plan_.body.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const std::string& piece) { return sum + piece.size(); });
  if (!plan_.has_body_size) request_.body_size = kUnknownSize;
}

std::string FakeExchange::line(std::string_view name) const {
  const auto found =
      std::find_if(lines.begin(), lines.end(), [&](const auto& pair) { return pair.first == name; });
  return found == lines.end() ? std::string() : found->second;
}

bool FakeExchange::prefers(Bytes type, Bytes usual) const {
  return prefers_media_type(request_, type, usual);
}

void FakeExchange::begin(Handler& handler) {
  handler_ = &handler;
  server_.call("Handler::handle", [&] { handler.handle(*this); });
  if (answers == 0 && task_ == nullptr) server_.violation("neither answered nor deferred");
  feed();
}

void FakeExchange::begin(Filter& filter) {
  filter_ = &filter;
  server_.call("Filter::request", [&] { filter.request(*this); });
  if (answers == 0 && task_ == nullptr && handed_over_to.empty()) answer_behind();
  feed();
}

void FakeExchange::pass() {
  if (filter_ == nullptr) server_.violation("a handler lets its request go on");
  passed = true;
}

void FakeExchange::hand_over(Bytes target) {
  if (answers > 0 || !handed_over_to.empty()) server_.violation("handed over after the answer, or twice");
  handed_over_to = copy(target);
}

bool FakeExchange::note(Bytes name, Bytes value) {
  std::size_t size = name.size + value.size;
  for (const auto& [other, text] : notes) size += other == copy(name) ? 0 : other.size() + text.size();
  if (size > 4 * 1024) return false;
  notes[copy(name)] = copy(value);
  return true;
}

Bytes FakeExchange::noted(Bytes name) const {
  const auto found = notes.find(copy(name));
  return found == notes.end() ? Bytes() : Bytes(found->second);
}

bool FakeExchange::early_hints(const FieldBlock& block) {
  if (answers > 0) server_.violation("early hints after the answer");
  const auto& prepared = FakeFieldBlock::of(block).lines;
  hints.insert(hints.end(), prepared.begin(), prepared.end());
  return true;
}

// Who is behind the filter answers, and the filter sees it.
void FakeExchange::answer_behind() {
  passed = true;
  if (reader_ != nullptr) server_.violation("a filter takes the body and lets the request go on");
  ++answers;
  code = plan_.behind.code;
  lines.insert(lines.end(), plan_.behind.lines.begin(), plan_.behind.lines.end());
  declared = plan_.behind.has_size ? plan_.behind.content.size() : kUnknownSize;
  FakeHead head(*this);
  server_.call("Filter::answer", [&] { filter_->answer(*this, head); });
  if (plan_.method == Method::head || forbids_content(code))
    return server_.call("a destructor", [&] {
      transform_.reset();
      body_.reset();
    });
  if (transform_ == nullptr && !replaced) {
    content = plan_.behind.content;
    received = content.size();
  }
}

// Passes the whole content through the transform, in pieces of up to 16 KiB.
void FakeExchange::run(Transform& transform, std::string_view input) {
  constexpr std::size_t kPieceMax = 16 * 1024;
  transformed = true;
  for (int idle = 0; idle < 100;) {
    FakeSink sink(*this, socket_room());
    const std::size_t pause = received_at_pause.size();
    const bool will_pause = pause < plan_.behind.pauses.size();
    const std::size_t end = will_pause ? plan_.behind.pauses[pause] : plan_.behind.content.size();
    const std::size_t left = end - (plan_.behind.content.size() - input.size());
    const std::string_view piece = input.substr(0, std::min(kPieceMax, left));
    const Follows at_end = will_pause ? Follows::silence : Follows::nothing;
    const Follows follows = piece.size() < left ? Follows::input : at_end;
    Passed passed_on;
    const std::uint64_t before = received;
    server_.call("Transform::pass", [&] { passed_on = transform.pass(piece, follows, sink); });
    if (passed_on.size > piece.size()) server_.violation("the transform took more than there was");
    input.remove_prefix(static_cast<std::size_t>(std::min<std::uint64_t>(passed_on.size, piece.size())));
    cut = passed_on.progress == Progress::failed;
    parks += passed_on.progress == Progress::parked ? 1 : 0;
    const bool is_through = passed_on.size == piece.size() && passed_on.progress == Progress::done;
    const bool is_whole = is_through && follows == Follows::nothing;
    if (is_whole && declared != kUnknownSize && received != declared)
      server_.violation("done before all was written");
    if (cut || is_whole) return;
    if (is_through && follows == Follows::silence) received_at_pause.push_back(received);
    idle = passed_on.size == 0 && received == before ? idle + 1 : 0;
  }
  server_.violation("the transform takes nothing and writes nothing");
}

void FakeExchange::send_more(std::string piece) {
  request_body_.push_back(std::move(piece));
}

bool FakeExchange::offers_upgrade(Bytes protocol) const {
  return protocol.size > 0 && plan_.upgrade == std::string_view(protocol);
}

bool FakeExchange::upgrade(Bytes protocol, Reader* reader, Body* body) {
  std::unique_ptr<Reader> owned_reader(reader);
  std::unique_ptr<Body> owned_body(body);
  if (!offers_upgrade(protocol)) return false;
  if (std::exchange(received_once_, true)) server_.violation("upgraded after the body was received");
  if (!accept_answer()) return false;
  code = 101;
  declared = kUnknownSize;
  upgraded_to = copy(protocol);
  reader_ = std::move(owned_reader);
  body_ = std::move(owned_body);
  return true;
}

void FakeExchange::cancel() {
  if (!ended_) end();
}

void FakeExchange::end() {
  ended_ = true;
  server_.remove(ticket_);
  Outcome outcome;
  outcome.status = answers > 0 ? code : 0;
  outcome.sent = received;
  outcome.ending = complete ? Ending::complete : Ending::cut;
  if (handler_ != nullptr && tells_end)
    server_.call("Handler::ended", [&] { handler_->ended(*this, outcome); });
  if (filter_ != nullptr) server_.call("Filter::ended", [&] { filter_->ended(*this, outcome); });
  server_.call("a destructor", [&] {
    transform_.reset();
    body_.reset();
    task_.reset();
    reader_.reset();
  });
}

void FakeExchange::drive() {
  const bool woken = std::exchange(woken_, false);
  if (woken && task_ != nullptr && answers == 0) {
    server_.call("Task::resumed", [&] { task_->resumed(*this); });
  }
  if (woken) reader_paused_ = false;
  feed();
  if (woken) parked_ = false;
  if (answers == 0 && passed && task_ != nullptr) answer_behind();
  if (takes_nothing) return;
  if (transform_ != nullptr) {
    run(*transform_, plan_.behind.content);
    server_.call("a destructor", [&] { transform_.reset(); });
    if (cut) return end();
  }
  if (!handed_over_to.empty()) end();
  if (ended_) return;
  if (answers > 0 && task_ != nullptr) server_.call("a destructor", [&] { task_.reset(); });
  if (answers > 0 && body_ != nullptr && !parked_) pump();
  const bool has_read = reader_ == nullptr || !upgraded_to.empty();  // a tunnel ends with its body
  if (answers > 0 && body_ == nullptr && !cut && has_read) {
    complete = true;
    end();
  }
}

// How much the socket takes in this turn. With 0 the body is not pumped.
std::uint64_t FakeExchange::socket_room() {
  const auto& pattern = plan_.sink.socket;
  const std::uint64_t room = pattern.empty() ? kUnknownSize : pattern[socket_turn_++ % pattern.size()];
  return std::min(room, plan_.sink.stands_still_at - received);
}

void FakeExchange::pump() {
  const std::uint64_t socket = socket_room();
  if (socket == 0) return;
  if (before_pump) before_pump(*this);
  if (ended_) return;
  FakeSink sink(*this, socket);
  Progress progress = Progress::failed;
  server_.call("Body::pump", [&] { progress = body_->pump(sink); });
  ++pumps;
  switch (progress) {
    case Progress::more:
      break;
    case Progress::parked:
      ++parks;
      parked_ = true;
      break;
    case Progress::done:
      if (declared != kUnknownSize && received != declared) server_.violation("done before all was written");
      server_.call("a destructor", [&] { body_.reset(); });
      break;
    case Progress::failed:
      cut = true;
      end();
      break;
  }
}

void FakeExchange::feed() {
  while (reader_ != nullptr && !reader_paused_) {
    if (body_piece_ == request_body_.size()) {
      if (body_goes_on_) return;
      server_.call("Reader::end", [&] { reader_->end(); });
      request_body_ended = true;
      server_.call("a destructor", [&] { reader_.reset(); });
      return;
    }
    const std::string_view piece = std::string_view(request_body_[body_piece_]).substr(body_taken_);
    std::uint64_t taken = 0;
    server_.call("Reader::take", [&] { taken = reader_->take(piece); });
    if (taken > piece.size()) server_.violation("the reader took more than there was");
    body_taken_ += static_cast<std::size_t>(std::min<std::uint64_t>(taken, piece.size()));
    if (taken < piece.size()) {
      reader_paused_ = true;
    } else {
      ++body_piece_;
      body_taken_ = 0;
    }
  }
}

bool FakeExchange::accept_answer() {
  if (++answers > 1) server_.violation("answered more than once");
  return answers == 1;
}

void FakeExchange::status(std::uint32_t status_code) {
  if (status_code < 200 || status_code > 599 || answers > 0)
    server_.violation("a status that is not to be set");
  code = status_code;
}

bool FakeExchange::field(Bytes name, Bytes value) {
  if (answers > 0) server_.violation("a field after the answer");
  if (before_field) before_field();
  if (why_not_sendable(name, value) != nullptr) return false;
  lines.emplace_back(copy(name), copy(value));
  return true;
}

void FakeExchange::fields(const FieldBlock& block) {
  if (answers > 0) server_.violation("fields after the answer");
  const auto& prepared = FakeFieldBlock::of(block).lines;
  lines.insert(lines.end(), prepared.begin(), prepared.end());
}

void FakeExchange::send(Bytes bytes) {
  if (!accept_answer()) return;
  declared = bytes.size;
  if (plan_.method == Method::head) return;
  content = std::string_view(bytes);
  received = bytes.size;
}

void FakeExchange::send_held(Bytes bytes, Holder& holder) {
  send(bytes);
  server_.call("Holder::release", [&] { holder.release(); });
}

void FakeExchange::stream(std::uint64_t size, Body* body) {
  std::unique_ptr<Body> owned(body);
  if (!accept_answer()) return;
  declared = size;
  if (plan_.method != Method::head) body_ = std::move(owned);
}

void FakeExchange::fail(std::uint32_t status_code) {
  if (status_code < 300 || status_code > 599) server_.violation("fail with a status that is no failure");
  if (!accept_answer()) return;
  code = status_code;
}

void FakeExchange::defer(Task* task) {
  if (answers > 0 || task_ != nullptr) server_.violation("deferred twice, or after the answer");
  task_.reset(task);
  deferred = true;
}

void FakeExchange::receive(Reader* reader) {
  if (std::exchange(received_once_, true)) server_.violation("received twice");
  reader_.reset(reader);
}

}  // namespace sluice::test
