// Counts an answer's content: BodyFraming for the whole answer, AnswerSink for one call of the body.
//
// Loop thread.
#pragma once

#include <sluice/handler.h>

#include <string>

#include "http/response_head.h"

namespace sluice {

// The framing of one answer, from its head on.
struct BodyFraming {
  Framing kind = Framing::none;
  std::uint64_t remaining = 0;  // how much of the declared size is left; kUnknownSize if none was declared
  bool overrun = false;         // the body wrote more than it had declared
  std::string trailers = {};    // lines behind the content, "Name: value\r\n" each
};

// The Sink of one call of Body::pump. The session that carries the stream makes it.
class AnswerSink : public Sink {
 public:
  // Whether the session took less than was offered. It reports when it has room again.
  bool is_full() const { return full_; }
  // Whether the client is gone.
  bool is_lost() const { return lost_; }
  // How many bytes of content the session took.
  std::uint64_t moved() const { return moved_; }

  // Ends the content. full: call it again when there is room.
  virtual Io finish() = 0;

  bool trailer(Bytes name, Bytes value) override;

 protected:
  explicit AnswerSink(BodyFraming& framing) : framing_(framing) {}
  ~AnswerSink() = default;

  BodyFraming& framing_;

  std::uint64_t moved_ = 0;
  bool full_ = false;
  bool lost_ = false;
};

}  // namespace sluice
