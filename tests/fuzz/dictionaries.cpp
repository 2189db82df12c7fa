// Fields of compression dictionaries: what names a dictionary is a hash or nothing, and what a target gives is
// a pattern that means it, in a string of structured fields.
#include "compress/dictionary_fields.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expect.h"

using namespace sluice;
using namespace sluice::compress;
using fuzz::expect;

namespace {

void check_hash(std::string_view text) {
  const Field fields[] = {{Bytes("Available-Dictionary"), Bytes(text)},
                          {Bytes("Accept-Encoding"), Bytes(text), FieldId::accept_encoding}};
  Request request{};
  request.fields = fields;
  request.field_count = 2;
  const std::string hash = available_dictionary(request);
  expect(hash.empty() || (hash.size() == kHashSize && text.size() >= 45), "a hash has 32 bytes");
  expect(short_hash(hash).size() == (hash.empty() ? 0 : 16), "a short hash has 16 digits");
  expect(!accepts_dcz(request) || text.size() >= 3, "dcz is named");
}

void check_pattern(std::string_view target) {
  const std::string pattern = dictionary_pattern(target);
  if (pattern.empty()) return;
  expect(pattern.front() == '/' && !pattern.starts_with("//"), "a pattern is a path");
  // Without backslashes, and with the hash in place of the star, it is the target's path.
  std::string before;
  std::string after;
  bool has_star = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::string& part = has_star ? after : before;
    if (pattern[i] == '\\') {
      expect(++i < pattern.size(), "something follows a backslash");
      part += pattern[i];
    } else if (pattern[i] == '*') {
      expect(!has_star, "there is one star");
      has_star = true;
    } else {
      expect(std::string_view("()+:{}").find(pattern[i]) == std::string_view::npos,
             "nothing else has a meaning");
      part += pattern[i];
    }
  }
  const std::string_view path = target.substr(0, target.find('?'));
  expect(path.starts_with(before) && path.ends_with(after), "the pattern fits the target");
  expect(has_star ? before.size() + after.size() + 8 <= path.size() : before == path, "it fits all of it");
  const std::string value = use_as_dictionary(pattern);
  expect(value.starts_with("match=\"") && value.ends_with('"'), "the pattern is a string");
  for (const char byte : value) expect(byte >= ' ' && byte <= '~', "a string has visible letters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_hash(text);
  check_pattern(text);
  check_pattern("/" + std::string(text));
  return 0;
}
