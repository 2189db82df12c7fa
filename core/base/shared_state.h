// What all workers of a server share, for their modules. The supervisor makes it once, so it outlives workers,
// changes of modules, and reloads.
#pragma once

#include <memory>
#include <utility>

#include "base/shared_name.h"
#include "base/shared_numbers.h"
#include "base/worker_claims.h"

namespace sluice {

struct SharedState {
  static Result<std::shared_ptr<const SharedState>> make();

  SharedNames names;
  SharedNumbers numbers;
  WorkerClaims claims;
};

inline Result<std::shared_ptr<const SharedState>> SharedState::make() {
  auto names = SharedNames::make();
  if (!names) return Unexpected(names.error());
  auto numbers = SharedNumbers::make();
  if (!numbers) return Unexpected(numbers.error());
  auto claims = WorkerClaims::make();
  if (!claims) return Unexpected(claims.error());
  return std::make_shared<const SharedState>(SharedState{*names, std::move(*numbers), std::move(*claims)});
}

// The seat of one worker. A worker without a state, such as one that is made to be tried, makes its own.
struct StatePlace {
  std::shared_ptr<const SharedState> state;
  unsigned seat = 0;
};

}  // namespace sluice
