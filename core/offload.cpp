#include "offload.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "fault_handler.h"
#include "out_of_memory.h"

namespace sluice {
namespace {

constexpr std::uint64_t kExpiryCheckMs = 500;
// Where a thread and the loop want the same processor, the loop gets three times as much of it.
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
  // Signals are the loop's business, except what a thread's own fault brings.
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
  for (Thread& thread : threads_) thread.wanted.release();
  for (Thread& thread : threads_) thread.thread.join();
  give_back_all(take_finished());
  while (!queue_.empty()) give_back_first();
  loop_.timers().cancel(expiry_);
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
    Share& share = shares_[owner];
    queue_.push_back(std::move(item));
    ++share.queued;
  });
  if (!queued) return false;
  queue_.back()->work = std::move(work);
  loop_.stats().offload_queued.add();
  if (room == Room::reserve) ++reserved_;
  ++outstanding_;
  start_waiting();
  if (expiry_.value == 0) {
    unless_out_of_memory("memory is used up: an offloaded call may wait for longer than it should",
                         [&] { expiry_ = loop_.timers().start(loop_.now_ms() + kExpiryCheckMs, *this); });
  }
  return true;
}

void Offload::start_waiting() {
  for (Thread& thread : threads_) {
    if (stopping_ || queue_.empty() || running_ >= limits_.threads) return;
    if (thread.busy) continue;
    const auto next = next_item();
    if (next == queue_.end()) return;
    start(thread, take_out(next));
  }
}

std::deque<Offload::ItemPtr>::iterator Offload::next_item() {
  const unsigned running_max = std::max(1U, limits_.threads / 2);
  const bool many_stuck = stuck_ >= limits_.spares / 2;
  return std::find_if(queue_.begin(), queue_.end(), [&](const ItemPtr& item) {
    const Share& share = shares_[item->owner];
    return share.running < running_max && (share.stuck == 0 || !many_stuck);
  });
}

Offload::ItemPtr Offload::take_out(std::deque<ItemPtr>::iterator place) {
  ItemPtr item = std::move(*place);
  queue_.erase(place);
  if (item->room == Room::reserve) --reserved_;
  --shares_[item->owner].queued;
  loop_.stats().offload_queued.subtract();
  return item;
}

void Offload::start(Thread& thread, ItemPtr item) {
  ++shares_[item->owner].running;
  ++running_;
  WorkerStats& stats = loop_.stats();
  stats.offload_running.add();
  const std::uint64_t waited_ms = std::max(limits_.queued_ms_max + loop_.now_ms(), item->due_ms) - item->due_ms;
  stats.offload_waits.add(waited_ms * 1'000'000);
  item->thread = &thread;
  thread.busy = true;
  thread.owner = item->owner;
  thread.since_ms = loop_.now_ms();
  thread.item.store(item.release(), std::memory_order_relaxed);  // released by the semaphore
  thread.wanted.release();
}

void Offload::run_thread(Thread& self, unsigned index) {
  this_thread_index = index;
  const FaultStack stack(index);
  pthread_setname_np(pthread_self(), "sluice-offload");
  static_cast<void>(::nice(kNicer));  // of this thread alone (sched(7))
  to_start_.count_down();
  for (;;) {
    self.wanted.acquire();
    Item* item = self.item.exchange(nullptr, std::memory_order_relaxed);
    if (item == nullptr) return;
    item->ran =
        unless_out_of_memory("memory is used up: an offloaded call has failed", [&] { item->work->run(); });
    finish(item);
  }
}

// Only the first of those that the loop has not taken yet is told: it takes all that are there.
void Offload::finish(Item* item) {
  Item* first = finished_.load(std::memory_order_relaxed);
  do item->next = first;
  while (!finished_.compare_exchange_weak(first, item, std::memory_order_release, std::memory_order_relaxed));
  if (first == nullptr) signal();
}

void Offload::signal() {
  const std::uint64_t one = 1;
  // It can only fail when the count is at its maximum, and then the loop is awake already.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_.get(), &one, sizeof(one));
}

// Edge-triggered: each write tells anew, and nobody has to read.
void Offload::on_events(std::uint32_t) {
  ItemPtr finished = take_finished();
  start_waiting();
  give_back_all(std::move(finished));
}

// In the order in which they ended, each linked to the next; their threads are free.
Offload::ItemPtr Offload::take_finished() {
  Item* in_order = nullptr;
  for (Item* item = finished_.exchange(nullptr, std::memory_order_acquire); item != nullptr;) {
    Thread& thread = *item->thread;
    thread.busy = false;
    --(thread.stuck ? shares_[item->owner].stuck : shares_[item->owner].running);
    --(std::exchange(thread.stuck, false) ? stuck_ : running_);
    loop_.stats().offload_running.subtract();
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
  for (Thread& thread : threads_) {
    if (stuck_ == limits_.spares) return;
    if (!thread.busy || thread.stuck || loop_.now_ms() - thread.since_ms < limits_.stuck_ms) continue;
    thread.stuck = true;
    Share& share = shares_[thread.owner];
    --share.running;
    ++share.stuck;
    --running_;
    ++stuck_;
  }
}

// `expiry_` stays set meanwhile: work that is submitted now needs no timer of its own.
void Offload::fired() {
  find_stuck();
  start_waiting();
  const bool more = give_back_expired();
  expiry_ = TimerId{};
  if (outstanding_ > 0) expiry_ = loop_.timers().start(loop_.now_ms() + (more ? 0 : kExpiryCheckMs), *this);
}

// Whether there may be more.
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
