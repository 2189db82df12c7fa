#include "process/watchdog.h"

#include <fmt/core.h>
#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "telemetry/fault_handler.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kHeldNs = 100 * kMs;
// After a gap this long between two looks, the supervisor was stopped or starved, and so were the workers.
constexpr std::uint64_t kLateNs = 10 * Watchdog::kLookMs * kMs;
// How long a worker may take to start before it is given up.
constexpr std::uint64_t kStartNs = 20'000 * kMs;
// How often to look whether a requested snapshot is there, and how long to wait for it.
constexpr std::uint64_t kSoonNs = 5 * kMs;
constexpr std::uint64_t kSnapshotNs = 200 * kMs;
// How long a worker that was told to die may take for its snapshot.
constexpr std::uint64_t kDyingNs = 1'000 * kMs;

// Stands for the beginning of the turn when a worker is stopped.
constexpr std::uint64_t kStoppedNs = ~std::uint64_t{0};

// An offloaded call is logged when it has taken this many times as long as a turn may take.
constexpr std::uint64_t kCallShare = 6;
constexpr std::uint64_t kCallNs = 30'000 * kMs;  // if a turn may take for ever

// A number for a socket of a worker that is helped.
std::uint64_t help_number(const WorkerProcess& worker, std::size_t socket) {
  return (static_cast<std::uint64_t>(worker.pid()) << 16) | socket;
}

const char* where_it_waits(WaitKind wait) {
  if (wait == WaitKind::disk) return ", where it waits for a disk that does not answer";
  return wait == WaitKind::sleep ? ", where it sleeps" : "";
}

}  // namespace

void Watchdog::look() {
  const std::uint64_t now_ns = monotonic_ns();
  look_.at(now_ns / kMs + kLookMs);  // also when this look ends early, for want of memory
  if (now_ns - looked_ns_ >= kLateNs) counts_from_ns_ = now_ns;
  looked_ns_ = now_ns;
  due_ns_ = now_ns + kLookMs * kMs;
  const auto [group, retired] = watched_();
  const std::uint64_t hang_ms = group.plan().settings.policy.hang_ms;
  const auto watch = [&, &group = group](WorkerProcess& worker, bool accepts) {
    look_at_threads(worker, now_ns, hang_ms > 0 ? kCallShare * hang_ms * kMs : kCallNs);
    Held* held = look_at(group, worker, now_ns);
    if (held == nullptr) return;
    if (accepts) help(group, worker, *held);
    if (worker.stopped()) return;  // a person has stopped it, and may let it go on
    const bool dying = worker.dying();
    if (!dying) name_if_known(worker, *held, now_ns);
    if (hang_ms > 0 && now_ns - held->since_ns >= hang_ms * kMs) end_worker(worker, *held, dying, now_ns);
  };
  for (WorkerProcess* worker : group.workers()) watch(*worker, true);
  for (WorkerProcess* worker : retired) watch(*worker, false);
  stand_ins_.look(group, now_ns / kMs, [this](const WorkerProcess& other) { return can_help(other); });
  look_.at(due_ns_ / kMs + 1);
}

Watchdog::Held* Watchdog::look_at(const WorkerGroup& group, WorkerProcess& worker, std::uint64_t now_ns) {
  if (!worker.ready() && std::max(worker.started_ms() * kMs, counts_from_ns_) + kStartNs <= now_ns) {
    worker.condemn(worker.wait_kind() == WaitKind::disk);
    worker.kill();
  }
  const std::uint64_t began_ns = worker.stopped() ? kStoppedNs : worker.stats().turn_began_ns.get();
  const auto known = held_.find(worker.pid());
  if (known != held_.end() && known->second.began_ns != began_ns) {
    if (!known->second.named && !worker.dying()) name(worker, known->second, now_ns);
    end_help(group, worker, known->second);
    held_.erase(known);
  }
  const std::uint64_t since_ns = std::max({began_ns, counts_from_ns_, worker.went_on_ns()});
  if (!worker.ready() || began_ns == 0) return nullptr;
  if (!worker.stopped() && since_ns + kHeldNs > now_ns) {
    due_ns_ = std::min(due_ns_, since_ns + kHeldNs);
    return nullptr;
  }
  if (const auto held = held_.find(worker.pid()); held != held_.end()) {
    held->second.since_ns = since_ns;
    return &held->second;
  }
  if (!worker.stopped()) return find_out(worker, began_ns, since_ns);
  Held& stopped = held_[worker.pid()];
  stopped.began_ns = began_ns;
  stopped.since_ns = since_ns;
  stopped.named = true;  // no module holds it up
  return &stopped;
}

// The note names the module at once. Only a signal can bring the frames, but it would interrupt the call that
// the loop sleeps in, and so change what the module does.
Watchdog::Held* Watchdog::find_out(const WorkerProcess& worker, std::uint64_t began_ns,
                                   std::uint64_t since_ns) {
  Held held;
  held.began_ns = began_ns;
  held.since_ns = since_ns;
  held.inside = read_note(worker.stats(), worker.stats().notes[0]);
  if (worker.stats().turn_began_ns.get() != began_ns) return nullptr;
  held.wait = worker.wait_kind();
  if (held.wait == WaitKind::none && !worker.dying()) {
    held.asked = worker.stats().held.taken.load(std::memory_order_acquire) + 1;
    ::kill(worker.pid(), kLookSignal);
  }
  return &held_.emplace(worker.pid(), std::move(held)).first->second;
}

