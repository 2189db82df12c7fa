// What a connection has while it is at work on a request: its buffers, the parser and the exchange.
//
// Lent by the ConnectionTable, which keeps spare ones. Loop thread.
#pragma once

#include "base/kept_memory.h"
#include "connection/body_sink.h"
#include "exchange/exchange.h"
#include "http/request_parser.h"
#include "transport/input.h"
#include "transport/output.h"

namespace sluice {

struct Http1Session {
  Http1Session(BufferPool& inputs, BufferPool& outputs, const Limits& limits)
      : input(inputs), output(outputs), parser(limits) {}

  Input input;
  Output output;
  RequestParser parser;
  HttpExchange exchange;
  BodyFraming framing;
  std::string path;                 // decoded, where the target had to be
  std::uint64_t handled_ns = 0;     // when the handler was called, by the loop's clock
  std::uint64_t content_sent = 0;   // of Answer::content
  std::uint64_t head_position = 0;  // in the output, of the answer's head
  bool handled = false;             // the handler has been called
  bool parked = false;              // the body waits to be resumed
  bool stalled = false;             // the body had room, wrote nothing, and wants to be called again
  bool content_done = false;        // the answer's body or content has been taken whole
  bool sent = false;                // and its framing too
  bool keep = false;                // the connection, after this exchange

  void next_request() {
    input.next_request();
    parser.start();
    framing = {};
    content_sent = head_position = 0;
    handled = parked = stalled = content_done = sent = keep = false;
  }
  // Before it is lent to another connection: ready for its first request, without buffers, and bounded.
  // REQUIRES: the exchange has ended.
  void rest() {
    constexpr std::size_t kPathKeptMax = 8 * 1024;
    output.consume(output.pending().size());
    output.release();
    input.release();
    next_request();
    parser.rest();
    give_back_above(path, kPathKeptMax);
  }
};

}  // namespace sluice
