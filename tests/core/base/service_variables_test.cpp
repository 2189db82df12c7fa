// The variables of a service manager are taken once, and leave the environment.
#include "base/service_variables.h"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace sluice;

TEST_CASE("a service manager's variables are taken out of the environment", "[service]") {
  const char* names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                         "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};
  for (const char* name : names) ::setenv(name, name, 1);
  const ServiceVariables taken = take_service_variables();
  CHECK(taken.notify_socket == "NOTIFY_SOCKET");
  CHECK(taken.watchdog_usec == "WATCHDOG_USEC");
  CHECK(taken.watchdog_pid == "WATCHDOG_PID");
  CHECK(taken.listen_fds == "LISTEN_FDS");
  CHECK(taken.listen_pid == "LISTEN_PID");
  CHECK(taken.listen_fdnames == "LISTEN_FDNAMES");
  for (const char* name : names) CHECK(std::getenv(name) == nullptr);
  CHECK(take_service_variables().listen_fds.empty());
}
