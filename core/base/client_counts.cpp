#include "base/client_counts.h"

#include <sys/mman.h>

#include <cerrno>
#include <string_view>

namespace sluice {

Result<std::shared_ptr<ClientCounts>> ClientCounts::make(unsigned workers) {
  const auto names = SharedNames::make();
  if (!names) return Unexpected(names.error());
  std::shared_ptr<ClientCounts> counts(new ClientCounts(workers, *names));
  // Pages that no client uses cost nothing.
  void* memory = ::mmap(nullptr, counts->size(), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("there is no memory for the limits of clients", errno);
  counts->counts_ = static_cast<Count*>(memory);
  return counts;
}

ClientCounts::~ClientCounts() {
  if (counts_ != nullptr) ::munmap(counts_, size());
}

std::uint32_t ClientCounts::place_of(const PeerAddress& address) const {
  constexpr std::size_t kV4Size = 4;
  constexpr std::size_t kV6NetworkSize = 8;
  const PeerAddress plain = address.unmapped();
  const auto* bytes = reinterpret_cast<const char*>(plain.bytes().data());
  const std::string_view counted(bytes, plain.family() == AF_INET ? kV4Size : kV6NetworkSize);
  return static_cast<std::uint32_t>(names_.of(counted).place % kPlaces);
}

std::uint32_t ClientCounts::count(std::uint32_t place, ClientUse use) const {
  std::uint32_t sum = 0;
  for (unsigned worker = 0; worker < workers_; ++worker)
    sum += at(worker, place, use).load(std::memory_order_relaxed);
  return sum;
}

// One writer, so no locked instruction is needed.
void ClientCounts::add(unsigned worker, std::uint32_t place, ClientUse use) {
  Count& count = at(worker, place, use);
  count.store(static_cast<std::uint16_t>(count.load(std::memory_order_relaxed) + 1), std::memory_order_relaxed);
}

void ClientCounts::subtract(unsigned worker, std::uint32_t place, ClientUse use) {
  Count& count = at(worker, place, use);
  // A successor may have cleared it, while a worker that could not be killed still closes its connections.
  const std::uint16_t counted = count.load(std::memory_order_relaxed);
  if (counted != 0) count.store(static_cast<std::uint16_t>(counted - 1), std::memory_order_relaxed);
}

void ClientCounts::clear(unsigned worker) {
  for (std::uint32_t place = 0; place < kPlaces; ++place) {
    for (const ClientUse use : {ClientUse::connection, ClientUse::handshake, ClientUse::request}) {
      Count& count = at(worker, place, use);
      if (count.load(std::memory_order_relaxed) != 0) count.store(0, std::memory_order_relaxed);
    }
  }
}

}  // namespace sluice
