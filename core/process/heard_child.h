// A child at work whose report the loop reads as it comes. Other code reaps it. Supervisor's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/child_process.h"
#include "loop/registration.h"

namespace sluice {

class HeardChild final : private Pollable {
 public:
  // As Child::start. `loop` lives longer.
  static Result<std::unique_ptr<HeardChild>> start(EventLoop& loop, const std::function<std::string()>& task);

  bool is(pid_t pid) const { return child_->pid() == pid; }
  // The child's result. `status` is from waitpid.
  Result<std::string> result(int status) { return child_->result(status); }
  // As those of Child.
  void kill() const { child_->kill(); }
  void end(std::uint64_t until_ms) { child_->end(until_ms); }
  // For another forked process, which does not use this child.
  void close_for_child() { child_->close_for_child(); }

 private:
  explicit HeardChild(std::unique_ptr<Child> child) : child_(std::move(child)) {}
  void on_events(std::uint32_t) override {
    if (!child_->hear()) report_.end();
  }

  std::unique_ptr<Child> child_;
  Registration report_;
};

}  // namespace sluice
