#include "module/unloaded_code.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <climits>
#include <csignal>
#include <cstdint>

#include "telemetry/fault_handler.h"

namespace sluice {
namespace {

// An entry of the C library's table of keys, whose layout libthread_db relies on, too.
struct Key {
  std::uintptr_t sequence;  // odd while the key is in use
  void (*destructor)(void*);
};

void destroy_nothing(void*) {}

// The C library's table of keys. A key of our own shows whether its layout is the expected one; null if not.
const volatile Key* table_of_keys() {
  static const volatile Key* const table = []() -> const volatile Key* {
    const auto* keys =
        static_cast<const volatile Key*>(::dlvsym(RTLD_DEFAULT, "__pthread_keys", "GLIBC_PRIVATE"));
    pthread_key_t own{};
    if (keys == nullptr || ::pthread_key_create(&own, destroy_nothing) != 0) return nullptr;
    const bool is_known = keys[own].sequence % 2 == 1 && keys[own].destructor == destroy_nothing;
    ::pthread_key_delete(own);
    return is_known ? keys : nullptr;
  }
  ();
  return table;
}

template <typename Function>
bool is_gone(Function* function) {
  dl_find_object found{};
  return ::_dl_find_object(reinterpret_cast<void*>(function), &found) != 0;
}

void forget_keys() {
  const volatile Key* keys = table_of_keys();
  if (keys == nullptr) return;
  for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; ++key) {
    auto* destructor = keys[key].destructor;
    if (keys[key].sequence % 2 == 1 && destructor != nullptr && is_gone(destructor)) ::pthread_key_delete(key);
  }
}

void forget_signal_handlers() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    const bool has_info = (action.sa_flags & SA_SIGINFO) != 0;
    if (!has_info && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)) continue;
    if (has_info ? is_gone(action.sa_sigaction) : is_gone(action.sa_handler)) restore_signal(signal);
  }
}

}  // namespace

void forget_unloaded_code() {
  forget_keys();
  forget_signal_handlers();
}

}  // namespace sluice
