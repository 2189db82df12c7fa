#include "server/change_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/netstring.h"

namespace sluice {
namespace {

constexpr std::uint32_t kGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr std::uint32_t kWanted = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Files that keep changing are looked at after this many times the quiet time.
constexpr std::uint64_t kPatience = 20;
// What was refused is tried again after so many looks: its reason may have been elsewhere, as a disk that hung.
constexpr std::uint64_t kRetryLooks = 10;
constexpr std::uint64_t kLateMs = 10'000;
constexpr std::uint64_t kPauseMaxMs = 300'000;

}  // namespace

ChangeWatch::ChangeWatch(EventLoop& loop, Named what, Actions actions, Pace pace)
    : loop_(loop),
      what_(what),
      actions_(std::move(actions)),
      pace_(pace),
      work_(loop, [this] { work(); }),
      pause_ms_(pace.pause_ms) {}

std::string ChangeWatch::subject() const {
  return what_ == Named::files ? "the files that the settings name" : "the places that confined workers read";
}

void ChangeWatch::serve(PlanPtr plan) {
  asks_ = reloads_ = false;
  refused_.clear();
  told_.clear();
  why_.clear();
  tell_ms_ = Alarm::kNever;
  plan_ = std::move(plan);
  if (!names_any(what_, *plan_)) return end(monotonic_ms() + kKilledWithinMs);
  looked_ = false;
  if (!inotify_) {
    inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_ || !events_.begin(loop_, inotify_.get(), EPOLLIN, *this)) {
      log(LogLevel::warning, fmt::format("changes of {} are noticed within {} s only: {}", subject(),
                                         pace_.look_ms / 1000, std::strerror(errno)));
    }
  }
  next_look_ms_ = 0;  // finds out what has to be watched, and what has changed during the reload
  work_.soon();
}

void ChangeWatch::reload_begins() {
  reloads_ = true;
  if (child_ == nullptr) return;
  child_.reset();
  next_look_ms_ = 0;
}

void ChangeWatch::break_off_look() const {
  if (child_ != nullptr) child_->kill();
}

void ChangeWatch::end(std::uint64_t until_ms) {
  events_.end();
  inotify_.reset();
  places_.clear();
  if (child_ != nullptr) child_->end(until_ms);
  child_.reset();
  plan_.reset();
  first_change_ms_ = next_look_ms_ = late_ms_ = tell_ms_ = Alarm::kNever;
  work_.off();
}

void ChangeWatch::close_for_child() {
  inotify_.reset();
  if (child_ != nullptr) child_->close_for_child();
  plan_.reset();
}

void ChangeWatch::on_events(std::uint32_t) {
  alignas(inotify_event) char buffer[16 * 1024];
  const ssize_t got = ::read(inotify_.get(), buffer, sizeof(buffer));
  const std::uint64_t now_ms = monotonic_ms();
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    const auto first = places_.lower_bound({event->wd, ""});
    const bool folder_gone = (event->mask & kGone) != 0 && first != places_.end() && first->first == event->wd;
    const bool named = event->len > 0 &&
                       (places_.contains({event->wd, event->name}) || places_.contains({event->wd, kAnyName}));
    if (folder_gone || named || (event->mask & IN_Q_OVERFLOW) != 0) note_change(now_ms);
  }
}

// New workers that were refused are tried again at the look of the next minute.
bool ChangeWatch::look_soon() {
  const bool may_help = plan_ != nullptr && refused_.empty();
  if (may_help) note_change(monotonic_ms());
  return may_help;
}

void ChangeWatch::note_change(std::uint64_t now_ms) {
  first_change_ms_ = std::min(first_change_ms_, now_ms);
  last_change_ms_ = now_ms;
  work_.soon();
}

std::uint64_t ChangeWatch::due_ms() const {
  if (child_ != nullptr) return late_ms_;
  if (asks_ || reloads_) return Alarm::kNever;
  if (first_change_ms_ == Alarm::kNever) return next_look_ms_;
  const std::uint64_t at_the_latest = first_change_ms_ + kPatience * pace_.quiet_ms;
  return std::min({next_look_ms_, at_the_latest, last_change_ms_ + pace_.quiet_ms});
}

void ChangeWatch::work() {
  const std::uint64_t now_ms = monotonic_ms();
  if (now_ms >= tell_ms_) {
    log(LogLevel::error,
        (what_ == Named::files ? "the changed files are not taken, and those before them serve on: "
                               : "new workers cannot take over, and the present ones serve on: ") +
            why_);
    tell_ms_ = Alarm::kNever;
    told_ = std::exchange(why_, "");
  }
  if (plan_ != nullptr && now_ms >= due_ms()) {
    if (child_ == nullptr) {
      look();
    } else {
      late_ms_ = Alarm::kNever;
      log(LogLevel::warning, subject() + " cannot be looked at: their disk does not answer");
    }
  }
  work_.at(std::min(tell_ms_, due_ms()));
}

