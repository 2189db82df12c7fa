#include "server/supervisor.h"

#include <cstdio>

namespace sluice {

int supervise(const Settings& settings, const ReadSettings& reread) {
  const auto served = [&]() -> Result<bool> {
    Supervisor supervisor(reread);
    return supervisor.start(settings).map([&] { return supervisor.run(); });
  }();
  if (served) return *served ? kExitFine : kExitForced;
  std::fprintf(stderr, "sluice: %s\n", served.error().message.c_str());
  return kExitCouldNotStart;
}

}  // namespace sluice
