// The part of a module instance that numbers and claims of all workers are asked by.
#include "module/module_instance.h"

#include <new>

namespace sluice {

std::uint64_t ModuleInstance::shared_number(Bytes name) {
  return state().numbers.get(own_name(name), now_ms());
}

Changed ModuleInstance::change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) {
  return state().numbers.change(services_.state.seat, own_name(name), from, to, now_ms());
}

std::uint64_t ModuleInstance::add_shared_number(Bytes name, std::uint64_t by) {
  return state().numbers.add(services_.state.seat, own_name(name), by, now_ms());
}

bool ModuleInstance::claim(Bytes name, std::uint32_t max) {
  const SharedName own = own_name(name);
  const WorkerClaims::Claimed claimed = state().claims.claim(services_.state.seat, own, max);
  if (claimed != WorkerClaims::Claimed::granted) return claimed == WorkerClaims::Claimed::counted;
  try {
    ++granted_[own.entry()];
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void ModuleInstance::give_back(Bytes name) {
  const SharedName own = own_name(name);
  const auto granted = granted_.find(own.entry());
  if (granted == granted_.end()) return state().claims.give_back(services_.state.seat, own);
  if (--granted->second == 0) granted_.erase(granted);
}

std::uint64_t ModuleInstance::claims(Bytes name) {
  return state().claims.sum(own_name(name));
}

}  // namespace sluice
