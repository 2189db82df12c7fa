// The other side of an upgrade: this process takes the place of the server that has started it. It says when
// all of its workers could serve, and serves when the former server lets it, or has ended.
//
// Supervisor's thread; never blocks.
#pragma once

#include "loop/registration.h"
#include "process/handover.h"

namespace sluice {

class Takeover final : private Pollable {
 public:
  explicit Takeover(Handover handover) : handover_(std::move(handover)) {}
  Takeover(const Takeover&) = delete;
  Takeover& operator=(const Takeover&) = delete;

  const Handover& handover() const { return handover_; }
  // Tells the former server that this one is ready. `loop` lives longer.
  Result<void> be_ready(EventLoop& loop);
  bool may_serve() const { return may_serve_; }
  // For a forked process.
  void close_for_child();

 private:
  void on_events(std::uint32_t events) override;

  Handover handover_;
  Registration heard_;
  bool may_serve_ = false;
};

}  // namespace sluice