void Watchdog::name_if_known(const WorkerProcess& worker, Held& held, std::uint64_t now_ns) {
  if (held.named) return;
  const std::uint32_t taken = worker.stats().held.taken.load(std::memory_order_acquire);
  const bool has_come = taken >= held.asked && taken % 2 == 0;
  if (held.asked == 0 || has_come || now_ns - held.since_ns >= kHeldNs + kSnapshotNs)
    return name(worker, held, now_ns);
  due_ns_ = std::min(due_ns_, now_ns + kSoonNs);
}

// A snapshot that comes late is from another turn, or from none.
void Watchdog::name(const WorkerProcess& worker, Held& held, std::uint64_t now_ns) const {
  held.named = true;
  Culprit culprit = held.inside;
  const Snapshot& snapshot = worker.stats().held;
  const std::uint32_t taken = snapshot.taken.load(std::memory_order_acquire);
  if (held.asked != 0 && taken >= held.asked && taken % 2 == 0) {
    Culprit seen = read_snapshot(worker.stats(), snapshot);
    if (seen.module == culprit.module && seen.generation == culprit.generation) culprit = std::move(seen);
  }
  log(LogLevel::warning,
      fmt::format("worker {} has been held up for {} ms {}{}", worker.index() + 1,
                  (now_ns - held.since_ns) / kMs, culprit.text(), where_it_waits(held.wait)));
  report_(std::move(culprit));
}

void Watchdog::look_at_threads(const WorkerProcess& worker, std::uint64_t now_ns, std::uint64_t limit_ns) {
  for (unsigned thread = 1; thread < WorkerStats::kThreadsMax; ++thread) {
    const CallNote& note = worker.stats().notes[thread];
    const std::uint64_t since_ns = note.since_ns.load(std::memory_order_relaxed);
    if (since_ns == 0 || std::max(since_ns, counts_from_ns_) + limit_ns > now_ns) continue;
    std::uint64_t& told_ns = long_calls_[{worker.pid(), thread}];
    if (std::exchange(told_ns, since_ns) == since_ns) continue;
    log(LogLevel::warning,
        fmt::format("worker {} has had an offload thread busy for {} ms {}: the call does not end",
                    worker.index() + 1, (now_ns - since_ns) / kMs, read_note(worker.stats(), note).text()));
  }
}

void Watchdog::help(const WorkerGroup& group, const WorkerProcess& worker, Held& held) {
  if (held.helper >= 0) return;
  WorkerProcess* helper =
      group.sibling(worker.index(), [this](const WorkerProcess& other) { return can_help(other); });
  if (helper == nullptr) return;
  held.helper = helper->pid();
  const std::vector<ListeningSocket> sockets = group.sockets_of(worker.index());
  for (std::size_t i = 0; i < sockets.size(); ++i)
    helper->tell({ControlMessage::help, help_number(worker, i), std::to_string(sockets[i].address)},
                 sockets[i].fd);
}

void Watchdog::end_help(const WorkerGroup& group, const WorkerProcess& worker, Held& held) {
  WorkerProcess* helper = held.helper < 0 ? nullptr : group.find(held.helper);
  if (helper == nullptr) return;
  for (std::size_t i = 0; i < group.sockets_of(worker.index()).size(); ++i)
    helper->tell({ControlMessage::help_over, help_number(worker, i)});
}

// A dying worker is replaced only when it is gone, so the limit holds for it as well. The log then says what
// it dies of.
void Watchdog::end_worker(WorkerProcess& worker, Held& held, bool dying, std::uint64_t now_ns) {
  if (held.ended_ns == 0) {
    held.ended_ns = now_ns;
    if (!dying) worker.condemn(worker.wait_kind() == WaitKind::disk);
    ::kill(worker.pid(), SIGABRT);  // it leaves a snapshot before it dies
  } else if (now_ns - held.ended_ns >= kDyingNs) {
    worker.kill();
  }
}

void Watchdog::stopped(const WorkerGroup& group, WorkerProcess& worker) {
  for (auto& [pid, held] : held_) {
    if (held.helper != worker.pid()) continue;
    if (const WorkerProcess* helped = group.find(pid)) end_help(group, *helped, held);
    held.helper = -1;
  }
}

void Watchdog::forget(const WorkerGroup& group, const WorkerProcess& worker) {
  std::erase_if(long_calls_, [&](const auto& call) { return call.first.first == worker.pid(); });
  if (const auto known = held_.find(worker.pid()); known != held_.end()) {
    end_help(group, worker, known->second);
    held_.erase(known);
  }
  for (auto& [pid, held] : held_) {
    if (held.helper == worker.pid()) held.helper = -1;
  }
}

}  // namespace sluice
