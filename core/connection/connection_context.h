// What all connections of a worker use. It outlives them. Loop thread.
#pragma once

#include "exchange/stream.h"
#include "http/http_date.h"
#include "transport/input.h"

namespace sluice {

struct ConnectionContext : StreamContext {
  HttpDate& date;
  InputBuffers& inputs;
  BufferPool& outputs;
  bool draining = false;  // requests are answered, but no connection is kept
};

}  // namespace sluice
