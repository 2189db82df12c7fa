#include "common/reading/read_queue.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sluice::files {

// The thread uses the read's buffer, descriptor, offset and size. The loop leaves these alone until done().
class ReadQueue::ThreadRead final : public Work {
 public:
  ThreadRead(ReadQueue& queue, ReadRef read) : queue_(queue), read_(std::move(read)) {}
  void run() override {
    std::size_t filled = 0;
    while (filled < read_->size) {
      const ssize_t got = pread(read_->file->fd(), read_->buffer->data() + filled, read_->size - filled,
                                static_cast<off_t>(read_->offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) result_ = -errno;
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    if (result_ == 0) result_ = static_cast<std::int64_t>(filled);
  }
  void done(bool ran) override {
    if (ran && result_ >= 0) read_->file->extents_mapped = true;
    queue_.finish(read_, ran ? result_ : -ETIMEDOUT);
  }

 private:
  ReadQueue& queue_;
  ReadRef read_;
  std::int64_t result_ = 0;
};

ReadQueue::ReadQueue(Host& host) : host_(host), thread_reads_(host.counter("thread_reads")) {}

ReadQueue::~ReadQueue() {
  if (retry_.value != 0) host_.cancel(retry_);
}

void ReadQueue::ask(const ReadRef& read) {
  waiting_.push_back(read);
  start_waiting();
}

void ReadQueue::drop(const ReadRef& read) {
  read->user = nullptr;
  if (read->state == Read::State::waiting) {
    std::erase(waiting_, read);
    read->state = Read::State::finished;
  } else if (read->state == Read::State::finished && read->buffer != nullptr) {
    give_back(std::move(read->buffer));
  }
}

BufferRef ReadQueue::take_buffer() {
  BufferRef buffer = pool_.take();
  if (buffer != nullptr) return buffer;
  reclaim();
  return pool_.take();
}

void ReadQueue::give_back(BufferRef buffer) {
  pool_.give_back(std::move(buffer));
  // Not at once, since the caller may be in the middle of something. A turn later is soon enough.
  if (!waiting_.empty() && retry_.value == 0) retry_ = host_.timer(0, *this);
}

// Takes buffers from those that have held theirs for long enough, until one is free.
void ReadQueue::reclaim() {
  for (auto next = holders_.begin(); next != holders_.end() && pool_.exhausted();) {
    const Holder holder = *next++;  // giving up buffers removes it from the list
    if (host_.now_ms() - holder.since_ms < kHoldMsMin) return;
    holder.user->give_up_buffers();
  }
}

void ReadQueue::start_waiting() {
  while (running_ < kRunningMax && next_to_start() != waiting_.end()) {
    BufferRef buffer = take_buffer();
    if (buffer == nullptr) break;
    // A reader that gave up a buffer also drops the read that it had asked for, which may have been the last.
    const auto next = next_to_start();
    if (next == waiting_.end()) return pool_.give_back(std::move(buffer));
    const ReadRef read = std::move(*next);
    waiting_.erase(next);
    read->buffer = std::move(buffer);
    start(read);
  }
  // If enough reads are under way, the next one that ends comes here again.
  if (running_ < kRunningMax && retry_.value == 0 && next_to_start() != waiting_.end())
    retry_ = host_.timer(kRetryMs, *this);
}

std::deque<ReadRef>::iterator ReadQueue::next_to_start() {
  return std::find_if(waiting_.begin(), waiting_.end(), [&](const ReadRef& read) {
    if (read->file->is_local() || remote_.empty()) return true;
    const auto running = remote_.find(read->file->facts().device);
    return running == remote_.end() || running->second < kRemoteMax;
  });
}

void ReadQueue::start(const ReadRef& read) {
  read->state = Read::State::running;
  ++running_;
  if (!read->file->is_local()) ++remote_[read->file->facts().device];
  host_.hold();
  if (engine_ != nullptr && engine_->start(read)) return;
  read_on_thread(read);
}

void ReadQueue::read_on_thread(const ReadRef& read) {
  auto work = std::make_unique<ThreadRead>(*this, read);
  if (host_.offload(work.get())) {
    static_cast<void>(work.release());
    host_.count(thread_reads_, 1);
    return;
  }
  refused_.push_back(read);
  if (retry_.value == 0) retry_ = host_.timer(kRetryMs, *this);
}

void ReadQueue::fired() {
  retry_ = TimerId{};
  for (auto again = std::exchange(refused_, {}); !again.empty(); again.pop_front()) {
    if (again.front()->user != nullptr) {
      read_on_thread(again.front());
    } else {
      finish(again.front(), -ECANCELED);
    }
  }
  start_waiting();
}

void ReadQueue::finish(const ReadRef& read, std::int64_t result) {
  read->result = result;
  read->state = Read::State::finished;
  --running_;
  if (const auto remote = remote_.find(read->file->facts().device);
      !read->file->is_local() && --remote->second == 0) {
    remote_.erase(remote);
  }
  if (read->user != nullptr) {
    read->user->read_finished();
    host_.resume(read->ticket);
  } else if (read->buffer != nullptr) {
    pool_.give_back(std::move(read->buffer));
  }
  start_waiting();
  host_.release();  // the last reference to this queue may end here
}

}  // namespace sluice::files
