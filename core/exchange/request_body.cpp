#include "exchange/request_body.h"

#include <algorithm>

namespace sluice {

void RequestBody::begin(std::uint64_t size, bool expects_continue, const Request& request) {
  request_ = &request;
  state_ = size == 0 ? State::none : State::wanted;
  expects_continue_ = expects_continue && size > 0;
  came_ = paused_ = framing_done_ = draining_ = false;
  refused_status_ = 0;
  pace_.start();
  pending_ = {};
}

void RequestBody::end(ModuleInstance* instance) {
  if (reader_ != nullptr) {
    instance->call([this] { reader_.reset(); }, request_);
  }
  state_ = State::none;
  pending_ = {};
}

bool RequestBody::attach(Reader* reader) {
  if (reader_ != nullptr || draining_) return false;
  reader_.reset(reader);
  if (state_ == State::none) {
    framing_done_ = true;  // an empty body: its end is told as that of any other
    state_ = State::flowing;
  } else if (state_ == State::wanted) {
    state_ = State::flowing;
  }
  return true;
}

void RequestBody::drain(std::uint64_t bytes_max) {
  if (state_ != State::wanted) return;
  state_ = State::flowing;
  draining_ = true;
  drain_left_ = bytes_max;
}

void RequestBody::break_off(std::uint32_t status) {
  state_ = State::refused;
  refused_status_ = status;
}

std::size_t RequestBody::consume(RequestParser& parser, ModuleInstance* instance, std::string_view bytes) {
  std::size_t used = 0;
  if (!bytes.empty()) came_ = true;
  while (state_ == State::flowing && !paused_) {
    if (!pending_.empty()) {
      if (!deliver(instance)) break;
      continue;
    }
    if (framing_done_) {
      state_ = State::done;
      if (reader_ != nullptr && !instance->call([this] { reader_->end(); }, request_)) fail_reader();
      break;
    }
    const RequestParser::BodyResult result = parser.parse_body(bytes.substr(used));
    if (result.outcome == RequestParser::Outcome::refused) {
      state_ = State::refused;
      refused_status_ = result.status;
      break;
    }
    used += result.used;
    pending_ = result.piece;
    pace_.came(pending_.size());
    framing_done_ = result.outcome == RequestParser::Outcome::complete;
    if (!framing_done_ && result.used == 0 && pending_.empty()) break;  // more bytes are needed
  }
  return used;
}

void RequestBody::fail_reader() {
  state_ = State::refused;
  refused_status_ = 500;
}

bool RequestBody::deliver(ModuleInstance* instance) {
  if (draining_) {
    if (pending_.size() > drain_left_) {
      state_ = State::refused;
      return false;
    }
    drain_left_ -= pending_.size();
    pending_ = {};
    return true;
  }
  std::uint64_t taken = 0;
  if (!instance->call([&] { taken = reader_->take(Bytes(pending_)); }, request_)) {
    fail_reader();
    return false;
  }
  pending_.remove_prefix(std::min<std::uint64_t>(taken, pending_.size()));
  paused_ = !pending_.empty();
  return !paused_;
}

}  // namespace sluice
