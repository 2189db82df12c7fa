#include "exchange/transformed_content.h"

#include <algorithm>

namespace sluice {

// Where what is inside writes: nothing is framed yet, and nothing is sent without a copy.
class TransformedContent::InputSink final : public Sink {
 public:
  InputSink(std::string& input, Sink& outer) : input_(input), outer_(outer) {}
  std::uint64_t room() const override { return kInputMax - std::min(kInputMax, input_.size()); }
  Moved write(const Bytes* pieces, std::uint32_t count) override {
    Moved moved;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t taken = std::min<std::size_t>(pieces[i].size, room());
      input_.append(pieces[i].data, taken);
      moved.size += taken;
      if (taken < pieces[i].size) {
        moved.status = Io::full;
        break;
      }
    }
    return moved;
  }
  Moved send_file(int, std::uint64_t, std::uint64_t) override { return {0, Io::unsupported, 0}; }
  bool trailer(Bytes name, Bytes value) override { return outer_.trailer(name, value); }

 private:
  std::string& input_;
  Sink& outer_;
};

bool TransformedContent::wake(const ModuleInstance& module) {
  const bool inside = inner_ != nullptr ? inner_->wake(module) : body_.is_of(module);
  const bool own = transform_.is_of(module);
  inside_woken_ = inside_woken_ || inside;
  woken_ = woken_ || own;
  return inside || own;
}

ModuleInstance* TransformedContent::waits_for() const {
  if (inside_ != Progress::parked || parked_) return &transform_.instance();
  if (inner_ != nullptr) return inner_->waits_for();
  return body_ ? &body_.instance() : nullptr;
}

Progress TransformedContent::pump_inside(Sink& sink) {
  if (inner_ != nullptr) return inner_->pump(sink);
  if (body_) {
    Progress progress = Progress::failed;
    threw_ = !body_.call([&](Body& body) { progress = body.pump(sink); });
    return progress;
  }
  const Bytes piece(bytes_);
  bytes_.remove_prefix(sink.write(&piece, 1).size);
  return bytes_.empty() ? Progress::done : Progress::more;
}

Progress TransformedContent::break_contract(std::string_view what) {
  ModuleInstance* const by = inner_ != nullptr ? &inner_->instance() : body_ ? &body_.instance() : nullptr;
  if (by != nullptr) by->report_fault(what);
  return Progress::failed;
}

Progress TransformedContent::fill(Sink& outer) {
  if (inside_ == Progress::done || (inside_ == Progress::parked && !inside_woken_)) return inside_;
  InputSink sink(input_, outer);
  if (sink.room() == 0) return Progress::more;
  inside_woken_ = false;
  const std::size_t before = input_.size();
  const Progress progress = pump_inside(sink);
  const std::size_t came = input_.size() - before;
  if (came > left_) return break_contract("it wrote more than it had declared");
  if (left_ != kUnknownSize) left_ -= came;
  if (progress == Progress::done && left_ != kUnknownSize && left_ > 0)
    return break_contract("it wrote less than it had declared");
  // It may have been resumed before it said that it parks.
  return progress == Progress::parked && inside_woken_ ? Progress::more : progress;
}

Passed TransformedContent::pass(Sink& sink) {
  const Follows follows = inside_ == Progress::done     ? Follows::nothing
                          : inside_ == Progress::parked ? Follows::silence
                                                        : Follows::input;
  Passed passed{0, Progress::failed, 0};
  woken_ = false;
  const bool threw =
      !transform_.call([&](Transform& transform) { passed = transform.pass(Bytes(input_), follows, sink); });
  threw_ = threw_ || threw;
  passed.size = std::min<std::uint64_t>(passed.size, input_.size());
  if (threw) passed.progress = Progress::failed;
  input_.erase(0, static_cast<std::size_t>(passed.size));
  return passed;
}

Progress TransformedContent::pump(Sink& sink) {
  if (parked_ && !woken_) return Progress::parked;
  // The transform is called even if there is no room: the end of its content may need none.
  for (std::uint64_t taken = 0; taken < kPumpMax;) {
    const std::size_t before = input_.size();
    inside_ = fill(sink);
    if (inside_ == Progress::failed) return Progress::failed;
    const Passed passed = pass(sink);
    taken += passed.size;
    parked_ = passed.progress == Progress::parked;
    if (parked_) return woken_ ? Progress::more : Progress::parked;
    if (passed.progress == Progress::failed) return Progress::failed;
    const bool is_done = passed.progress == Progress::done;
    if (is_done && inside_ == Progress::done) return Progress::done;
    const bool has_moved = passed.size > 0 || input_.size() != before;
    if (is_done && inside_ == Progress::parked && (input_.empty() || !has_moved)) return Progress::parked;
    if (sink.room() == 0 || !has_moved) return Progress::more;
  }
  return Progress::more;
}

}  // namespace sluice
