#include "base/service_variables.h"

#include <cstdlib>

namespace sluice {
namespace {

std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

ServiceVariables take_service_variables() {
  return {take("NOTIFY_SOCKET"), take("WATCHDOG_USEC"), take("WATCHDOG_PID"),
          take("LISTEN_FDS"),    take("LISTEN_PID"),    take("LISTEN_FDNAMES")};
}

void pass_on_service_variables(const ServiceVariables& variables) {
  if (!variables.notify_socket.empty()) ::setenv("NOTIFY_SOCKET", variables.notify_socket.c_str(), 1);
  if (!variables.watchdog_usec.empty()) ::setenv("WATCHDOG_USEC", variables.watchdog_usec.c_str(), 1);
}

}  // namespace sluice
