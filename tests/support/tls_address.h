// An address with TLS of one site without names, without a server around it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "transport/tls_context.h"
#include "transport/tls_link.h"

namespace sluice::test {

struct TlsAddress {
  ServingPlan plan;
  ServedAddress address;
  TlsIdentities identities{plan};
  HandshakeLog log;
  std::unique_ptr<TlsContext> context;

  explicit TlsAddress(const std::vector<Certificate>& certificates) {
    plan.sites.resize(1);
    plan.certificates = certificates;
    plan.ticket_keys = std::move(*TicketKeys::make());
    for (std::size_t i = 0; i < certificates.size(); ++i) plan.sites[0].certificates.push_back(i);
    address.at.tls = true;
    address.names.add_default(0);
  }
  // Of what the plan says by now.
  Result<void> create() {
    return TlsContext::create(plan, address, identities).map([this](auto&& made) {
      context = std::move(made);
    });
  }
  // REQUIRES: the certificates are in order.
  TlsServices services(EventLoop& loop, Offload& offload) {
    REQUIRE(create());
    return {*context, loop, offload, log};
  }
};

}  // namespace sluice::test
