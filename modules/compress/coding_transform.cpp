#include "compress/coding_transform.h"

namespace sluice::compress {

CodingTransform::~CodingTransform() {
  host_.count(counters_.bytes_in, bytes_in_);
  host_.count(counters_.bytes_out, bytes_out_);
}

// What was begun is completed first: new input may have come since.
CodingTransform::Next CodingTransform::next(bool has_input, Follows follows) const {
  if (under_way_ != Push::nothing) return {false, under_way_};
  if (has_input) return {false, Push::nothing};
  if (follows == Follows::nothing && !ended_) return {false, Push::end};
  if (follows == Follows::silence && unflushed_) return {false, Push::flush};
  return {true, Push::nothing};
}

bool CodingTransform::write_unsent(Sink& sink) {
  if (unsent_.empty()) return true;
  const Bytes piece(unsent_);
  const Moved moved = sink.write(&piece, 1);
  unsent_.erase(0, static_cast<std::size_t>(moved.size));
  lost_ = moved.status == Io::lost;
  return unsent_.empty() && !lost_;
}

std::size_t CodingTransform::code(Bytes input, Push push, Sink& sink) {
  char made[Coder::kRoom];
  const Step step = coder_->step(push == Push::nothing ? input : Bytes(), push, made);
  bytes_in_ += step.taken;
  bytes_out_ += step.made;
  unflushed_ = unflushed_ || step.taken > 0;
  if (recording_ != nullptr && step.taken > 0) recording_->add({input.data, step.taken});
  if (push != Push::nothing) {
    under_way_ = step.is_through ? Push::nothing : push;
    unflushed_ = !step.is_through;
    ended_ = push == Push::end && step.is_through;
    if (recording_ != nullptr && ended_) recording_->end();
  }
  const Bytes piece(made, step.made);
  const Moved moved = step.made > 0 ? sink.write(&piece, 1) : Moved{};
  lost_ = moved.status == Io::lost;
  unsent_.assign(made + moved.size, step.made - static_cast<std::size_t>(moved.size));
  return step.taken;
}

// Without room the turn is over anyway.
Passed CodingTransform::go_on_later(std::size_t taken) {
  coded_in_turn_ = 0;
  return {taken, Progress::more, 0};
}

Passed CodingTransform::pass(Bytes input, Follows follows, Sink& sink) {
  std::size_t taken = 0;
  for (;;) {
    const bool is_written = write_unsent(sink);
    if (lost_) return {taken, Progress::failed, 0};
    if (!is_written) return go_on_later(taken);
    const Bytes left(input.data + taken, input.size - taken);
    const Next next_step = next(left.size > 0, follows);
    if (next_step.is_idle) break;
    if (sink.room() == 0) return go_on_later(taken);
    const std::size_t coded = code(left, next_step.push, sink);
    taken += coded;
    coded_in_turn_ += coded;
  }
  if (follows != Follows::input) coded_in_turn_ = 0;
  if (coded_in_turn_ < kTurnMax) return {taken, Progress::done, 0};
  coded_in_turn_ = 0;
  host_.resume(ticket_);
  return {taken, Progress::parked, 0};
}

}  // namespace sluice::compress
