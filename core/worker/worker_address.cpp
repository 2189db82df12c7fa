#include "worker/worker_address.h"

#include <utility>

namespace sluice {

Result<std::unique_ptr<WorkerAddress>> WorkerAddress::prepare(const ServedAddress& served,
                                                              const Common& common) {
  // Behind a Unix socket is a proxy, which may speak TLS itself; an isolated mount answers here alone.
  const bool redirects = !served.at.is_unix() && !common.group.mount;
  const bool http2_clear = common.plan.settings.protocols.http2_clear;
  auto made = std::make_unique<WorkerAddress>(
      WorkerAddress{nullptr, {}, {}, {served.names, nullptr, redirects, http2_clear}});
  if (!served.proxies.empty())
    made->context.proxies = &made->proxies.emplace(IntroducingProxies{served.proxies});
  if (!served.at.tls) return made;
  auto tls = TlsContext::create(common.plan, served, common.identities);
  if (!tls) return Unexpected(tls.error());
  made->tls = std::move(*tls);
  made->services.emplace(TlsServices{*made->tls, common.loop, common.offload, common.handshake_log});
  made->context.tls = &*made->services;
  return made;
}

}  // namespace sluice
