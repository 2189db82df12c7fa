#include "exchange/request_body.h"

#include <algorithm>
#include <utility>

namespace sluice {

void RequestBody::begin(std::uint64_t size, bool expects_continue) {
  state_ = size == 0 ? State::none : State::wanted;
  expects_continue_ = expects_continue && size > 0;
  came_ = paused_ = draining_ = tunnel_ = false;
  refusal_ = {};
  taken_ = 0;
  pace_.start();
}

void RequestBody::end() {
  reader_.reset();
  state_ = State::none;
}

// A reader of an empty body gets its end, too.
void RequestBody::attach(ModuleOwned<Reader> reader) {
  reader_ = std::move(reader);
  if (state_ == State::none || state_ == State::wanted) state_ = State::flowing;
}

void RequestBody::open_tunnel(ModuleOwned<Reader> reader) {
  reader_ = std::move(reader);
  state_ = State::flowing;
  tunnel_ = true;
}

void RequestBody::drain(std::uint64_t bytes_max) {
  if (state_ != State::wanted) return;
  state_ = State::flowing;
  draining_ = true;
  drain_left_ = bytes_max;
}

void RequestBody::break_off(const Refusal& refusal) {
  state_ = State::refused;
  refusal_ = refusal;
}

std::size_t RequestBody::offer(std::string_view content) {
  if (draining_) return discard(content.size());
  std::uint64_t taken = 0;
  if (!reader_.call([&](Reader& reader) { taken = reader.take(Bytes(content)); })) {
    break_off({500});
    return 0;
  }
  paused_ = taken < content.size();
  taken = std::min<std::uint64_t>(taken, content.size());
  taken_ += taken;
  return static_cast<std::size_t>(taken);
}

std::size_t RequestBody::discard(std::size_t size) {
  if (size > drain_left_) {
    state_ = State::refused;
    return 0;
  }
  drain_left_ -= size;
  taken_ += size;
  return size;
}

void RequestBody::finish() {
  state_ = State::done;
  if (reader_ && !reader_.call([](Reader& reader) { reader.end(); })) break_off({500});
}

}  // namespace sluice
