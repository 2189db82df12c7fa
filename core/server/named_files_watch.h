// Notices when files that settings name have other contents than those in force: certificates, private keys,
// keys of tickets, who signs clients' certificates, error pages. And when something else is in a place that
// confined workers read, such as a document root: the present workers may not read it.
//
// The two are watched on their own, so that a document root on a disk that hangs keeps no certificate from
// being renewed. Supervisor's thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/monotonic_clock.h"
#include "server/change_watch.h"

namespace sluice {

class NamedFilesWatch {
 public:
  using Pace = ChangeWatch::Pace;
  using Actions = ChangeWatch::Actions;

  // `loop` lives longer.
  NamedFilesWatch(EventLoop& loop, const Actions& actions, Pace pace = {})
      : files_(loop, Named::files, actions, pace), places_(loop, Named::places, actions, pace) {}

  // As those of ChangeWatch, for both.
  void serve(const PlanPtr& plan) {
    files_.serve(plan);
    places_.serve(plan);
  }
  void reload_begins() {
    files_.reload_begins();
    places_.reload_begins();
  }
  void refused(const std::string& why) {
    files_.refused(why);
    places_.refused(why);
  }
  bool asks() const { return files_.asks() || places_.asks(); }
  // A worker says that there may be a change of a place. False if there is no use in looking.
  bool look_soon() { return places_.look_soon(); }
  bool child_ended(pid_t pid, int status) {
    return files_.child_ended(pid, status) || places_.child_ended(pid, status);
  }
  // Both children are killed before either is waited for, and they share the time.
  void end() {
    files_.break_off_look();
    places_.break_off_look();
    const std::uint64_t until_ms = monotonic_ms() + ChangeWatch::kKilledWithinMs;
    files_.end(until_ms);
    places_.end(until_ms);
  }
  void close_for_child() {
    files_.close_for_child();
    places_.close_for_child();
  }

 private:
  ChangeWatch files_;
  ChangeWatch places_;
};

}  // namespace sluice
