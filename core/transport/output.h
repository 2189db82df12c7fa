// A connection's output: heads, small contents and chunk framing are copied into one buffer and sent together.
//
// Loop thread. Finished answers stay here until the connection parks, waits or closes, so that answers to
// pipelined requests leave in one write.
#pragma once

#include <cstring>
#include <string_view>

#include "transport/buffer_pool.h"
#include "transport/transport.h"

namespace sluice {

class Output {
 public:
  explicit Output(BufferPool& pool) : pool_(pool) {}
  ~Output() { pool_.give(std::move(buffer_)); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool empty() const { return begin_ == end_; }
  std::size_t room() const { return pool_.buffer_size() - end_; }
  std::string_view pending() const { return {buffer_.get() + begin_, end_ - begin_}; }

  // REQUIRES: bytes.size() <= room().
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (buffer_ == nullptr) buffer_ = pool_.take();
    std::memcpy(buffer_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  // Where the next bytes will lie, to be written there before `append_written`. At most room() bytes.
  char* place() {
    if (buffer_ == nullptr) buffer_ = pool_.take();
    return buffer_.get() + end_;
  }
  void append_written(std::size_t size) { end_ += size; }
  // How many bytes have ever been appended.
  std::uint64_t position() const { return consumed_ + (end_ - begin_); }
  // Whether any byte that was appended behind `position` has been sent.
  bool has_sent(std::uint64_t position) const { return consumed_ > position; }
  // Removes the bytes that were appended behind `position`; false when some of them have been sent.
  bool take_back(std::uint64_t position) {
    if (has_sent(position)) return false;
    end_ = begin_ + static_cast<std::size_t>(position - consumed_);
    if (begin_ == end_) begin_ = end_ = 0;
    return true;
  }
  // The first `size` pending bytes have been sent.
  void consume(std::size_t size) {
    begin_ += size;
    consumed_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Sends the pending bytes. ok: none is left.
  Io flush(Transport& transport, bool more_follows) {
    if (empty()) return transport.flush();
    const iovec piece{buffer_.get() + begin_, end_ - begin_};
    const Moved moved = transport.send(&piece, 1, more_follows);
    consume(moved.size);
    return moved.status;
  }
  // Gives the buffer back. REQUIRES: empty().
  void release() { pool_.give(std::move(buffer_)); }

 private:
  BufferPool& pool_;
  BufferPool::Buffer buffer_;
  std::uint64_t consumed_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sluice
