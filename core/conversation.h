// What a connection has while it is at work on a request: its buffers, the parser and the exchange.
//
// Lent by the ConnectionTable, which keeps spare ones. Loop thread.
#pragma once

#include "body_sink.h"
#include "exchange.h"
#include "input.h"
#include "output.h"
#include "request_parser.h"

namespace sluice {

struct Conversation {
  Conversation(BufferPool& inputs, BufferPool& outputs, const Limits& limits)
      : input(inputs), output(outputs), parser(limits) {}

  Input input;
  Output output;
  RequestParser parser;
  HttpExchange exchange;
  BodyFraming framing;
  std::string path;                // decoded, where the target had to be
  std::uint64_t handled_ns = 0;    // when the handler was called, by the loop's clock
  std::uint64_t content_sent = 0;  // of Answer::content
  bool handled = false;            // the handler has been called
  bool parked = false;             // the body waits to be resumed
  bool stalled = false;            // the body had room, wrote nothing, and wants to be called again
  bool content_done = false;       // the answer's body or content has been taken whole
  bool sent = false;               // and its framing too
  bool keep = false;               // the connection, after this exchange

  void next_request() {
    input.next_request();
    parser.start();
    framing = {};
    content_sent = 0;
    handled = parked = stalled = content_done = sent = keep = false;
  }
};

}  // namespace sluice
