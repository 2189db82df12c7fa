// A request's body on its way to the reader that a handler attached: the second, small state machine of an
// exchange.
//
//     none                     the request has no body
//     wanted ──────► flowing ──► done
//        └──────────────┴──────► refused (broken framing, too much to drain)
//
// `wanted`: a body was announced and nobody takes it yet. `flowing`: a reader takes it, or it is being drained.
// Whoever parses it offers its content piece by piece, keeps what was not taken, and offers that again.
// Owns the reader. Loop thread.
#pragma once

#include <sluice/handler.h>

#include <string_view>

#include "http/pace.h"
#include "http/refusal.h"
#include "module/module_owned.h"

namespace sluice {

class RequestBody {
 public:
  enum class State : std::uint8_t { none, wanted, flowing, done, refused };

  void begin(std::uint64_t size, bool expects_continue);
  // Destroys the reader, which it takes as cancelled unless the body was done.
  void end();

  State state() const { return state_; }
  bool finished() const { return state_ == State::none || state_ == State::done; }
  // Refused: what to answer, if there is no answer yet. 500 when the reader threw. None when too much of it
  // would have to be thrown away.
  const Refusal& refusal() const { return refusal_; }
  bool wants_bytes() const { return state_ == State::flowing && !paused_; }
  bool has_reader() const { return static_cast<bool>(reader_); }
  // The reader wants no more until it is woken.
  bool paused() const { return paused_; }
  void wake() { paused_ = false; }
  // A 100 (Continue) is owed before the client sends anything.
  bool owes_continue() const { return expects_continue_ && state_ == State::flowing && !came_; }
  void continue_sent() { expects_continue_ = false; }
  bool expects_continue() const { return expects_continue_ && !came_; }

  bool may_attach() const { return !reader_ && !draining_; }
  // REQUIRES: may_attach().
  void attach(ModuleOwned<Reader> reader);
  // Nobody will take the body: throw away up to `bytes_max` of it.
  void drain(std::uint64_t bytes_max);
  bool draining() const { return draining_; }
  // The rest of it will not come: refused.
  void break_off(const Refusal& refusal);

  // How fast its content comes: framing is no progress.
  Pace& pace() { return pace_; }

  // Some of it has been received, be it framing.
  void begin_to_come() { came_ = true; }
  // How much of the content is taken. Less than all when the reader pauses, or the body is refused.
  // REQUIRES: wants_bytes().
  std::size_t offer(std::string_view content);
  // There is no more. REQUIRES: wants_bytes().
  void finish();

 private:
  std::size_t discard(std::size_t size);

  State state_ = State::none;
  bool expects_continue_ = false;
  bool came_ = false;  // some of it has been received
  bool paused_ = false;
  bool draining_ = false;
  Refusal refusal_;
  std::uint64_t drain_left_ = 0;
  Pace pace_;
  ModuleOwned<Reader> reader_;
};

}  // namespace sluice
