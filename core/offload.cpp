#include "offload.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "fault_handler.h"
#include "monotonic_clock.h"

namespace sluice {
namespace {

constexpr std::uint64_t kExpiryCheckMs = 500;
thread_local unsigned this_thread_index = 0;

}  // namespace

Result<std::unique_ptr<Offload>> Offload::create(EventLoop& loop, const Limits& limits) {
  std::unique_ptr<Offload> offload(new Offload(loop, limits));
  offload->event_fd_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!offload->event_fd_) return fail_errno("cannot make an eventfd for the offload threads", errno);
  offload->token_ = loop.add(offload->event_fd_.get(), EPOLLIN, *offload);
  if (offload->token_ == EventLoop::kNoToken) return fail_errno("cannot watch the offload threads", errno);
  // Signals are the loop's business, except what a thread's own fault brings.
  sigset_t all, before;
  sigfillset(&all);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, signal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    for (unsigned index = 1; index <= limits.threads; ++index) {
      offload->threads_.emplace_back([raw = offload.get(), index] { raw->run_thread(index); });
    }
  } catch (const std::system_error& error) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return fail(std::string("cannot start the offload threads: ") + error.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return offload;
}

Offload::~Offload() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  // What is given back may submit more, which is given back in turn.
  while (outstanding_ > 0) {
    {
      const std::lock_guard lock(mutex_);
      for (Item& item : queue_) finished_.push_back(std::move(item));
      queue_.clear();
    }
    give_back();
  }
  loop_.timers().cancel(expiry_);
  loop_.remove(token_, event_fd_.get());
}

unsigned Offload::thread_index() {
  return this_thread_index;
}

bool Offload::submit(const void* owner, std::unique_ptr<Work>& work) {
  {
    const std::lock_guard lock(mutex_);
    Share& share = shares_[owner];
    if (stopping_ || queue_.size() >= limits_.queue_max || share.queued >= limits_.queue_max / 2) return false;
    ++share.queued;
    loop_.stats().offload_queued.add();
    queue_.push_back(Item{owner, std::move(work), loop_.now_ms() + limits_.queued_ms_max});
  }
  ++outstanding_;
  wanted_.notify_one();
  if (expiry_.value == 0) expiry_ = loop_.timers().start(loop_.now_ms() + kExpiryCheckMs, *this);
  return true;
}

std::deque<Offload::Item>::iterator Offload::next_item() {
  const unsigned running_max = std::max(1U, limits_.threads / 2);
  return std::find_if(queue_.begin(), queue_.end(),
                      [&](const Item& item) { return shares_[item.owner].running < running_max; });
}

void Offload::run_thread(unsigned index) {
  this_thread_index = index;
  const FaultStack stack(index);
  pthread_setname_np(pthread_self(), "sluice-offload");
  std::unique_lock lock(mutex_);
  for (;;) {
    auto next = queue_.end();
    wanted_.wait(lock, [&] { return stopping_ || (next = next_item()) != queue_.end(); });
    if (stopping_) return;
    Item item = std::move(*next);
    queue_.erase(next);
    Share& share = shares_[item.owner];
    --share.queued;
    ++share.running;
    WorkerStats& stats = loop_.stats();
    stats.offload_queued.subtract();
    stats.offload_running.add();
    const std::uint64_t waited_ms = std::max(limits_.queued_ms_max + monotonic_ms(), item.due_ms) - item.due_ms;
    stats.offload_waits.add(waited_ms * 1'000'000);
    lock.unlock();
    item.work->run();
    item.ran = true;
    lock.lock();
    --shares_[item.owner].running;
    stats.offload_running.subtract();
    finished_.push_back(std::move(item));
    signal();
    wanted_.notify_one();  // the owner may have been at its limit
  }
}

void Offload::signal() {
  const std::uint64_t one = 1;
  // It can only fail when the count is at its maximum, and then the loop is awake already.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_.get(), &one, sizeof(one));
}

void Offload::on_events(std::uint32_t) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(event_fd_.get(), &count, sizeof(count));
  give_back();
}

void Offload::fired() {
  expiry_ = TimerId{};
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now_ms = loop_.now_ms();
    while (!queue_.empty() && queue_.front().due_ms <= now_ms) {
      --shares_[queue_.front().owner].queued;
      loop_.stats().offload_queued.subtract();
      finished_.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
  }
  give_back();
  if (outstanding_ > 0 && expiry_.value == 0) {
    expiry_ = loop_.timers().start(loop_.now_ms() + kExpiryCheckMs, *this);
  }
}

void Offload::give_back() {
  std::vector<Item> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
    for (const Item& item : finished) {
      const auto share = shares_.find(item.owner);
      if (share != shares_.end() && share->second.running == 0 && share->second.queued == 0)
        shares_.erase(share);
    }
  }
  for (Item& item : finished) {
    item.work->done(item.ran);
    item.work.reset();
    --outstanding_;
  }
}

}  // namespace sluice
