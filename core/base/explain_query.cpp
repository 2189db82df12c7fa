#include "base/explain_query.h"

#include <fmt/core.h>

#include "base/netstring.h"
#include "base/peer_address.h"
#include "base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kFieldsMax = 100;

}  // namespace

std::string ExplainQuery::encode() const {
  NetstringWriter out;
  out.put(method).put(target).put(host).put(std::uint64_t{port}).put(std::uint64_t{secure});
  out.put(client).put(std::uint64_t{json}).put(fields.size());
  for (const auto& [name, value] : fields) out.put(name).put(value);
  return out.take();
}

Result<ExplainQuery> ExplainQuery::decode(std::string_view text) {
  NetstringReader in(text);
  ExplainQuery query;
  query.method = in.next();
  query.target = in.next();
  query.host = in.next();
  query.port = static_cast<std::uint16_t>(in.next_number());
  query.secure = in.next_number() != 0;
  query.client = in.next();
  query.json = in.next_number() != 0;
  const std::uint64_t count = in.next_number();
  if (count > kFieldsMax) return fail(fmt::format("give at most {} fields", kFieldsMax));
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name(in.next());
    query.fields.emplace_back(std::move(name), in.next());
  }
  if (query.client != "unix" && !PeerAddress::parse(query.client))
    return fail(fmt::format("'{}' is no address of a client: write one such as 192.0.2.1, 2001:db8::1 or unix",
                            query.client));
  return query;
}

std::string ExplainQuery::head() const {
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", method, target);
  bool names_host = false;
  for (const auto& [name, value] : fields) names_host = names_host || equals_ignoring_case(name, "host");
  if (!names_host) head += fmt::format("Host: {}\r\n", host);
  for (const auto& [name, value] : fields) head += fmt::format("{}: {}\r\n", name, value);
  return head + "\r\n";
}

}  // namespace sluice
