// A request's body on its way to the reader of a handler, as a small state machine.
//
//     none                     the request has no body
//     wanted ──────► flowing ──► done
//        └──────────────┴──────► refused (broken framing, too much to drain)
//
// As a tunnel it is all that the client sends on an upgraded connection. It has no length, no framing and no
// minimum rate, and ends when the client ends its side.
//
// `wanted`: the head announced a body, and nobody takes it yet. `flowing`: a reader takes it, or it is drained.
// The session offers the content piece by piece, keeps the bytes that were not taken, and offers them again.
//
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
  // Destroys the reader. A reader whose `end` was not called takes that as cancelled.
  void end();

  State state() const { return state_; }
  bool finished() const { return state_ == State::none || state_ == State::done; }
  // Of a refused body: the status to answer with, if there is no answer yet. 500 if the reader threw; none if
  // the body is too long to be discarded.
  const Refusal& refusal() const { return refusal_; }
  bool wants_bytes() const { return state_ == State::flowing && !paused_; }
  bool has_reader() const { return static_cast<bool>(reader_); }
  // Whether the reader wants no more bytes until `wake`.
  bool paused() const { return paused_; }
  void wake() { paused_ = false; }
  // Whether the client waits for 100 (Continue), and the body is wanted.
  bool owes_continue() const { return expects_continue_ && state_ == State::flowing && !came_; }
  void continue_sent() { expects_continue_ = false; }
  bool expects_continue() const { return expects_continue_ && !came_; }

  bool may_attach() const { return !reader_ && !draining_; }
  // REQUIRES: may_attach().
  void attach(ModuleOwned<Reader> reader);
  // The same as a tunnel. REQUIRES: may_attach().
  void open_tunnel(ModuleOwned<Reader> reader);
  bool is_tunnel() const { return tunnel_; }
  // Nobody takes the body: discards up to `bytes_max` of it. A longer body is refused.
  void drain(std::uint64_t bytes_max);
  bool draining() const { return draining_; }
  // Refuses the rest of the body.
  void break_off(const Refusal& refusal);

  // Bytes of content that were taken or discarded.
  std::uint64_t taken() const { return taken_; }

  // How fast the content comes. Bytes of framing do not count.
  Pace& pace() { return pace_; }

  // The first bytes of the body have come; bytes of framing count.
  void begin_to_come() { came_ = true; }
  // Returns how many bytes are taken: less than all if the reader pauses, or the body is refused. REQUIRES:
  // wants_bytes().
  std::size_t offer(std::string_view content);
  // The body has ended. REQUIRES: wants_bytes().
  void finish();

 private:
  std::size_t discard(std::size_t size);

  State state_ = State::none;
  bool expects_continue_ = false;
  bool came_ = false;  // begin_to_come() was called
  bool paused_ = false;
  bool draining_ = false;
  bool tunnel_ = false;
  Refusal refusal_;
  std::uint64_t drain_left_ = 0;
  std::uint64_t taken_ = 0;
  Pace pace_;
  ModuleOwned<Reader> reader_;
};

}  // namespace sluice
