// Requests with head and body: the parser's result depends neither on where they are cut nor on where they
// lie in memory, and what it accepts obeys the grammar.
#include <cstddef>
#include <cstdint>
#include <string>

#include "expect.h"
#include "http/authority.h"
#include "http/http_fields.h"
#include "support/parser_feed.h"

using namespace sluice;
using fuzz::expect;

namespace {

constexpr std::size_t kBytewiseMax = 2'000;

Limits limits() {
  Limits small;
  small.head_bytes_max = 1024;
  small.target_bytes_max = 256;
  small.fields_max = 16;
  small.body_bytes_max = 4096;
  return small;
}

// How much of a broken body was taken depends on the cuts. It does not matter, since the connection closes.
test::Fed feed(std::string_view bytes, std::vector<std::size_t> cuts) {
  test::Fed fed = test::feed_parser(bytes, std::move(cuts), limits());
  if (fed.outcome == "body refused") {
    fed.body.clear();
    fed.consumed = 0;
  }
  return fed;
}

void check_head(const RequestHead& head) {
  unsigned hosts = 0;
  expect(is_token(head.method_name), "a method is a token");
  for (const char byte : head.target)
    expect(byte > 0x20 && byte < 0x7f && byte != '#', "a target is visible ASCII");
  for (const Field& field : head.fields) {
    expect(is_token(field.name), "a field's name is a token");
    expect(is_field_value(field.value), "a field's value has no control bytes and no space around it");
    expect(field.id == field_id(field.name), "a field is recognised");
    if (field.id != FieldId::host) continue;
    ++hosts;
    expect(is_host_field(field.value), "Host obeys its grammar");
  }
  expect(hosts == 1 || (hosts == 0 && head.version == 10), "there is one Host, or none in HTTP/1.0");
  expect(head.fields.size() <= limits().fields_max, "fields are limited");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  // The first two bytes choose where to cut.
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = (data[0] * 256U + data[1]) % (bytes.size() + 1);
  const test::Fed whole = feed(bytes, {});
  expect(feed(bytes, {cut}) == whole, "a request is the same in two pieces");
  if (bytes.size() <= kBytewiseMax) {
    expect(feed(bytes, test::every_byte(bytes)) == whole, "a request is the same byte by byte");
  }
  const Limits small = limits();
  RequestParser parser(small);
  const test::Moved moved(bytes);
  const RequestParser::HeadResult head = parser.parse_head(moved.view());
  if (head.outcome == RequestParser::Outcome::complete) {
    expect(head.size <= bytes.size(), "a head lies within its bytes");
    check_head(parser.head());
  } else if (head.outcome == RequestParser::Outcome::refused) {
    const std::uint32_t status = head.refusal.status;
    expect(status >= 400 && status < 600, "a refusal has a status");
    expect(!head.refusal.reason.empty(), "a refusal has a reason");
  }
  return 0;
}
