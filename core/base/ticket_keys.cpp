#include "base/ticket_keys.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/monotonic_clock.h"

namespace sluice {
namespace {

static_assert(sizeof(TicketKey) == 80 && alignof(TicketKey) == 1);

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

Result<std::shared_ptr<TicketKeys>> TicketKeys::map(std::size_t count) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("there is no memory for the keys of session tickets", errno);
  ::madvise(memory, sizeof(Shared), MADV_DONTDUMP);
  std::shared_ptr<TicketKeys> keys(new TicketKeys(new (memory) Shared{}));
  keys->shared_->made_ms = monotonic_ms();
  keys->shared_->count = count;
  return keys;
}

Result<std::shared_ptr<TicketKeys>> TicketKeys::make() {
  constexpr std::size_t kOwnKeys = 2;  // the current one, and the one before
  auto keys = map(kOwnKeys);
  for (std::size_t index = 0; keys && index < kOwnKeys; ++index) {
    if (!fill((*keys)->shared_->keys[index]))
      return fail_errno("there are no random numbers for the keys of session tickets", errno);
  }
  return keys;
}

Result<std::shared_ptr<TicketKeys>> TicketKeys::make(std::string_view file) {
  auto keys = map(std::min(file.size() / sizeof(TicketKey), kKeysMax));
  if (!keys) return keys;
  std::memcpy((*keys)->shared_->keys, file.data(), (*keys)->shared_->count * sizeof(TicketKey));
  (*keys)->are_of_file_ = true;
  return keys;
}

std::string TicketKeys::pack() const {
  if (are_of_file_) return {};
  const std::uint64_t made_ms = shared_->made_ms.load();
  std::string packed(sizeof(made_ms) + shared_->count * sizeof(TicketKey), '\0');
  std::memcpy(packed.data(), &made_ms, sizeof(made_ms));
  std::memcpy(packed.data() + sizeof(made_ms), shared_->keys, shared_->count * sizeof(TicketKey));
  return packed;
}

Result<std::shared_ptr<TicketKeys>> TicketKeys::unpack(std::string_view packed) {
  std::uint64_t made_ms = 0;
  const std::size_t count = (packed.size() - std::min(packed.size(), sizeof(made_ms))) / sizeof(TicketKey);
  if (count == 0 || count > kKeysMax || packed.size() != sizeof(made_ms) + count * sizeof(TicketKey))
    return fail("the keys of session tickets that were handed over cannot be read");
  auto keys = map(count);
  if (!keys) return keys;
  std::memcpy(&made_ms, packed.data(), sizeof(made_ms));
  (*keys)->shared_->made_ms = made_ms;
  std::memcpy((*keys)->shared_->keys, packed.data() + sizeof(made_ms), count * sizeof(TicketKey));
  return keys;
}

bool TicketKeys::are(std::string_view file) const {
  return are_of_file_ && file.size() == shared_->count * sizeof(TicketKey) &&
         std::memcmp(file.data(), shared_->keys, file.size()) == 0;
}

void TicketKeys::rotate_if_due(std::uint64_t now_ms) {
  if (are_of_file_ || now_ms - shared_->made_ms < kLifetimeMs) return;
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
  for (std::size_t index = 0; index < shared_->count; ++index) {
    const TicketKey key = read(index);
    if (std::equal(name.begin(), name.end(), key.name.begin())) return Found{key, index == 0};
  }
  return std::nullopt;
}

}  // namespace sluice
