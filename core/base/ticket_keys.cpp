#include "base/ticket_keys.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/monotonic_clock.h"

namespace sluice {
namespace {

bool fill(TicketKey& key) {
  unsigned char bytes[sizeof(TicketKey)];
  // Up to 256 bytes come whole (getrandom(2)).
  if (::getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) return false;
  std::memcpy(&key, bytes, sizeof(key));
  ::explicit_bzero(bytes, sizeof(bytes));
  return true;
}

}  // namespace

void TicketKeys::Unmap::operator()(Shared* shared) const {
  ::munmap(shared, sizeof(Shared));
}

Result<std::shared_ptr<TicketKeys>> TicketKeys::make() {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("there is no memory for the keys of session tickets", errno);
  ::madvise(memory, sizeof(Shared), MADV_DONTDUMP);
  std::shared_ptr<TicketKeys> keys(new TicketKeys(new (memory) Shared{}));
  keys->shared_->made_ms = monotonic_ms();
  for (TicketKey& key : keys->shared_->keys) {
    if (!fill(key)) return fail_errno("there are no random numbers for the keys of session tickets", errno);
  }
  return keys;
}

void TicketKeys::rotate_if_due(std::uint64_t now_ms) {
  if (now_ms - shared_->made_ms < kLifetimeMs) return;
  TicketKey fresh;
  if (!fill(fresh)) return;  // the old key serves on until the next look
  shared_->sequence.fetch_add(1);
  std::atomic_thread_fence(std::memory_order_release);
  shared_->keys[1] = shared_->keys[0];
  shared_->keys[0] = fresh;
  shared_->made_ms = now_ms;
  shared_->sequence.fetch_add(1, std::memory_order_release);
}

// A supervisor that died while it wrote leaves an odd number. What is read then may be no key at all, which
// only costs a full handshake.
TicketKey TicketKeys::read(std::size_t index) const {
  constexpr int kTries = 1000;
  TicketKey key;
  for (int tried = 0; tried < kTries; ++tried) {
    const std::uint32_t before = shared_->sequence.load(std::memory_order_acquire);
    key = shared_->keys[index];
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && shared_->sequence.load(std::memory_order_relaxed) == before) break;
  }
  return key;
}

std::optional<TicketKeys::Found> TicketKeys::find(std::span<const unsigned char, 16> name) const {
  for (std::size_t index = 0; index < std::size(shared_->keys); ++index) {
    const TicketKey key = read(index);
    if (std::equal(name.begin(), name.end(), key.name.begin())) return Found{key, index == 0};
  }
  return std::nullopt;
}

}  // namespace sluice
