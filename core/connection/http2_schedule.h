// Which stream of an HTTP/2 connection runs next (RFC 9218 section 10).
//
// Streams for which something has come go first, so that a small answer never waits for a large one. Then comes
// the most urgent answer. Equal ones take turns, but a client may ask for one after the other. While the
// connection's window is shut, answers keep their places.
//
// Loop thread. The streams are the session's.
#pragma once

#include <array>
#include <vector>

#include "connection/http2_stream.h"

namespace sluice {

class Http2Schedule {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  bool has_fresh() const { return !fresh_.empty(); }
  // Adds a stream for which something has come.
  void add_fresh(Http2Stream& stream) { add(stream, fresh_); }
  // Adds a stream behind equal ones.
  void add(Http2Stream& stream) { add(stream, queues_[stream.priority.urgency]); }
  // The same, for one that has had its turn.
  void add_again(Http2Stream& stream) {
    const bool goes_on = stream.priority.said && !stream.priority.incremental;
    if (stream.is_ready || !goes_on) return add(stream);  // a module may have resumed it meanwhile
    Queue& queue = queues_[stream.priority.urgency];
    queue.streams.insert(queue.streams.begin() + static_cast<std::ptrdiff_t>(queue.taken), &stream);
    note(stream);
  }
  // Takes the next stream out; null if there is none. `waits`: its content has to wait for a more urgent one.
  // Only fresh ones come while the connection's window is shut.
  Http2Stream* take(bool& waits) {
    waits = false;
    Http2Stream* stream = fresh_.take();
    const auto more_urgent = [&](std::uint8_t urgency) {
      for (std::uint8_t i = 0; i < urgency; ++i) {
        if (!queues_[i].empty()) return true;
      }
      return false;
    };
    if (stream != nullptr) waits = more_urgent(stream->priority.urgency);
    for (std::size_t i = 0; i < queues_.size() && stream == nullptr; ++i) stream = queues_[i].take();
    if (stream == nullptr) return nullptr;
    --size_;
    stream->is_ready = false;
    return stream;
  }
  void remove(Http2Stream& stream) {
    if (!stream.is_ready) return;
    bool found = fresh_.remove(stream);
    for (std::size_t i = 0; i < queues_.size() && !found; ++i) found = queues_[i].remove(stream);
    --size_;
    stream.is_ready = false;
  }

 private:
  struct Queue {
    std::vector<Http2Stream*> streams;
    std::size_t taken = 0;  // from its front

    bool empty() const { return taken == streams.size(); }
    Http2Stream* take() {
      if (empty()) return nullptr;
      Http2Stream* stream = streams[taken++];
      if (empty()) {
        streams.clear();
        taken = 0;
      }
      return stream;
    }
    bool remove(const Http2Stream& stream) {
      for (std::size_t i = taken; i < streams.size(); ++i) {
        if (streams[i] != &stream) continue;
        streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(i));
        return true;
      }
      return false;
    }
  };

  void add(Http2Stream& stream, Queue& queue) {
    if (stream.is_ready) return;
    queue.streams.push_back(&stream);
    note(stream);
  }
  void note(Http2Stream& stream) {
    stream.is_ready = true;
    ++size_;
  }

  Queue fresh_;
  std::array<Queue, Http2Priority::kUrgencies> queues_;
  std::size_t size_ = 0;
};

}  // namespace sluice
