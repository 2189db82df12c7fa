// What a connection has received and not used up: one buffer, in which a request's head lies in one piece while
// the request lasts, and its body passes through the room behind it.
//
// Loop thread. Views of the head live until `next_request`; bytes of the body until they are used up.
#pragma once

#include <cstring>
#include <string_view>

#include "base/monotonic_clock.h"
#include "transport/buffer_pool.h"
#include "transport/transport.h"

namespace sluice {

class Input {
 public:
  explicit Input(BufferPool& pool) : pool_(pool) {}
  ~Input() { pool_.give(std::move(buffer_)); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // From the request's first byte on, while its head is incomplete.
  std::string_view head() const { return {buffer_.get() + head_begin_, end_ - head_begin_}; }
  // Behind the head: what is not used up.
  std::string_view rest() const { return {buffer_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  void head_ends(std::size_t head_size) { begin_ = body_begin_ = head_begin_ + head_size; }
  void use(std::size_t size) { begin_ += size; }
  // The head is no longer needed; what is left begins the next one.
  void next_request() {
    head_begin_ = body_begin_ = begin_;
    if (empty()) {
      head_begin_ = body_begin_ = begin_ = end_ = 0;
      return;
    }
    // When it came is not known, but it is here.
    if (received_ns_ == 0) received_ns_ = monotonic_ns();
    arrived_ns_ = received_ns_;
  }
  // Whether `receive` can take anything in.
  bool has_room() const {
    return buffer_ == nullptr || end_ - begin_ < pool_.buffer_size() - body_begin_to_keep();
  }
  // Receives behind what is there, which moves to the front as far as the head allows. `announced_ns` is when
  // what comes was known to have begun to arrive, 0 when it was not. `filled` tells that there may be more.
  // REQUIRES: has_room(), and nobody looks at a piece of the body.
  Moved receive(Transport& transport, std::uint64_t announced_ns, bool& filled) {
    if (buffer_ == nullptr) buffer_ = pool_.take();
    move_to_front();
    const std::size_t room = pool_.buffer_size() - end_;
    const Moved moved = transport.receive(buffer_.get() + end_, room);
    // Of a head that comes in pieces the last one counts: who sends half of it does not know yet what it will
    // find.
    if (head_begin_ == body_begin_ && moved.size > 0) {
      arrived_ns_ = announced_ns != 0 && empty() ? announced_ns : monotonic_ns();
    }
    received_ns_ = 0;
    end_ += moved.size;
    filled = moved.size == room;
    return moved;
  }
  // The request had begun to arrive by then.
  std::uint64_t arrived_ns() const { return arrived_ns_; }
  // Gives the buffer back. REQUIRES: empty(), and no head is looked at.
  void release() {
    pool_.give(std::move(buffer_));
    head_begin_ = body_begin_ = begin_ = end_ = 0;
  }

 private:
  // Where the bytes that must stay end: behind a head in use, at the front while a head is incomplete.
  std::size_t body_begin_to_keep() const { return head_begin_ == body_begin_ ? 0 : body_begin_; }

  void move_to_front() {
    const std::size_t front = body_begin_to_keep();
    if (begin_ == front) return;
    const std::size_t kept = end_ - begin_;
    std::memmove(buffer_.get() + front, buffer_.get() + begin_, kept);
    if (head_begin_ == body_begin_) head_begin_ = front;  // the parser knows a head by offsets
    body_begin_ = begin_ = front;
    end_ = front + kept;
  }

  BufferPool& pool_;
  BufferPool::Buffer buffer_;
  std::uint64_t arrived_ns_ = 0;
  std::uint64_t received_ns_ = 0;  // what is there had come by then; 0: nobody has asked yet
  std::size_t head_begin_ = 0;     // head_begin_ <= body_begin_ <= begin_ <= end_
  std::size_t body_begin_ = 0;     // equal to head_begin_ while the head is incomplete
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sluice
