#include "loop/event_loop.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/out_of_memory.h"
#include "telemetry/fault_handler.h"

namespace sluice {
namespace {

// Connections handle a lack of memory themselves. This is for everything else that the loop calls.
constexpr std::string_view kLost = "memory is used up: what a turn of the loop had begun is left undone";

constexpr EventLoop::Token make_token(std::uint32_t index, std::uint32_t generation) {
  return (EventLoop::Token{generation} << 32) | index;
}
constexpr std::uint32_t index_of(EventLoop::Token token) {
  return static_cast<std::uint32_t>(token);
}
constexpr std::uint32_t generation_of(EventLoop::Token token) {
  return static_cast<std::uint32_t>(token >> 32);
}

}  // namespace

Ready::~Ready() {
  if (next_ == nullptr) return;
  prev_->next_ = next_;
  next_->prev_ = prev_;
}

// Those that are left are not called any more.
EventLoop::ReadyRing::~ReadyRing() {
  while (!is_empty()) take_first();
  next_ = nullptr;
}

void EventLoop::ReadyRing::add(Ready& last) {
  last.prev_ = prev_;
  last.next_ = this;
  prev_->next_ = &last;
  prev_ = &last;
}

Ready& EventLoop::ReadyRing::take_first() {
  Ready& first = *next_;
  next_ = first.next_;
  next_->prev_ = this;
  first.next_ = first.prev_ = nullptr;
  return first;
}

void EventLoop::ReadyRing::take_all(ReadyRing& from) {
  if (from.is_empty()) return;
  from.prev_->next_ = next_;
  next_->prev_ = from.prev_;
  next_ = from.next_;
  next_->prev_ = this;
  from.next_ = from.prev_ = &from;
}

EventLoop::EventLoop(WorkerStats& stats) : stats_(stats), deadlines_(stats.waits) {}

Result<std::unique_ptr<EventLoop>> EventLoop::create(WorkerStats& stats) {
  std::unique_ptr<EventLoop> loop(new EventLoop(stats));
  loop->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_) return fail_errno("cannot make an epoll instance", errno);
  loop->own_.add(loop->epoll_.get(), "the epoll descriptor");
  loop->slots_.resize(1);
  loop->read_clock();
  return loop;
}

EventLoop::~EventLoop() {
  reap_all();
}

EventLoop::Token EventLoop::add(int fd, std::uint32_t events, Pollable& pollable) {
  std::uint32_t index = free_slot_;
  if (index == 0) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    free_slot_ = slots_[index].next_free;
  }
  Slot& slot = slots_[index];
  slot.pollable = &pollable;
  const Token token = make_token(index, slot.generation);
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) {
    try {
      if (static_cast<std::size_t>(fd) >= by_fd_.size()) by_fd_.resize(static_cast<std::size_t>(fd) + 1);
    } catch (...) {  // without memory nothing is half registered
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      forget(token);
      throw;
    }
    by_fd_[static_cast<std::size_t>(fd)] = token;
    return token;
  }
  const int error_number = errno;
  forget(token);
  errno = error_number;
  return kNoToken;
}

