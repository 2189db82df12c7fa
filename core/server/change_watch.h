// Notices when what settings name has changed, of one kind: files, or the places that confined workers read.
//
// It watches every folder along the paths and along the symbolic links there (inotify(7)), because renewals
// rename files over each other and swap links. It also looks once a minute, because some file systems report
// nothing. A child does the looking: it compares contents, and a disk that hangs holds up the child alone.
// Supervisor's thread.
//
// INVARIANT: it looks at nothing during a reload, which may change what is in force. What changes meanwhile is
// looked at afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "loop/alarm.h"
#include "loop/registration.h"
#include "process/heard_child.h"
#include "server/named_files_look.h"
#include "settings/serving_plan.h"

namespace sluice {

class ChangeWatch final : private Pollable {
 public:
  struct Pace {
    std::uint32_t quiet_ms = 500;    // without a change before the files are looked at
    std::uint32_t look_ms = 60'000;  // between two looks without a change
    std::uint32_t grace_ms = 3'000;  // for a renewal that is half written
    std::uint32_t pause_ms = 5'000;  // between two exchanges of workers, because of places
  };
  struct Actions {
    std::function<void()> close_in_child;  // called first in the child that looks
    std::function<void()> changed;         // asks for a reload; the answer is `serve` or `refused`
  };
  // `loop` lives longer.
  ChangeWatch(EventLoop& loop, Named what, Actions actions, Pace pace);

  // What is in force from now on.
  void serve(PlanPtr plan);
  // A reload begins, which ends in `serve` or `refused`.
  void reload_begins();
  // The reload is refused. If it was asked for here, the reason is logged after a while, unless the files get
  // better until then, and the same contents are tried again after a long while only. No reason: the reload was
  // of other settings as well, which may have been refused for their own sake.
  void refused(const std::string& why);
  // Whether a reload is asked for, and not answered yet.
  bool asks() const { return asks_; }
  // A worker says that there may be a change. False if there is no use in looking.
  bool look_soon();
  bool child_ended(pid_t pid, int status);
  // How long to wait for the end of a child that is killed.
  static constexpr std::uint64_t kKilledWithinMs = 500;
  // Kills the child that looks, if there is one, and does not wait for its end.
  void break_off_look() const;
  // Looks no more. Waits until that time for the end of the child, which may hold listening sockets still.
  void end(std::uint64_t until_ms);
  // For a forked process.
  void close_for_child();

 private:
  void on_events(std::uint32_t events) override;
  void work();
  void look();
  void heard(const Result<std::string>& report);
  void take_over(const std::string& replaced, std::uint64_t now_ms);
  std::string subject() const;
  bool follow(std::string_view steps);
  void note_change(std::uint64_t now_ms);
  std::uint64_t due_ms() const;

  EventLoop& loop_;
  const Named what_;
  Actions actions_;
  Pace pace_;
  Alarm work_;
  UniqueFd inotify_;
  Registration events_;
  PlanPtr plan_;
  std::set<std::pair<int, std::string>> places_;  // names in watched folders that matter
  std::unique_ptr<HeardChild> child_;
  std::uint64_t first_change_ms_ = Alarm::kNever;  // since the last look
  std::uint64_t last_change_ms_ = 0;
  std::uint64_t next_look_ms_ = Alarm::kNever;  // if nothing changes
  std::uint64_t late_ms_ = Alarm::kNever;       // when the look that is under way is late
  bool asks_ = false;
  bool reloads_ = false;
  std::string seen_;     // what identifies the contents of the last look
  std::string refused_;  // the same for contents that cannot be served
  std::string why_;      // the reason, while it is not logged yet
  std::uint64_t tell_ms_ = Alarm::kNever;
  std::string told_;  // the reason that was logged last
  std::uint64_t retry_ms_ = Alarm::kNever;
  bool told_of_failure_ = false;
  bool looked_ = false;  // since the last `serve`
  bool cured_ = true;    // the first look since then found no place replaced
  std::uint64_t pause_ms_;
  std::uint64_t take_over_after_ms_ = 0;
};

}  // namespace sluice
