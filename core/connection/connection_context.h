// What all connections of a worker use; lives longer than they do. Loop thread.
#pragma once

#include "exchange/stream.h"
#include "http/http_date.h"
#include "transport/input.h"

namespace sluice {

struct ConnectionContext : StreamContext {
  HttpDate& date;
  InputBuffers& inputs;
  BufferPool& outputs;
  bool draining = false;  // answer what comes, but keep no connection
};

}  // namespace sluice
