// The part of a module instance that numbers and claims of all workers are asked by.
#include "module/module_instance.h"

namespace sluice {

std::uint64_t ModuleInstance::shared_number(Bytes name) {
  return state().numbers.get(own_name(name), now_ms());
}

bool ModuleInstance::change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) {
  return state().numbers.change(own_name(name), from, to, now_ms());
}

std::uint64_t ModuleInstance::add_shared_number(Bytes name, std::uint64_t by) {
  return state().numbers.add(own_name(name), by, now_ms());
}

bool ModuleInstance::claim(Bytes name, std::uint32_t max) {
  return state().claims.claim(services_.state.seat, own_name(name), max);
}

void ModuleInstance::give_back(Bytes name) {
  state().claims.give_back(services_.state.seat, own_name(name));
}

std::uint64_t ModuleInstance::claims(Bytes name) {
  return state().claims.sum(own_name(name));
}

}  // namespace sluice
