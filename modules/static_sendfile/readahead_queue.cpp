#include "static_sendfile/readahead_queue.h"

#include <algorithm>
#include <utility>

#include "common/residency.h"

namespace sluice {

using files::Residency;

class ReadaheadQueue::ThreadReadahead final : public Work {
 public:
  ThreadReadahead(ReadaheadQueue& queue, ReadaheadRef wish)
      : queue_(queue),
        wish_(std::move(wish)),
        fd_(wish_->file->fd()),
        offset_(wish_->offset),
        size_(wish_->size) {}
  void run() override { files::begin_reading(fd_, offset_, size_); }
  void done(bool ran) override {
    if (ran) wish_->file->extents_mapped = true;
    wish_->started = true;
    wish_->give_up_ms = ran ? queue_.host_.now_ms() + kPatienceMs : 0;
    queue_.look(*wish_);  // it may have been in memory all along
  }

 private:
  ReadaheadQueue& queue_;
  ReadaheadRef wish_;
  const int fd_;
  const std::uint64_t offset_;
  const std::uint64_t size_;
};

ReadaheadQueue::ReadaheadQueue(Host& host) : host_(host), readaheads_(host.counter("readaheads")) {}

ReadaheadQueue::~ReadaheadQueue() {
  if (timer_.value != 0) host_.cancel(timer_);
}

void ReadaheadQueue::ask(const ReadaheadRef& wish) {
  waiting_.push_back(wish);
  start_waiting();
  keep_looking();
}

void ReadaheadQueue::drop(const ReadaheadRef& wish) {
  wish->wanted = false;
  if (wish->state == Readahead::State::waiting) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), wish));
    wish->state = Readahead::State::hopeless;
  }
}

void ReadaheadQueue::fired() {
  timer_ = TimerId{};
  for (auto next = reading_.begin(); next != reading_.end();) {
    Readahead& wish = **next;
    if (wish.started) look(wish);
    // A body that has been woken may be gone on; the rest of its range is still under way.
    const bool over =
        wish.started && (wish.give_up_ms <= host_.now_ms() ||
                         files::residency(*wish.file, wish.offset + wish.size - 1, 1) == Residency::resident);
    if (!over) {
      ++next;
      continue;
    }
    if (wish.state == Readahead::State::reading) settle(wish, Readahead::State::hopeless);
    in_flight_ -= wish.size;
    next = reading_.erase(next);
  }
  start_waiting();
  keep_looking();
}

void ReadaheadQueue::look(Readahead& wish) {
  if (wish.state != Readahead::State::reading) return;
  const Residency found = files::residency(*wish.file, wish.offset, wish.window);
  if (found == Residency::resident) settle(wish, Readahead::State::resident);
  if (found == Residency::unknown) settle(wish, Readahead::State::hopeless);
}

void ReadaheadQueue::settle(Readahead& wish, Readahead::State state) {
  wish.state = state;
  if (wish.wanted) host_.resume(wish.ticket);
}

void ReadaheadQueue::start_waiting() {
  while (!waiting_.empty()) {
    const ReadaheadRef wish = waiting_.front();
    if (in_flight_ > 0 && in_flight_ + wish->size > kInFlightMax) return;
    if (!start(wish)) return;
    wish->state = Readahead::State::reading;
    in_flight_ += wish->size;
    reading_.push_back(wish);
    waiting_.pop_front();
    host_.count(readaheads_, 1);
  }
}

// False when no thread will take it now: the timer tries again.
bool ReadaheadQueue::start(const ReadaheadRef& wish) {
  if (!wish->file->extents_mapped || wish->file->facts().has_holes) {
    auto work = std::make_unique<ThreadReadahead>(*this, wish);
    if (!host_.offload(work.get())) return false;
    static_cast<void>(work.release());
    return true;
  }
  files::begin_reading(wish->file->fd(), wish->offset, wish->size);
  wish->started = true;
  wish->give_up_ms = host_.now_ms() + kPatienceMs;
  return true;
}

void ReadaheadQueue::keep_looking() {
  if (timer_.value == 0 && !(waiting_.empty() && reading_.empty())) timer_ = host_.timer(kLookEveryMs, *this);
}

}  // namespace sluice
