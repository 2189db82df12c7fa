// Accept and Accept-Encoding: a preference has one direction, and of the codings each is there once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

#include "common/http/content_coding.h"
#include "expect.h"
#include "http/media_preference.h"

using namespace sluice;
using namespace sluice::files;
using fuzz::expect;

namespace {

constexpr std::string_view kTypes[] = {"text/html", "text/plain", "application/json", "*/*", "", "text"};

// Each line is a field of that name.
std::vector<Field> fields_of(std::string_view text, FieldId id) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    Field field;
    field.id = id;
    field.value = line;
    fields.push_back(field);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return fields;
}

Request request_with(const std::vector<Field>& fields) {
  Request request{};
  request.fields = fields.data();
  request.field_count = static_cast<std::uint32_t>(fields.size());
  return request;
}

void check_types(std::string_view text) {
  constexpr std::size_t kCount = std::size(kTypes);
  const std::vector<Field> fields = fields_of(text, FieldId::accept);
  const Request request = request_with(fields);
  bool better[kCount][kCount];
  for (std::size_t i = 0; i < kCount; ++i)
    for (std::size_t k = 0; k < kCount; ++k) better[i][k] = prefers_media_type(request, kTypes[i], kTypes[k]);
  for (std::size_t i = 0; i < kCount; ++i) {
    expect(!better[i][i], "no type is better than itself");
    for (std::size_t k = 0; k < kCount; ++k) {
      expect(!(better[i][k] && better[k][i]), "of two types one at most is better");
      for (std::size_t n = 0; n < kCount; ++n)
        expect(!(better[i][k] && better[k][n]) || better[i][n], "types have an order");
    }
  }
}

void check_codings(std::string_view text) {
  const std::vector<Field> fields = fields_of(text, FieldId::accept_encoding);
  const Codings codings = preferred_codings(request_with(fields));
  expect(codings.size() <= kCodingCount, "there are no more codings than there are");
  for (const Coding& coding : codings)
    expect(std::count(codings.begin(), codings.end(), coding) == 1, "each coding is there once");
  const bool rules_out = text.find('0') != std::string_view::npos;
  expect(rules_out || std::count(codings.begin(), codings.end(), Coding::identity) == 1,
         "identity is accepted unless a weight of 0 rules it out");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_types(text);
  check_codings(text);
  return 0;
}
