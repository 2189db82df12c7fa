// Counts an answer's content: BodyFraming for the whole answer, AnswerSink for one pump.
//
// Loop thread.
#pragma once

#include <sluice/handler.h>

#include "http/response_head.h"

namespace sluice {

// Of one answer, from its head on.
struct BodyFraming {
  Framing kind = Framing::none;
  std::uint64_t remaining = 0;  // of the declared size; kUnknownSize when there is none
  bool overrun = false;         // the body offered more than it had declared
};

// A Sink for one pump, made by the session that carries the stream.
class AnswerSink : public Sink {
 public:
  // The client's side took less than was offered, and tells when to go on.
  bool is_full() const { return full_; }
  // The client is gone.
  bool is_lost() const { return lost_; }
  // Bytes of content that were taken.
  std::uint64_t moved() const { return moved_; }

  // Ends the content. full: call again when there is room.
  virtual Io finish() = 0;

 protected:
  ~AnswerSink() = default;

  std::uint64_t moved_ = 0;
  bool full_ = false;
  bool lost_ = false;
};

}  // namespace sluice
