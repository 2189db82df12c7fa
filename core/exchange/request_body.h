// A request's body on its way to the reader that a handler attached: the second, small state machine of an
// exchange.
//
//     none                     the request has no body
//     wanted ──────► flowing ──► done
//        └──────────────┴──────► refused (broken framing, too much to drain)
//
// `wanted`: a body was announced and nobody takes it yet. `flowing`: a reader takes it, or it is being drained.
// Owns the reader. Loop thread.
#pragma once

#include <sluice/handler.h>

#include <memory>

#include "http/pace.h"
#include "http/request_parser.h"
#include "module/module_instance.h"

namespace sluice {

class RequestBody {
 public:
  enum class State : std::uint8_t { none, wanted, flowing, done, refused };

  // The request, which outlives it, is what calls of the reader are noted for.
  void begin(std::uint64_t size, bool expects_continue, const Request& request);
  // Destroys the reader, which it takes as cancelled unless the body was done.
  void end(ModuleInstance* instance);

  State state() const { return state_; }
  bool finished() const { return state_ == State::none || state_ == State::done; }
  // Refused: what to answer, if there is no answer yet. 500 when the reader threw.
  std::uint32_t refused_status() const { return refused_status_; }
  bool wants_bytes() const { return state_ == State::flowing && !paused_; }
  bool has_reader() const { return reader_ != nullptr; }
  // The reader wants no more until it is woken.
  bool paused() const { return paused_; }
  void wake() { paused_ = false; }
  // A piece of the buffer is still wanted: the bytes given to `consume` may not be overwritten.
  bool holds_bytes() const { return !pending_.empty(); }
  // A 100 (Continue) is owed before the client sends anything.
  bool owes_continue() const { return expects_continue_ && state_ == State::flowing && !came_; }
  void continue_sent() { expects_continue_ = false; }
  bool expects_continue() const { return expects_continue_ && !came_; }

  // False when there is a reader already; the reader is then still the caller's.
  bool attach(Reader* reader);
  // Nobody will take the body: throw away up to `bytes_max` of it.
  void drain(std::uint64_t bytes_max);
  bool draining() const { return draining_; }
  // The rest of it will not come: refused.
  void break_off(std::uint32_t status);

  // How fast its content comes: framing is no progress.
  Pace& pace() { return pace_; }

  // Takes from the front of what was received and returns how much of it is used up.
  // REQUIRES: bytes lie where they lay in the call before, while holds_bytes().
  std::size_t consume(RequestParser& parser, ModuleInstance* instance, std::string_view bytes);

 private:
  bool deliver(ModuleInstance* instance);
  void fail_reader();

  State state_ = State::none;
  bool expects_continue_ = false;
  bool came_ = false;  // some of it has been received
  bool paused_ = false;
  bool framing_done_ = false;
  bool draining_ = false;
  std::uint32_t refused_status_ = 0;
  std::uint64_t drain_left_ = 0;
  Pace pace_;
  std::string_view pending_;
  const Request* request_ = nullptr;
  std::unique_ptr<Reader> reader_;
};

}  // namespace sluice