void ChangeWatch::look() {
  const std::uint64_t now_ms = monotonic_ms();
  first_change_ms_ = Alarm::kNever;
  next_look_ms_ = now_ms + pace_.look_ms;
  auto child = HeardChild::start(loop_, [this, plan = plan_] {
    actions_.close_in_child();
    return look_at(what_, *plan);
  });
  if (!child) {
    log(LogLevel::warning, subject() + " cannot be looked at: " + child.error().message);
    return;
  }
  child_ = std::move(*child);
  late_ms_ = now_ms + kLateMs;
}

bool ChangeWatch::child_ended(pid_t pid, int status) {
  if (child_ == nullptr || !child_->is(pid)) return false;
  const auto report = child_->result(status);
  child_.reset();
  late_ms_ = Alarm::kNever;
  heard(report);
  work_.soon();
  return true;
}

void ChangeWatch::heard(const Result<std::string>& report) {
  if (!report) {
    log(LogLevel::warning,
        subject() + " cannot be looked at: the process that looked " + report.error().message);
    return;
  }
  NetstringReader fields(*report);
  seen_ = fields.next();
  const std::string error(fields.next());
  const std::string replaced(fields.next());
  const std::uint64_t now_ms = monotonic_ms();
  // What was not watched until now may have changed since the child has read it.
  if (follow(fields.next())) note_change(now_ms);
  if (!std::exchange(looked_, true)) cured_ = replaced.empty();
  if (now_ms >= retry_ms_) refused_.clear();
  if (seen_.empty()) {  // in force, perhaps again
    refused_.clear();
    told_.clear();
    why_.clear();
    tell_ms_ = Alarm::kNever;
  } else if (!replaced.empty()) {
    take_over(replaced, now_ms);
  } else if (seen_ != refused_) {
    asks_ = true;
    if (!error.empty()) return refused(error);
    actions_.changed();
  }
}

// Where a place goes on to differ, as on a file system that gives files other numbers each time, the pauses
// grow.
void ChangeWatch::take_over(const std::string& replaced, std::uint64_t now_ms) {
  if (now_ms < take_over_after_ms_) {
    next_look_ms_ = std::min(next_look_ms_, take_over_after_ms_);
    return;
  }
  pause_ms_ = cured_ ? pace_.pause_ms : std::min<std::uint64_t>(2 * pause_ms_, kPauseMaxMs);
  take_over_after_ms_ = now_ms + pause_ms_;
  asks_ = true;
  log(LogLevel::info,
      replaced + " was replaced: new workers take over, because the present ones may not read it");
  actions_.changed();
}

// True if a folder is watched that was not watched before. One that does not exist has a folder above it that
// is watched.
bool ChangeWatch::follow(std::string_view steps) {
  std::set<std::pair<int, std::string>> places;
  std::set<int> before;
  for (const auto& [wd, name] : places_) before.insert(wd);
  std::set<int> folders;
  for (NetstringReader fields(steps); inotify_ && !fields.at_end();) {
    const std::string folder(fields.next());
    const std::string name(fields.next());
    const int wd = ::inotify_add_watch(inotify_.get(), folder.c_str(), kWanted);
    if (wd >= 0) {
      folders.insert(wd);
      places.emplace(wd, name);
    } else if (errno != ENOENT && errno != ENOTDIR && !std::exchange(told_of_failure_, true)) {
      log(LogLevel::warning, fmt::format("cannot watch {}, where there are some of {}: {}; changes "
                                         "there are noticed within {} s",
                                         folder, subject(), std::strerror(errno), pace_.look_ms / 1000));
    }
  }
  for (const int wd : before) {
    if (!folders.contains(wd)) ::inotify_rm_watch(inotify_.get(), wd);
  }
  places_ = std::move(places);
  return !std::includes(before.begin(), before.end(), folders.begin(), folders.end());
}

void ChangeWatch::refused(const std::string& why) {
  reloads_ = false;
  work_.soon();
  if (!std::exchange(asks_, false)) return;
  if (why.empty()) {
    next_look_ms_ = 0;
    return;
  }
  const std::uint64_t now_ms = monotonic_ms();
  refused_ = seen_;
  cured_ = false;
  retry_ms_ = now_ms + kRetryLooks * pace_.look_ms;
  if (why == told_) return;
  why_ = why;
  if (tell_ms_ == Alarm::kNever) tell_ms_ = now_ms + pace_.grace_ms;
}

}  // namespace sluice
