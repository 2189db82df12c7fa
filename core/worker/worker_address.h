// What a worker keeps for one of its addresses: TLS, the proxies that introduce their clients there, and the
// context that its connections share. Loop thread; outlives the connections.
#pragma once

#include <memory>
#include <optional>

#include "connection/address_context.h"
#include "settings/serving_plan.h"
#include "transport/tls_identities.h"
#include "transport/tls_link.h"

namespace sluice {

struct WorkerAddress {
  std::unique_ptr<TlsContext> tls;  // null: clear text
  std::optional<TlsServices> services;
  std::optional<IntroducingProxies> proxies;
  AddressContext context;

  // What addresses of one worker have in common; lives longer than they do.
  struct Common {
    const ServingPlan& plan;
    const ServingGroup& group;
    TlsIdentities& identities;
    EventLoop& loop;
    Offload& offload;
    HandshakeLog& handshake_log;
  };
  // The error is one sentence. `served` is one of the group.
  static Result<std::unique_ptr<WorkerAddress>> prepare(const ServedAddress& served, const Common& common);
};

}  // namespace sluice
