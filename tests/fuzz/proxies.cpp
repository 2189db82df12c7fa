// What proxies, and clients in their place, tell of who asks: headers of the PROXY protocol, and lists of
// forwarding fields. Whatever a client sends, a proxy that writes behind it is believed, and nothing else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expect.h"
#include "http/forwarded.h"
#include "http/proxy_header.h"

using namespace sluice;
using fuzz::expect;

namespace {

void check_header(std::string_view bytes) {
  using Outcome = ProxyHeader::Outcome;
  const ProxyHeader header = parse_proxy_header(bytes.substr(0, ProxyHeader::kSizeMax));
  expect((header.outcome == Outcome::refused) == !header.reason.empty(), "only a refusal has a reason");
  if (header.outcome == Outcome::incomplete)
    expect(bytes.size() < ProxyHeader::kSizeMax, "a header has an end");
  if (header.outcome != Outcome::complete) return;
  expect(header.size > 0 && header.size <= bytes.size(), "a header is a part of what came");
  for (std::size_t size = 0; size < header.size; ++size)
    expect(parse_proxy_header(bytes.substr(0, size)).outcome == Outcome::incomplete,
           "a header that comes byte by byte is the same");
  const ProxyHeader again = parse_proxy_header(bytes.substr(0, header.size));
  expect(again.size == header.size && again.client == header.client,
         "what follows a header does not change it");
}

std::string judge(std::string_view name, const std::vector<std::string>& lines, const TrustedProxies& trusted,
                  const PeerAddress& peer) {
  std::vector<Field> fields;
  for (const std::string& line : lines) fields.push_back({name, line});
  return judge_forwarded(fields, trusted, peer).client.text();
}

void check_list(std::string_view name, ForwardedField field, const std::string& list,
                const std::string& written) {
  TrustedProxies trusted;
  trusted.field = field;
  expect(trusted.from.networks.add("10.0.0.0/8").has_value(), "a network is one");
  const PeerAddress proxy = *PeerAddress::parse("10.0.0.1");
  const PeerAddress stranger = *PeerAddress::parse("198.51.100.1");
  expect(judge(name, {list}, trusted, stranger) == "198.51.100.1", "a stranger is not believed");
  expect(!judge(name, {list}, trusted, proxy).empty(), "there is a client");
  expect(judge(name, {list + ", " + written}, trusted, proxy) == "192.0.2.1",
         "the proxy's word is the last one");
  expect(judge(name, {list, written}, trusted, proxy) == "192.0.2.1", "also in a line of its own");
}

void check_network(std::string_view text) {
  Networks networks;
  const auto added = networks.add(text);
  if (!added) return expect(!added.error().message.empty(), "a refusal says why");
  const auto first = PeerAddress::parse(text.substr(0, text.find('/')));
  expect(networks.has(first ? *first : PeerAddress::of_unix_socket()), "a network has its first address");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_header(text);
  check_list("X-Forwarded-For", ForwardedField::x_forwarded, std::string(text), "192.0.2.1");
  check_list("Forwarded", ForwardedField::forwarded, std::string(text), "for=192.0.2.1;proto=https");
  check_list("Forwarded", ForwardedField::forwarded, std::string(text), "for=\"192.0.2.1:80\"");
  check_network(text);
  return 0;
}