void EventLoop::change(Token token, int fd, std::uint32_t events) {
  if (find(token) == nullptr || !has_registered(token, fd)) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::remove(Token token, int fd) {
  if (find(token) == nullptr) return;
  // The number of a closed fd may belong to another fd now, whose registration has to stay.
  if (has_registered(token, fd)) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  forget(token);
}

bool EventLoop::has_registered(Token token, int fd) const {
  const auto number = static_cast<std::size_t>(fd);
  return number < by_fd_.size() && by_fd_[number] == token;
}

bool EventLoop::watches(Token token, int fd) {
  if (find(token) == nullptr || !has_registered(token, fd)) return false;
  // The kernel knows a registration by number and file, so adding it once more shows whether it is there.
  epoll_event event{};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno == EEXIST;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  return false;
}

void EventLoop::look_at_own() {
  checked_ns_ = now_ns_;
  trail_.add(trail_of_turn());
  if (const std::string trouble = own_.trouble(); !trouble.empty()) give_up(trouble, trail_);
  trail_ = {};
}

void EventLoop::CallTrail::add(const CallTrail& later) {
  if (later.last == 0) return;
  mixed = mixed || later.mixed || (last != 0 && last != later.last);
  last = later.last;
}

EventLoop::CallTrail EventLoop::trail_of_turn() const {
  const CallNote& note = stats_.notes[0];
  return {note.last.load(std::memory_order_relaxed), note.changes.load(std::memory_order_relaxed) > 1};
}

void EventLoop::end_trail() {
  last_turn_ = trail_of_turn();
  trail_.add(last_turn_);
  stats_.notes[0].last.store(0, std::memory_order_relaxed);
  stats_.notes[0].changes.store(0, std::memory_order_relaxed);
}

// The server closes none of its own descriptors, so a module did. If only one was called, it is to blame.
void EventLoop::give_up(const std::string& why, const CallTrail& trail) {
  if (::getpid() != process_) {
    log(LogLevel::error,
        "a process that a module has forked came back into the server, and ends: after fork, "
        "call exec or _exit");
    ::_exit(1);
  }
  const std::string_view module = noted_module(stats_, trail.last);
  log(LogLevel::error, why + ", which only a module can have done" +
                           (module.empty() ? "" : "; module " + std::string(module) + " was called last") +
                           ": this worker ends, because it cannot serve without it");
  // Calls on threads leave no trail, and may be another module's.
  const bool alone =
      !trail.mixed &&
      std::all_of(std::begin(stats_.notes) + 1, std::end(stats_.notes), [&](const CallNote& call) {
        const std::uint64_t last = call.last.load(std::memory_order_relaxed);
        return last == 0 || noted_index(last) == noted_index(trail.last);
      });
  end_by_fault(stats_, alone ? trail.last : 0);
}

void EventLoop::forget(Token token) {
  Slot* slot = find(token);
  if (slot == nullptr) return;
  slot->pollable = nullptr;
  ++slot->generation;
  slot->next_free = free_slot_;
  free_slot_ = index_of(token);
}

EventLoop::Slot* EventLoop::find(Token token) {
  const std::uint32_t index = index_of(token);
  if (index == 0 || index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  return slot.generation == generation_of(token) && slot.pollable != nullptr ? &slot : nullptr;
}

void EventLoop::make_ready(Ready& ready, CallLength length) {
  if (ready.next_ == nullptr) ready_[static_cast<std::size_t>(length)].add(ready);
}

void EventLoop::reap(std::unique_ptr<Reapable> object) {
  object->next_reaped_ = std::move(reaped_);
  reaped_ = std::move(object);
}

Result<void> EventLoop::audit() {
  auto audit = TurnAudit::create();
  if (!audit) return Unexpected(audit.error());
  audit_ = std::move(*audit);
  return {};
}

void EventLoop::run() {
  stopped_ = false;
  while (!stopped_) turn();
}

void EventLoop::turn(int wait_ms_max) {
  const int count = ::epoll_wait(epoll_.get(), events_, kBatch, wait_ms(wait_ms_max));
  if (count < 0 && errno != EINTR) {
    const std::string error = std::strerror(errno);
    const std::string trouble = own_.trouble();
    give_up(trouble.empty() ? "waiting at the epoll descriptor fails (" + error + ")" : trouble, last_turn_);
  }
  if (audit_ != nullptr) audit_->begin();
  read_clock();
  const std::uint64_t began_ns = now_ns_;
  stats_.turn_began_ns.set(began_ns);
  looked_ns_ = began_ns;
  slice_end_ns_ = began_ns + kSliceNs;
  dispatch_events(count);
  for (ReadyRing& ring : ready_) run_ready(ring);
  if (!more_waits(count)) {
    looked_ns_ = monotonic_ns();
    expire();
  }
  reap_all();
  read_clock();
  end_trail();
  if (now_ns_ - checked_ns_ >= kLookNs) look_at_own();
  stats_.turn_began_ns.set(0);
  stats_.turns.add(now_ns_ - began_ns);
  if (audit_ == nullptr) return;
  const AuditedTurn audited = audit_->end(now_ns_ - began_ns);
  stats_.net_turns.add(audited.net_ns);
  stats_.loop_sleeps.add(audited.sleeps);
}

int EventLoop::wait_ms(int wait_ms_max) const {
  if (has_ready()) return 0;
  const std::uint64_t due = std::min(deadlines_.next_due_ms(), timers_.next_due_ms());
  if (due == Deadlines::kNone) return wait_ms_max;
  const std::uint64_t left = due > now_ms() ? due - now_ms() : 0;
  const int wait = static_cast<int>(std::min<std::uint64_t>(left, INT_MAX));
  return wait_ms_max < 0 ? wait : std::min(wait, wait_ms_max);
}

void EventLoop::dispatch_events(int count) {
  for (int i = 0; i < count; ++i) {
    Slot* slot = find(events_[i].data.u64);
    if (slot == nullptr) continue;
    unless_out_of_memory(kLost, [&] { slot->pollable->on_events(events_[i].events); });
  }
}

void EventLoop::run_ready(ReadyRing& waiting) {
  if (waiting.is_empty()) return;
  // A ring of its own ends this phase: objects of this kind that are made ready now wait for the next turn.
  ReadyRing current;
  current.take_all(waiting);
  looked_ns_ = monotonic_ns();
  slice_end_ns_ = looked_ns_ + kSliceNs;
  do {
    Ready& ready = current.take_first();
    unless_out_of_memory(kLost, [&] { ready.on_ready(); });
  } while (!current.is_empty() && !slice_is_over());
  waiting.take_all(current);
}

// After a standstill there are more events than one batch holds. All are handled before any deadline expires.
// The kernel reports each descriptor in turn, so after a few full batches all have been reported.
bool EventLoop::more_waits(int count) {
  full_batches_ = count == kBatch ? full_batches_ + 1 : 0;
  return full_batches_ != 0 && full_batches_ <= slots_.size() / kBatch;
}

void EventLoop::expire() {
  deadlines_.expire(now_ms());
  timers_.expire(now_ms());
}

void EventLoop::reap_all() {
  // Destroying one object may hand over another. A loop, not recursion, takes a long chain apart.
  while (reaped_ != nullptr) {
    std::unique_ptr<Reapable> object = std::move(reaped_);
    reaped_ = std::move(object->next_reaped_);
  }
}

}  // namespace sluice
