// The bytes that a connection has received and not used up. They lie in one buffer: the request's head stays in
// one piece until the request ends, and the body passes through the room behind it.
//
// The first buffer is small, because most requests have only a head, and its views keep the buffer until the
// answer is sent. A larger request moves to a large buffer before views of it are used.
//
// Loop thread. Views of the head are valid until `next_request`, and views of the body until `use`.
#pragma once

#include <cstring>
#include <string_view>
#include <utility>

#include "base/monotonic_clock.h"
#include "transport/buffer_pool.h"
#include "transport/transport.h"

namespace sluice {

struct InputBuffers {
  static constexpr std::size_t kSmallSize = 2 * 1024;
  // How much room for the body the largest head leaves.
  static constexpr std::size_t kBodyRoom = 16 * 1024;

  explicit InputBuffers(std::size_t head_bytes_max) : large(head_bytes_max + kBodyRoom) {}
  BufferPool small{kSmallSize};
  BufferPool large;
};

class Input {
 public:
  explicit Input(InputBuffers& buffers) : buffers_(buffers) {}
  ~Input() { pool_->give(std::move(buffer_)); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // All bytes from the request's first on. REQUIRES: the head is incomplete.
  std::string_view head() const { return {buffer_.get() + head_begin_, end_ - head_begin_}; }
  // The bytes behind the head that are not used up.
  std::string_view rest() const { return {buffer_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  // Sees to room behind the head if the body has not come whole: kBodyRoom at least. Returns whether the head
  // has moved, so that the caller has to parse it again. Called before `head_ends`.
  bool make_room_for_body(std::size_t head_size, std::uint64_t body_size) {
    const std::size_t head_end = head_begin_ + head_size;
    if (body_size <= end_ - head_end) return false;
    if (!is_large()) {
      enlarge();
    } else if (pool_->buffer_size() - head_end < InputBuffers::kBodyRoom) {
      move_to_front();  // requests before this one have used the buffer
    } else {
      return false;
    }
    return true;
  }
  void head_ends(std::size_t head_size) { begin_ = body_begin_ = head_begin_ + head_size; }
  void use(std::size_t size) { begin_ += size; }
  // Forgets the head. The bytes that are left begin the next head.
  void next_request() {
    head_begin_ = body_begin_ = begin_;
    if (empty()) {
      head_begin_ = body_begin_ = begin_ = end_ = 0;
      filled_ = false;
      return;
    }
    // The time at which these bytes came is not known; they have arrived by now.
    if (received_ns_ == 0) received_ns_ = monotonic_ns();
    arrived_ns_ = received_ns_;
  }
  // Moves the unused bytes to the front, or to the end of a head in use, and receives behind them.
  // `announced_ns` is the time at which epoll reported the new bytes, or 0. Sets `filled` when the buffer is
  // full, so the socket may hold more. REQUIRES: no view of the body is in use, and make_room_for_body was
  // called if the request has a body.
  Moved receive(Transport& transport, std::uint64_t announced_ns, bool& filled) {
    if (buffer_ == nullptr) buffer_ = pool_->take();
    // A head that fills the small buffer goes on in a large one.
    if (filled_ && !is_large() && is_head_incomplete()) enlarge();
    move_to_front();
    const std::size_t room = pool_->buffer_size() - end_;
    if (room == 0) return {0, Io::full};  // receiving no bytes would look like the client's end
    const Moved moved = transport.receive(buffer_.get() + end_, room);
    // A head that comes in pieces arrives with its last piece: half a head is not a request yet.
    if (is_head_incomplete() && moved.size > 0) {
      arrived_ns_ = announced_ns != 0 && empty() ? announced_ns : monotonic_ns();
    }
    received_ns_ = 0;
    end_ += moved.size;
    filled = filled_ = moved.size == room;
    return moved;
  }
  // When the last bytes of the request's head arrived, or a later time if that is not known.
  std::uint64_t arrived_ns() const { return arrived_ns_; }
  // Much may come at once, so the next buffer is a large one. REQUIRES: empty().
  void expect_much() {
    if (buffer_ == nullptr) pool_ = &buffers_.large;
  }
  // Takes the bytes of another session of the same connection. REQUIRES: nothing was taken or received before.
  void take(Input& other) {
    std::swap(pool_, other.pool_);
    std::swap(buffer_, other.buffer_);
    arrived_ns_ = other.arrived_ns_;
    head_begin_ = body_begin_ = begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    other.head_begin_ = other.body_begin_ = 0;
    filled_ = std::exchange(other.filled_, false);
  }
  // Gives the buffer back. REQUIRES: empty(), and no view of the head is in use.
  void release() {
    pool_->give(std::move(buffer_));
    pool_ = &buffers_.small;
    head_begin_ = body_begin_ = begin_ = end_ = 0;
    filled_ = false;
  }

 private:
  bool is_large() const { return pool_ == &buffers_.large; }
  bool is_head_incomplete() const { return head_begin_ == body_begin_; }

  void enlarge() {
    BufferPool::Buffer large = buffers_.large.take();
    std::memcpy(large.get(), buffer_.get() + head_begin_, end_ - head_begin_);
    pool_->give(std::exchange(buffer_, std::move(large)));
    pool_ = &buffers_.large;
    body_begin_ -= head_begin_;
    begin_ -= head_begin_;
    end_ -= head_begin_;
    head_begin_ = 0;
  }
  void move_to_front() {
    // A head in use stays where it is.
    const std::size_t front = is_head_incomplete() ? 0 : body_begin_;
    if (begin_ == front) return;
    const std::size_t kept = end_ - begin_;
    std::memmove(buffer_.get() + front, buffer_.get() + begin_, kept);
    if (is_head_incomplete()) head_begin_ = front;  // the parser keeps offsets, no pointers
    body_begin_ = begin_ = front;
    end_ = front + kept;
  }

  InputBuffers& buffers_;
  BufferPool* pool_ = &buffers_.small;  // the pool of buffer_
  BufferPool::Buffer buffer_;
  std::uint64_t arrived_ns_ = 0;
  std::uint64_t received_ns_ = 0;  // all bytes had arrived by then; 0 until next_request reads the clock
  std::size_t head_begin_ = 0;     // head_begin_ <= body_begin_ <= begin_ <= end_
  std::size_t body_begin_ = 0;     // equal to head_begin_ while the head is incomplete
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_ = false;  // the last receive has filled the buffer
};

}  // namespace sluice
