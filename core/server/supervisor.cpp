#include "server/supervisor.h"

#include <csignal>
#include <cstdio>
#include <utility>

#include "base/log.h"
#include "base/process_setup.h"

namespace sluice {

int supervise(const Settings& settings, const ReadSettings& reread, Service service) {
  ignore_idle_signals();
  hold_signal(SIGHUP);
  raise_descriptor_limit();
  set_log(settings.log_level, "supervisor");
  const auto served = [&]() -> Result<bool> {
    auto tried = try_settings(settings, [&] { service.sockets.close_for_child(); });
    if (!tried) return Unexpected(tried.error());
    const auto stats = map_stats();
    if (!stats) return Unexpected(stats.error());
    auto state = SharedState::make();
    if (!state) return Unexpected(state.error());
    const auto loop = EventLoop::create(**stats);
    if (!loop) return Unexpected(loop.error());
    Supervisor supervisor(**loop, std::move(*tried), reread, std::move(service), std::move(*state));
    return supervisor.start().map([&] { return supervisor.run(); });
  }();
  if (served) return *served ? kExitFine : kExitForced;
  std::fprintf(stderr, "sluice: %s\n", served.error().message.c_str());
  return kExitCouldNotStart;
}

}  // namespace sluice
