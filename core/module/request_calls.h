// The offloaded calls that a request has caused, so that a client cannot have more of them at work than it may
// have requests: they go on when the request has ended.
//
// A call counts if the module was called for the request when it offloaded it. Loop thread. Shared by the
// request and its calls; the last one frees it.
#pragma once

#include <sluice/abi.h>

#include <memory>

namespace sluice {

class RequestCalls {
 public:
  bool any() const { return running_ > 0; }
  void begin() { ++running_; }
  void end() { --running_; }

 private:
  unsigned running_ = 0;
};

// A request as modules see it, and what the server keeps beside it.
struct HandledRequest : Request {
  // Null until the first call.
  mutable std::shared_ptr<RequestCalls> calls;
};

}  // namespace sluice
