#include "http/proxy_header.h"

#include "base/text.h"

namespace sluice {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTextStart = "PROXY ";
constexpr std::string_view kBinaryStart = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kTextMax = 107;   // with the line's end
constexpr std::size_t kFixedSize = 16;  // of version 2, before the addresses

ProxyHeader refuse_header(std::string_view reason) {
  return {ProxyHeader::Outcome::refused, 0, {}, reason};
}

ProxyHeader take_header(std::size_t size, std::optional<PeerAddress> client) {
  return {ProxyHeader::Outcome::complete, size, client, {}};
}

std::optional<std::uint16_t> port_of_line(std::string_view text) {
  constexpr std::size_t kDigitsMax = 5;
  const auto number = text.size() <= kDigitsMax ? parse_decimal(text) : std::nullopt;
  if (!number || *number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// The words of a line that has five of them behind PROXY, with one blank between two.
std::optional<PeerAddress> client_of_line(std::string_view rest) {
  const std::string_view family = take_part(rest, " ");
  const auto source = PeerAddress::parse(take_part(rest, " "));
  const auto destination = PeerAddress::parse(take_part(rest, " "));
  const auto source_port = port_of_line(take_part(rest, " "));
  const auto destination_port = port_of_line(rest);
  if (!source || !destination || !source_port || !destination_port) return std::nullopt;
  const int wanted = family == "TCP4" ? AF_INET : family == "TCP6" ? AF_INET6 : AF_UNSPEC;
  if (source->family() != wanted || destination->family() != wanted) return std::nullopt;
  return source->unmapped().with_port(*source_port);
}

ProxyHeader parse_text(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, kTextMax);
  const std::size_t end = line.find_first_of("\r\n"sv);
  const bool is_cut = end == std::string_view::npos || (line[end] == '\r' && end + 1 == line.size());
  if (is_cut && bytes.size() < kTextMax) return {};
  if (is_cut) return refuse_header("its PROXY line has more than 107 bytes");
  if (line.substr(end, 2) != "\r\n") return refuse_header("its PROXY line does not end with CR and LF");
  const std::string_view rest = line.substr(kTextStart.size(), end - kTextStart.size());
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) return take_header(end + 2, std::nullopt);
  const auto client = client_of_line(rest);
  if (!client)
    return refuse_header("its PROXY line is not 'PROXY TCP4 (or TCP6) SOURCE DESTINATION PORT PORT'");
  return take_header(end + 2, client);
}

unsigned number_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]) * 256U + static_cast<unsigned char>(bytes[at + 1]);
}

// The client among the addresses of version 2; nullopt if they are too short for their family.
std::optional<PeerAddress> client_of(unsigned family, std::string_view addresses) {
  constexpr unsigned kV4 = 1;
  constexpr unsigned kV6 = 2;
  constexpr std::size_t kUnixSize = 216;
  if (family == kV4 || family == kV6) {
    const std::size_t size = family == kV4 ? 4 : 16;
    // Source, destination, and the port of each.
    if (addresses.size() < 2 * size + 4) return std::nullopt;
    const auto port = static_cast<std::uint16_t>(number_at(addresses, 2 * size));
    return PeerAddress::of_bytes(addresses.substr(0, size)).unmapped().with_port(port);
  }
  if (addresses.size() < kUnixSize) return std::nullopt;
  return PeerAddress::of_unix_socket();
}

ProxyHeader parse_binary(std::string_view bytes) {
  constexpr unsigned kVersion = 2;
  constexpr unsigned kLocal = 0;
  constexpr unsigned kProxy = 1;
  constexpr unsigned kFamiliesMax = 3;    // none, IPv4, IPv6, Unix sockets
  constexpr unsigned kTransportsMax = 2;  // none, streams, datagrams
  if (bytes.size() < kFixedSize) return {};
  const auto version = static_cast<unsigned char>(bytes[kBinaryStart.size()]);
  const auto protocol = static_cast<unsigned char>(bytes[kBinaryStart.size() + 1]);
  const unsigned command = version & 0x0fU;
  const unsigned family = protocol >> 4U;
  if (version >> 4U != kVersion)
    return refuse_header("its PROXY header is of a version that is neither 1 nor 2");
  if (command != kLocal && command != kProxy) return refuse_header("its PROXY header has an unknown command");
  if (family > kFamiliesMax || (protocol & 0x0fU) > kTransportsMax)
    return refuse_header("its PROXY header has an unknown family of addresses");
  const std::size_t size = kFixedSize + number_at(bytes, kFixedSize - 2);
  if (size > ProxyHeader::kSizeMax) return refuse_header("its PROXY header has more than 4096 bytes");
  if (bytes.size() < size) return {};
  if (command == kLocal || family == 0) return take_header(size, std::nullopt);
  const auto client = client_of(family, bytes.substr(kFixedSize, size - kFixedSize));
  if (!client) return refuse_header("its PROXY header is too short for its addresses");
  return take_header(size, client);
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  const auto begins_as = [&](std::string_view start) {
    return start.starts_with(bytes.substr(0, start.size()));
  };
  if (begins_as(kBinaryStart)) return bytes.size() < kBinaryStart.size() ? ProxyHeader{} : parse_binary(bytes);
  if (begins_as(kTextStart)) return bytes.size() < kTextStart.size() ? ProxyHeader{} : parse_text(bytes);
  return refuse_header("it does not begin with a PROXY header");
}

}  // namespace sluice
