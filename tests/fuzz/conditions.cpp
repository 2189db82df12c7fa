// Conditional fields and Accept-Encoding: every verdict is one that the fields allow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/content_coding.h"
#include "common/http/http_text.h"
#include "common/http/http_time.h"
#include "common/http/preconditions.h"
#include "expect.h"

using namespace sluice;
using namespace sluice::files;
using fuzz::expect;

namespace {

constexpr std::int64_t kNow = 1'764'000'000;
constexpr std::int64_t kWritten = 1'709'208'000;

// Each line is a field: the first byte chooses its name, the rest is its value.
std::vector<Field> fields_of(std::string_view text) {
  constexpr FieldId kIds[] = {FieldId::if_match,          FieldId::if_none_match,
                              FieldId::if_modified_since, FieldId::if_unmodified_since,
                              FieldId::if_range,          FieldId::accept_encoding};
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) {
      Field field;
      field.id = kIds[static_cast<unsigned char>(text[0]) % std::size(kIds)];
      field.value = text.substr(1, end - 1);
      fields.push_back(field);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

bool has(const std::vector<Field>& fields, FieldId id) {
  return std::any_of(fields.begin(), fields.end(), [id](const Field& field) { return field.id == id; });
}

void check_date(std::string_view text) {
  const auto parsed = parse_http_date(text, kNow);
  if (!parsed) return;
  const auto again = parse_http_date(http_date(*parsed), kNow);
  expect(again.has_value() && *again == *parsed, "a date is the same when it is written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<Field> fields = fields_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  Request request{};
  request.method = data[0] % 3 == 0 ? Method::get : data[0] % 3 == 1 ? Method::head : Method::post;
  request.fields = fields.data();
  request.field_count = static_cast<std::uint32_t>(fields.size());
  const Representation what{data[0] % 2 == 0 ? "\"tag\"" : "W/\"tag\"", data[0] % 5 != 0, kWritten, kNow};
  const Conditions conditions = judge_conditions(request, what);
  const bool may_fail = has(fields, FieldId::if_match) || has(fields, FieldId::if_unmodified_since) ||
                        (request.method == Method::post && has(fields, FieldId::if_none_match));
  const bool may_be_unchanged = request.method != Method::post && (has(fields, FieldId::if_none_match) ||
                                                                   has(fields, FieldId::if_modified_since));
  expect(conditions.verdict != Verdict::failed || may_fail, "only a condition fails a request");
  expect(conditions.verdict != Verdict::not_modified || may_be_unchanged, "only a condition makes a 304");
  expect(conditions.range_applies || conditions.verdict != Verdict::proceed || has(fields, FieldId::if_range),
         "only If-Range takes a range away");
  const Codings codings = preferred_codings(request);
  expect(codings.size() <= kCodingCount, "each coding is there once");
  for (const Field& field : fields) check_date(field.value);
  return 0;
}
