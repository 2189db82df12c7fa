#include "telemetry/access_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace sluice {

void AccessRing::copy_in(std::uint64_t at, const void* bytes, std::size_t size) {
  const std::size_t place = at % kSize;
  const std::size_t first = std::min(size, kSize - place);
  std::memcpy(bytes_ + place, bytes, first);
  std::memcpy(bytes_, static_cast<const char*>(bytes) + first, size - first);
}

void AccessRing::copy_out(std::uint64_t at, void* bytes, std::size_t size) const {
  const std::size_t place = at % kSize;
  const std::size_t first = std::min(size, kSize - place);
  std::memcpy(bytes, bytes_ + place, first);
  std::memcpy(static_cast<char*>(bytes) + first, bytes_, size - first);
}

AccessRing::Pushed AccessRing::push(std::uint16_t log, std::string_view line) {
  const std::uint64_t pushed = pushed_.load(std::memory_order_relaxed);
  const std::uint64_t used = pushed - taken_.load(std::memory_order_acquire);
  const std::size_t size = sizeof(Head) + line.size();
  if (line.size() > kLineMax || used > kSize || size > kSize - used) {
    dropped_.add();
    return Pushed::dropped;
  }
  const Head head{static_cast<std::uint32_t>(line.size()), log};
  copy_in(pushed, &head, sizeof(head));
  copy_in(pushed + sizeof(head), line.data(), line.size());
  // Sequentially consistent with AccessRings::writer_sleeps: either the writer sees the line before it sleeps,
  // or the worker sees that it sleeps.
  pushed_.store(pushed + size, std::memory_order_seq_cst);
  return used < kSize / 2 && used + size >= kSize / 2 ? Pushed::half_full : Pushed::yes;
}

AccessRing::Head AccessRing::next(bool& broken) {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  const std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
  if (pushed == taken) return {};
  const std::uint64_t waiting = pushed - taken;
  Head head{};
  if (waiting >= sizeof(head) && waiting <= kSize) copy_out(taken, &head, sizeof(head));
  if (head.size > 0 && head.size <= kLineMax && sizeof(head) + head.size <= waiting) return head;
  broken = true;
  taken_.store(pushed, std::memory_order_release);
  return {};
}

void AccessRing::append_next(std::string& lines, std::size_t size) const {
  const std::size_t place = (taken_.load(std::memory_order_relaxed) + sizeof(Head)) % kSize;
  const std::size_t first = std::min(size, kSize - place);
  lines.append(bytes_ + place, first).append(bytes_, size - first);
}

void AccessRing::pass(std::size_t size) {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  taken_.store(taken + sizeof(Head) + size, std::memory_order_release);
}

std::uint64_t AccessRing::take_dropped() {
  const std::uint64_t dropped = dropped_.get();
  const std::uint64_t more = dropped - told_.get();
  told_.set(dropped);
  return more;
}

void AccessRingUse::lend(std::uint32_t plan) {
  plan_.store(plan, std::memory_order_relaxed);
  worker_.store(0, std::memory_order_relaxed);
  use_.store(kLent, std::memory_order_release);
}

void AccessRingUse::own() {
  worker_.store(::getpid(), std::memory_order_relaxed);
}

bool AccessRingUse::has_worker() const {
  const pid_t worker = worker_.load(std::memory_order_relaxed);
  return worker > 0 && (::kill(worker, 0) == 0 || errno == EPERM);
}

void AccessPlace::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd, &one, sizeof(one));
}

void UnmapRings::operator()(AccessRings* rings) const {
  ::munmap(rings, sizeof(AccessRings));
}

Result<SharedRings> map_rings() {
  void* memory = ::mmap(nullptr, sizeof(AccessRings), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot map memory for the access log", errno);
  return SharedRings(static_cast<AccessRings*>(memory));
}

}  // namespace sluice
