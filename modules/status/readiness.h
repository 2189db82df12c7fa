// Whether a balancer should send requests to this server.
//
// It should while the server is ready, also when a module was switched off: the others serve, and a fault of
// one module in all replicas would else take the whole service away. Modules without which the server is of no
// use are named by the option `needs`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::status {

struct Readiness {
  bool is_ready = false;
  std::string text;  // lines for a person
};

// `health` is the answer to the question "health"; empty if there was none.
Readiness judge_health(std::string_view health, const std::vector<std::string>& needs);

}  // namespace sluice::status
