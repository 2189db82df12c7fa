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
    ServingPlan before;
    if (service.handover && !service.handover->ticket_keys.empty()) {
      auto keys = TicketKeys::unpack(service.handover->ticket_keys);
      if (keys) before.ticket_keys = std::move(*keys);
      if (!keys) log(LogLevel::warning, keys.error().message + ": clients need another handshake");
      service.handover->wipe_keys();
    }
    auto tried = try_settings(
        settings,
        [&] {
          service.sockets.close_for_child();
          if (service.handover) service.handover->close_for_child();
        },
        &before);
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
