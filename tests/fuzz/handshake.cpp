// What a client sends first to an address with TLS: the handshake goes on, waits for more, or fails with a
// reason, and a name gets the identity of its site.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "expect.h"
#include "transport/tls_context.h"
#include "transport/tls_stream.h"

using namespace sluice;
using fuzz::expect;

namespace {

// Two sites with names, each with a certificate of its own.
struct Served {
  ServingPlan plan;
  ServedAddress address;
  TlsIdentities identities{plan};
  std::unique_ptr<TlsContext> context;

  Served() {
    plan.ticket_keys = std::move(*TicketKeys::make());
    for (const char* name : {"a.example", "*.b.example"}) {
      SitePlan& site = plan.sites.emplace_back();
      site.settings.names = {name};
      site.certificates = {plan.certificates.size()};
      plan.certificates.push_back(std::move(*make_self_signed({name})));
      address.names.add(name, static_cast<std::uint32_t>(plan.sites.size() - 1));
    }
    context = std::move(*TlsContext::create(plan, address, identities));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Served served;
  const auto stream = TlsStream::make(*served.context, -1);
  expect(stream != nullptr, "there is memory");
  stream->feed({reinterpret_cast<const char*>(data), size}, true);
  std::string out;
  switch (stream->step(out, true)) {
    case TlsStream::Handshake::done:
      expect(false, "nobody finishes a handshake without having seen our part of it");
      break;
    case TlsStream::Handshake::needs_bytes:
      break;
    case TlsStream::Handshake::needs_thread:
      expect(false, "a thread needs no thread");
      break;
    case TlsStream::Handshake::plain_http:
    case TlsStream::Handshake::failed:
      expect(!stream->failure().empty(), "a failure has a reason");
      break;
  }
  return 0;
}
