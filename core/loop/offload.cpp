#include "loop/offload.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "base/out_of_memory.h"
#include "telemetry/fault_handler.h"

namespace sluice {
namespace {

constexpr std::uint64_t kExpiryCheckMs = 500;
// When a thread and the loop want the same processor, the loop gets three times as much of it.
constexpr int kNicer = 5;
thread_local unsigned this_thread_index = 0;

}  // namespace

Result<std::unique_ptr<Offload>> Offload::create(EventLoop& loop, const Limits& wanted) {
  Limits limits = wanted;
  limits.spares = std::min(limits.spares, WorkerStats::kThreadsMax - 1 - limits.threads);
  std::unique_ptr<Offload> offload(new Offload(loop, limits));
  offload->event_fd_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!offload->event_fd_) return fail_errno("cannot make an eventfd for the offload threads", errno);
  offload->token_ = loop.add(offload->event_fd_.get(), EPOLLIN | EPOLLET, *offload);
  if (offload->token_ == EventLoop::kNoToken) return fail_errno("cannot watch the offload threads", errno);
  loop.own().add(offload->event_fd_.get(), "the descriptor of the offload threads");
  // The loop handles signals, except those that a thread's own fault raises.
  sigset_t all, before;
  sigfillset(&all);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, signal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    for (unsigned index = 1; index <= limits.threads + limits.spares; ++index) {
      Thread& made = offload->threads_.emplace_back();
      made.thread = std::thread([raw = offload.get(), &made, index] { raw->run_thread(made, index); });
    }
  } catch (const std::system_error& error) {
    offload->threads_.pop_back();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return fail(std::string("cannot start the offload threads: ") + error.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  offload->to_start_.wait();
  return offload;
}

Offload::~Offload() {
  stopping_ = true;
  take_back_ahead();
  for (Thread& thread : threads_) thread.wake.release();
  for (Thread& thread : threads_) thread.thread.join();
  give_back_all(take_finished());
  while (!queue_.empty()) give_back_first();
  loop_.timers().cancel(expiry_);
  loop_.timers().cancel(look_.id);
  loop_.remove(token_, event_fd_.get());
  loop_.own().remove(event_fd_.get());
}

unsigned Offload::thread_index() {
  return this_thread_index;
}

bool Offload::has_room(const void* owner, Room room) const {
  if (room == Room::reserve) return reserved_ < limits_.queue_max;
  const auto known = shares_.find(owner);
  const std::size_t queued = known == shares_.end() ? 0 : known->second.queued;
  return queue_.size() - reserved_ < limits_.queue_max && queued < limits_.queue_max / 2;
}

bool Offload::submit(const void* owner, std::unique_ptr<Work>& work, Room room) {
  if (stopping_ || !has_room(owner, room)) return false;
  const bool queued = unless_out_of_memory("memory is used up: an offloaded call is refused", [&] {
    auto item = std::make_unique<Item>(Item{owner, nullptr, loop_.now_ms() + limits_.queued_ms_max, room});
    static_cast<void>(shares_[owner]);
    queue_.push_back(std::move(item));
  });
  if (!queued) return false;
  queue_.back()->work = std::move(work);
  count_queued(*queue_.back());
  ++outstanding_;
  start_waiting();
  const Share& share = shares_[owner];
  if (share.queued > 0 && share.running < running_max()) {
    // The new work waits for a thread. Works that were given ahead go back to the queue, and wait behind it.
    take_back_ahead();
    start_waiting();
  }
  give_ahead();
  if (expiry_.value == 0) {
    unless_out_of_memory("memory is used up: an offloaded call may wait for longer than it should",
                         [&] { expiry_ = loop_.timers().start(loop_.now_ms() + kExpiryCheckMs, *this); });
  }
  return true;
}

void Offload::start_waiting() {
  for (Thread& thread : threads_) {
    if (stopping_ || queue_.empty() || running_ >= limits_.threads) return;
    if (thread.given > 0) continue;
    const auto next = next_item();
    if (next == queue_.end()) return;
    give(thread, next);
  }
}

// A thread gets at most half of the queue, because the owner's other thread may become free at any moment.
void Offload::give_ahead() {
  for (Thread& thread : threads_) {
    if (stopping_ || queue_.empty() || owners_waiting_ > 1) return;
    if (thread.given == 0 || thread.stuck || !thread.quick || thread.owner != queue_.front()->owner) continue;
    for (std::size_t left = (queue_.size() + 1) / 2; left > 0 && give(thread, queue_.begin()); --left) {
      any_ahead_ = true;
    }
  }
  if (any_ahead_) look_later();
}

// They go to the front of the queue, because they are older than what is in it.
void Offload::take_back_ahead() {
  if (!std::exchange(any_ahead_, false)) return;
  unless_out_of_memory("memory is used up: an offloaded call stays behind one that takes its time", [&] {
    for (Thread& thread : threads_) {
      for (std::atomic<Item*>& slot : thread.slots) {
        if (slot.load(std::memory_order_relaxed) == nullptr) continue;
        ItemPtr& place = queue_.emplace_front();
        place.reset(slot.exchange(nullptr, std::memory_order_acquire));
        if (place == nullptr) {
          queue_.pop_front();  // a thread has begun it meanwhile
        } else {
          count_queued(*place);
          came_back(thread);
        }
      }
    }
  });
}

std::deque<Offload::ItemPtr>::iterator Offload::next_item() {
  const bool many_stuck = stuck_ >= limits_.spares / 2;
  return std::find_if(queue_.begin(), queue_.end(), [&](const ItemPtr& item) {
    const Share& share = shares_[item->owner];
    return share.running < running_max() && (share.stuck == 0 || !many_stuck);
  });
}

void Offload::count_queued(const Item& item) {
  if (shares_[item.owner].queued++ == 0) ++owners_waiting_;
  if (item.room == Room::reserve) ++reserved_;
  loop_.stats().offload_queued.add();
}

Offload::ItemPtr Offload::take_out(const std::deque<ItemPtr>::iterator& place) {
  ItemPtr item = std::move(*place);
  queue_.erase(place);
  if (--shares_[item->owner].queued == 0) --owners_waiting_;
  if (item->room == Room::reserve) --reserved_;
  loop_.stats().offload_queued.subtract();
  return item;
}

// False, with the work still in the queue, when all slots of the thread are taken.
bool Offload::give(Thread& thread, const std::deque<ItemPtr>::iterator& place) {
  // The thread goes round its slots as well, so it runs the works in this order.
  std::atomic<Item*>& slot = thread.slots[thread.put];
  if (slot.load(std::memory_order_relaxed) != nullptr) return false;
  thread.put = (thread.put + 1) % kAheadMax;
  ItemPtr item = take_out(place);
  if (!std::exchange(item->wait_counted, true)) {
    const std::uint64_t waited_ms =
        std::max(limits_.queued_ms_max + loop_.now_ms(), item->due_ms) - item->due_ms;
    loop_.stats().offload_waits.add(waited_ms * 1'000'000);
  }
  if (thread.given++ == 0) {
    ++shares_[item->owner].running;
    ++running_;
    loop_.stats().offload_running.add();
    thread.owner = item->owner;
    thread.since_ms = loop_.now_ms();
  }
  item->thread = &thread;
  // Sequentially consistent: either the thread sees the work, or this sees that it is asleep.
  slot.store(item.release());
  if (thread.asleep.exchange(false)) thread.wake.release();
  return true;
}

void Offload::came_back(Thread& thread) {
  if (--thread.given > 0) return;
  --(thread.stuck ? shares_[thread.owner].stuck : shares_[thread.owner].running);
  --(std::exchange(thread.stuck, false) ? stuck_ : running_);
  loop_.stats().offload_running.subtract();
}

void Offload::run_thread(Thread& self, unsigned index) {
  this_thread_index = index;
  const FaultStack stack(index);
  pthread_setname_np(pthread_self(), "sluice-offload");
  static_cast<void>(::nice(kNicer));  // of this thread alone (sched(7))
  to_start_.count_down();
  while (Item* item = next_of(self)) {
    item->ran =
        unless_out_of_memory("memory is used up: an offloaded call has failed", [&] { item->work->run(); });
    finish(self, item);
  }
}

// The next work in its slots.
Offload::Item* Offload::Thread::take() {
  for (std::size_t tried = 0; tried < kAheadMax; ++tried) {
    std::atomic<Item*>& slot = slots[next];
    next = (next + 1) % kAheadMax;
    if (slot.load() == nullptr) continue;
    if (Item* const item = slot.exchange(nullptr)) return item;
  }
  return nullptr;
}

// Waits for a work. Nothing when the thread is to end.
Offload::Item* Offload::next_of(Thread& self) {
  for (;;) {
    if (Item* const item = self.take()) return item;
    if (self.untold) tell(self);
    if (stopping_) return nullptr;
    self.asleep = true;
    Item* const late = self.take();  // given before the loop could see it asleep
    // Whoever cleared `asleep` releases the semaphore, so this has to take it.
    if (late == nullptr || !self.asleep.exchange(false)) self.wake.acquire();
    self.told_ns = monotonic_ns();
    if (late != nullptr) return late;
  }
}

void Offload::finish(Thread& self, Item* item) {
  Item* first = finished_.load(std::memory_order_relaxed);
  do item->next = first;
  while (!finished_.compare_exchange_weak(first, item));
  self.untold = true;
  if (monotonic_ns() - self.told_ns >= kUntoldNs) tell(self);
}

// Sequentially consistent: either the loop takes what this thread has finished, or this sees `told_` cleared.
void Offload::tell(Thread& self) {
  self.untold = false;
  self.told_ns = monotonic_ns();
  if (told_.exchange(true)) return;
  const std::uint64_t one = 1;
  // It can only fail when the count is at its maximum, and then the loop is awake already.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_.get(), &one, sizeof(one));
}

void Offload::look_later() {
  if (look_.id.value != 0) return;
  unless_out_of_memory("memory is used up: the end of an offloaded call may be noticed late",
                       [&] { look_.id = loop_.timers().start(loop_.now_ms() + kLookMs, look_); });
}

void Offload::look() {
  look_.id = TimerId{};
  take_in();
  if (std::any_of(threads_.begin(), threads_.end(), [](const Thread& thread) { return thread.given > 1; })) {
    look_later();
  }
}

// The event is edge-triggered: each write reports anew, so the eventfd need not be read.
void Offload::take_in() {
  const unsigned running = running_;
  ItemPtr finished = take_finished();
  // A thread without work takes works that others have not begun.
  if (running_ < running) take_back_ahead();
  start_waiting();
  give_ahead();
  give_back_all(std::move(finished));
}

// In the order in which they ended, linked to each other. Their threads are free again.
Offload::ItemPtr Offload::take_finished() {
  Item* in_order = nullptr;
  told_ = false;
  for (Item* item = finished_.exchange(nullptr); item != nullptr;) {
    Thread& thread = *item->thread;
    thread.quick = loop_.now_ms() - thread.since_ms <= kQuickMs;
    thread.since_ms = loop_.now_ms();
    came_back(thread);
    Item* const next = std::exchange(item->next, in_order);
    in_order = std::exchange(item, next);
  }
  return ItemPtr(in_order);
}

void Offload::give_back_all(ItemPtr finished) {
  while (finished != nullptr) {
    ItemPtr next(std::exchange(finished->next, nullptr));
    give_back(std::exchange(finished, std::move(next)));
  }
}

void Offload::find_stuck() {
  bool any_stuck = false;
  for (Thread& thread : threads_) {
    if (thread.given == 0 || thread.stuck || loop_.now_ms() - thread.since_ms < limits_.stuck_ms) continue;
    any_stuck = true;
    if (stuck_ == limits_.spares) continue;
    thread.stuck = true;
    Share& share = shares_[thread.owner];
    --share.running;
    ++share.stuck;
    --running_;
    ++stuck_;
  }
  if (any_stuck) take_back_ahead();
}

// `expiry_` stays set during the call: work that is submitted now needs no timer of its own.
void Offload::fired() {
  find_stuck();
  start_waiting();
  const bool more = give_back_expired();
  expiry_ = TimerId{};
  if (outstanding_ > 0) expiry_ = loop_.timers().start(loop_.now_ms() + (more ? 0 : kExpiryCheckMs), *this);
}

// Returns whether there may be more.
bool Offload::give_back_expired() {
  for (unsigned left = kExpiredMax; left > 0; --left) {
    if (queue_.empty() || queue_.front()->due_ms > loop_.now_ms()) return false;
    give_back_first();
  }
  return true;
}

void Offload::give_back_first() {
  give_back(take_out(queue_.begin()));
}

void Offload::give_back(ItemPtr item) {
  const auto share = shares_.find(item->owner);
  if (share != shares_.end() && share->second.is_unused()) shares_.erase(share);
  unless_out_of_memory("memory is used up: the end of an offloaded call is left undone",
                       [&] { item->work->done(item->ran); });
  item->work.reset();
  --outstanding_;
}

}  // namespace sluice
