// What all workers of a server share, for their modules. The supervisor makes it once, so it outlives workers,
// changes of modules, and reloads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/shared_mapping.h"
#include "base/shared_name.h"
#include "base/shared_numbers.h"
#include "base/worker_claims.h"

namespace sluice {

// Which parts of confinement a worker has told to be missing, as bits of `confined::`.
struct ToldParts {
  std::atomic<std::uint64_t> missing;
};

struct SharedState {
  static Result<std::shared_ptr<const SharedState>> make();

  SharedNames names;
  SharedNumbers numbers;
  WorkerClaims claims;
  SharedMapping<ToldParts> told;
};

inline Result<std::shared_ptr<const SharedState>> SharedState::make() {
  auto names = SharedNames::make();
  if (!names) return Unexpected(names.error());
  auto numbers = SharedNumbers::make();
  if (!numbers) return Unexpected(numbers.error());
  auto claims = WorkerClaims::make();
  if (!claims) return Unexpected(claims.error());
  auto told = map_shared<ToldParts>("workers get no memory for what they have told");
  if (!told) return Unexpected(told.error());
  return std::make_shared<const SharedState>(
      SharedState{*names, std::move(*numbers), std::move(*claims), std::move(*told)});
}

// The seat of one worker. A worker without a state, such as one that is made to be tried, makes its own.
struct StatePlace {
  std::shared_ptr<const SharedState> state;
  unsigned seat = 0;
};

}  // namespace sluice
