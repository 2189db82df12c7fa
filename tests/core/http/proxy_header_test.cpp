#include "http/proxy_header.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using namespace std::string_literals;

namespace {

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kV4 = "\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x00\x50"s;  // 192.0.2.1:40000 to 192.0.2.2:80

// A header of version 2.
std::string binary(char version, char protocol, const std::string& behind) {
  const auto size = behind.size();
  return kSignature + version + protocol + static_cast<char>(size >> 8U) + static_cast<char>(size & 0xffU) +
         behind;
}

std::string v6_addresses() {
  const std::string source = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + '\x01';
  return source + source + "\x9c\x40\x00\x50"s;
}

// What the header makes of the client: its address, "own", "more" or the reason of the refusal.
std::string said(const std::string& bytes) {
  const ProxyHeader header = parse_proxy_header(bytes);
  if (header.outcome == ProxyHeader::Outcome::incomplete) return "more";
  if (header.outcome == ProxyHeader::Outcome::refused) return std::string(header.reason);
  CHECK(header.size <= bytes.size());
  return header.client ? header.client->text() : "own";
}

struct Row {
  std::string bytes;
  std::string client;
};

const std::string kNoLine = "its PROXY line is not 'PROXY TCP4 (or TCP6) SOURCE DESTINATION PORT PORT'";
const std::string kNone = "it does not begin with a PROXY header";
const std::string kNoEnd = "its PROXY line does not end with CR and LF";

}  // namespace

TEST_CASE("headers of version 1", "[proxy_header]") {
  const Row rows[] = {
      {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n", "192.0.2.1:40000"},
      {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n", "192.0.2.1"},
      {"PROXY TCP6 2001:db8::1 2001:db8::2 40000 80\r\n", "[2001:db8::1]:40000"},
      {"PROXY TCP6 ::ffff:192.0.2.1 ::1 40000 80\r\n", "192.0.2.1:40000"},
      {"PROXY UNKNOWN\r\n", "own"},
      {"PROXY UNKNOWN ffff:ffff ffff:ffff 65535 65535 and more\r\n", "own"},
      {"PROXY UNKNOWNS\r\n", kNoLine},
      {"PROXY \r\n", kNoLine},
      {"PROXY TCP4\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 40000\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80 \r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80 1\r\n", kNoLine},
      {"PROXY  TCP4 192.0.2.1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP4  192.0.2.1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 -1 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 000001 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 x 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.256 40000 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1\0 192.0.2.2 40000 80\r\n"s, kNoLine},
      {"PROXY TCP4 192.0.2 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP4 010.0.2.1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP4 2001:db8::1 2001:db8::2 40000 80\r\n", kNoLine},
      {"PROXY TCP6 192.0.2.1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP6 2001:db8::1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP6 fe80::1%eth0 2001:db8::2 40000 80\r\n", kNoLine},
      {"PROXY TCP6 [2001:db8::1] 2001:db8::2 40000 80\r\n", kNoLine},
      {"PROXY UDP4 192.0.2.1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY tcp4 192.0.2.1 192.0.2.2 40000 80\r\n", kNoLine},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\n", kNoEnd},
      {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\rGET", kNoEnd},
      {"proxy TCP4 192.0.2.1 192.0.2.2 40000 80\r\n", kNone},
      {"GET / HTTP/1.1\r\n\r\n", kNone},
      {"PROXIED / HTTP/1.1\r\n", kNone},
      {"\x16\x03\x01", kNone},
      {" PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n", kNone},
      {"\r\nPROXY UNKNOWN\r\n", kNone},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    CHECK(said(row.bytes) == row.client);
  }
}

TEST_CASE("a line of version 1 has at most 107 bytes", "[proxy_header]") {
  const std::string start = "PROXY UNKNOWN ";
  const std::string longest = start + std::string(107 - start.size() - 2, 'x') + "\r\n";
  CHECK(said(longest) == "own");
  CHECK(said(start + std::string(107 - start.size() - 1, 'x') + "\r\n") ==
        "its PROXY line has more than 107 bytes");
  CHECK(said(start + std::string(200, 'x')) == "its PROXY line has more than 107 bytes");
  CHECK(said(start + std::string(92, 'x')) == "more");
}

TEST_CASE("headers of version 2", "[proxy_header]") {
  const std::string short_header = "its PROXY header is too short for its addresses";
  const std::string family = "its PROXY header has an unknown family of addresses";
  const Row rows[] = {
      {binary('\x21', '\x11', kV4), "192.0.2.1:40000"},
      {binary('\x21', '\x12', kV4), "192.0.2.1:40000"},
      {binary('\x21', '\x11', kV4 + "\x04\x00\x01\x00"s), "192.0.2.1:40000"},
      {binary('\x21', '\x21', v6_addresses()), "[2001:db8::1]:40000"},
      {binary('\x21', '\x31', std::string(216, 'p')), "unix:"},
      {binary('\x21', '\x00', ""), "own"},
      {binary('\x21', '\x00', "what follows"), "own"},
      {binary('\x20', '\x11', kV4), "own"},
      {binary('\x20', '\x00', ""), "own"},
      {binary('\x20', '\x11', ""), "own"},
      {binary('\x21', '\x11', kV4.substr(1)), short_header},
      {binary('\x21', '\x21', kV4), short_header},
      {binary('\x21', '\x31', std::string(215, 'p')), short_header},
      {binary('\x11', '\x11', kV4), "its PROXY header is of a version that is neither 1 nor 2"},
      {binary('\x31', '\x11', kV4), "its PROXY header is of a version that is neither 1 nor 2"},
      {binary('\x22', '\x11', kV4), "its PROXY header has an unknown command"},
      {binary('\x21', '\x41', kV4), family},
      {binary('\x21', '\x13', kV4), family},
      {kSignature + "\x21\x11\x0f\xf1"s, "its PROXY header has more than 4096 bytes"},
      {kSignature + "\x21\x11\xff\xff"s, "its PROXY header has more than 4096 bytes"},
      {kSignature.substr(0, 11) + "X", kNone},
      {"\r\n\r\nGET / HTTP/1.1\r\n", kNone},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    CHECK(said(row.bytes) == row.client);
  }
  const std::string longest = binary('\x21', '\x11', kV4 + std::string(4096 - 16 - kV4.size(), 't'));
  CHECK(said(longest) == "192.0.2.1:40000");
}

TEST_CASE("a header that has not come whole is waited for, and what follows is left", "[proxy_header]") {
  for (const std::string& header : {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n"s, "PROXY UNKNOWN\r\n"s,
                                    binary('\x21', '\x11', kV4 + "tlvs"),
                                    binary('\x21', '\x21', v6_addresses()), binary('\x20', '\x00', "")}) {
    CAPTURE(header);
    for (std::size_t size = 0; size < header.size(); ++size) CHECK(said(header.substr(0, size)) == "more");
    for (const std::string behind : {"", "G", "PROXY UNKNOWN\r\n", "\r\n", "\x16\x03\x01"}) {
      const ProxyHeader parsed = parse_proxy_header(header + behind);
      CHECK(parsed.outcome == ProxyHeader::Outcome::complete);
      CHECK(parsed.size == header.size());
    }
  }
}
