// The Sink that an answer's body writes to over HTTP/2: content goes into DATA frames, files are read straight
// into them.
//
// A frame lies open in the output, behind the room for its head, until it is full or the call of the body ends.
// Behind a head that may still be taken back, it lies in Http2Common::staging instead. Made for one call of
// Body::pump; Http2Answer outlives that call. Loop thread.
//
// INVARIANT: no more than the declared size, and than both windows allow, is sent.
#pragma once

#include "connection/http2_answer.h"
#include "exchange/answer_sink.h"

namespace sluice {

class Http2Sink final : public AnswerSink {
 public:
  Http2Sink(Http2Link& link, Http2Answer& answer, BodyFraming& framing);

  std::uint64_t room() const override;
  Moved write(const Bytes* pieces, std::uint32_t count) override;
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size) override;
  Io finish() override;
  // Sends the open frame, and the head in any case, unless it was taken back.
  void close();
  // Drops what was written, with the head.
  void take_back() { open_ = 0; }
  // Whether one of the windows is used up.
  bool window_is_shut() const { return window_ == 0; }

 private:
  char* open_end();
  std::uint64_t place_left() const;
  std::uint64_t limit(std::uint64_t& size);
  bool send_frame(bool last);
  bool is_last() const { return framing_.kind == Framing::length && framing_.remaining == 0; }
  Moved taken(std::uint64_t size, std::uint64_t offered, Io otherwise);
  std::int64_t read_into_frames(int fd, std::uint64_t offset, std::uint64_t size);

  Http2Link& link_;
  Http2Answer& answer_;
  std::uint64_t window_ = 0;  // what both windows leave
  std::size_t open_ = 0;      // content of the open frame
};

}  // namespace sluice
