// Conditional requests, RFC 9110 section 13: fields, the representation's validators, and the verdict.
#include "common/http/preconditions.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using sluice::Field;
using sluice::FieldId;
using sluice::Method;
using sluice::files::Conditions;
using sluice::files::equal_strongly;
using sluice::files::equal_weakly;
using sluice::files::judge_conditions;
using sluice::files::lists_tag;
using sluice::files::Representation;
using sluice::files::Verdict;

namespace {

constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr std::int64_t kMtime = 784'111'777;
constexpr const char* kTag = "\"a\"";

struct Line {
  FieldId id;
  std::string value;
};

struct Case {
  const char* rule;
  std::vector<Line> lines;
  Verdict verdict;
  bool range_applies = true;
  Method method = Method::get;
  const char* etag = kTag;
};

constexpr auto if_match = FieldId::if_match;
constexpr auto if_none_match = FieldId::if_none_match;
constexpr auto modified = FieldId::if_modified_since;
constexpr auto unmodified = FieldId::if_unmodified_since;
constexpr auto if_range = FieldId::if_range;
constexpr auto proceed = Verdict::proceed;
constexpr auto not_modified = Verdict::not_modified;
constexpr auto failed = Verdict::failed;

const Case kCases[] = {
    {"nothing asked", {}, proceed},
    // 13.1.1 If-Match: strong comparison
    {"13.1.1 equal", {{if_match, "\"a\""}}, proceed},
    {"13.1.1 any", {{if_match, "*"}}, proceed},
    {"13.1.1 in a list", {{if_match, "\"b\", \"a\""}}, proceed},
    {"13.1.1 in a second line", {{if_match, "\"b\""}, {if_match, "\"a\""}}, proceed},
    {"13.1.1 differs", {{if_match, "\"b\""}}, failed, false},
    {"13.1.1 weak never matches", {{if_match, "W/\"a\""}}, failed, false},
    {"13.1.1 weak on this side, too", {{if_match, "\"a\""}}, failed, false, Method::get, "W/\"a\""},
    {"13.1.1 malformed matches nothing", {{if_match, "a"}}, failed, false},
    {"13.1.1 HEAD, too", {{if_match, "\"b\""}}, failed, false, Method::head},
    // 13.1.4 If-Unmodified-Since
    {"13.1.4 same second", {{unmodified, kDate}}, proceed},
    {"13.1.4 later", {{unmodified, kAfter}}, proceed},
    {"13.1.4 earlier", {{unmodified, kBefore}}, failed, false},
    {"13.1.4 no date", {{unmodified, "yesterday"}}, proceed},
    {"13.1.4 ignored with If-Match", {{if_match, "\"a\""}, {unmodified, kBefore}}, proceed},
    {"13.1.4 twice is no date", {{unmodified, kBefore}, {unmodified, kBefore}}, proceed},
    // 13.1.2 If-None-Match: weak comparison
    {"13.1.2 equal", {{if_none_match, "\"a\""}}, not_modified, false},
    {"13.1.2 weakly equal", {{if_none_match, "W/\"a\""}}, not_modified, false},
    {"13.1.2 weak on this side", {{if_none_match, "\"a\""}}, not_modified, false, Method::get, "W/\"a\""},
    {"13.1.2 any", {{if_none_match, "*"}}, not_modified, false},
    {"13.1.2 list without spaces", {{if_none_match, "\"b\",\"a\""}}, not_modified, false},
    {"13.1.2 empty members", {{if_none_match, ", ,\"a\""}}, not_modified, false},
    {"13.1.2 comma inside a tag", {{if_none_match, "\"b,\\\"a\""}}, proceed},
    {"13.1.2 differs", {{if_none_match, "\"b\""}}, proceed},
    {"13.1.2 unquoted", {{if_none_match, "a"}}, proceed},
    {"13.1.2 lower-case w", {{if_none_match, "w/\"a\""}}, proceed},
    {"13.1.2 no tag on this side", {{if_none_match, "\"\""}}, proceed, true, Method::get, ""},
    {"13.1.2 another method fails", {{if_none_match, "*"}}, failed, false, Method::post},
    // 13.1.3 If-Modified-Since
    {"13.1.3 same second", {{modified, kDate}}, not_modified, false},
    {"13.1.3 later", {{modified, kAfter}}, not_modified, false},
    {"13.1.3 earlier", {{modified, kBefore}}, proceed},
    {"13.1.3 asctime", {{modified, "Sun Nov  6 08:49:37 1994"}}, not_modified, false},
    {"13.1.3 rfc850", {{modified, "Sunday, 06-Nov-94 08:49:37 GMT"}}, not_modified, false},
    {"13.1.3 no date", {{modified, "784111777"}}, proceed},
    {"13.1.3 ignored with If-None-Match", {{if_none_match, "\"b\""}, {modified, kDate}}, proceed},
    {"13.1.3 ignored for other methods", {{modified, kDate}}, proceed, true, Method::post},
    // 13.2.2 the order
    {"13.2.2 If-Match first", {{if_match, "\"b\""}, {if_none_match, "\"a\""}}, failed, false},
    {"13.2.2 then If-None-Match", {{if_match, "\"a\""}, {if_none_match, "\"a\""}}, not_modified, false},
    {"13.2.2 If-Unmodified-Since before If-None-Match",
     {{unmodified, kBefore}, {if_none_match, "\"a\""}},
     failed,
     false},
    // 13.1.5 If-Range
    {"13.1.5 strong tag", {{if_range, "\"a\""}}, proceed, true},
    {"13.1.5 other tag", {{if_range, "\"b\""}}, proceed, false},
    {"13.1.5 weak tag", {{if_range, "W/\"a\""}}, proceed, false},
    {"13.1.5 weak on this side", {{if_range, "\"a\""}}, proceed, false, Method::get, "W/\"a\""},
    {"13.1.5 exact date", {{if_range, kDate}}, proceed, true},
    {"13.1.5 later date", {{if_range, kAfter}}, proceed, false},
    {"13.1.5 garbage", {{if_range, "a"}}, proceed, false},
};

Conditions judge(const Case& expected, const Representation& what) {
  std::vector<Field> fields;
  for (const Line& line : expected.lines) fields.push_back(Field{"", line.value, line.id});
  sluice::Request request;
  request.method = expected.method;
  request.fields = fields.data();
  request.field_count = static_cast<std::uint32_t>(fields.size());
  return judge_conditions(request, what);
}

}  // namespace

TEST_CASE("conditions are judged in their order, by their comparisons", "[preconditions]") {
  for (const Case& expected : kCases) {
    CAPTURE(expected.rule);
    const Conditions found = judge(expected, {expected.etag, true, kMtime, kMtime + 100});
    CHECK(found.verdict == expected.verdict);
    CHECK(found.range_applies == expected.range_applies);
  }
}

TEST_CASE("if the mtime means nothing, dates are ignored", "[preconditions]") {
  const Representation what{kTag, false, 0, kMtime};
  CHECK(judge({"", {{modified, kAfter}}, proceed}, what).verdict == proceed);
  CHECK(judge({"", {{unmodified, kBefore}}, proceed}, what).verdict == proceed);
  CHECK_FALSE(judge({"", {{if_range, kDate}}, proceed}, what).range_applies);
}

TEST_CASE("a date of the present second is not a strong validator", "[preconditions]") {
  CHECK_FALSE(judge({"", {{if_range, kDate}}, proceed}, {kTag, true, kMtime, kMtime + 1}).range_applies);
  CHECK(judge({"", {{if_range, kDate}}, proceed}, {kTag, true, kMtime, kMtime + 2}).range_applies);
}

TEST_CASE("tags are compared as section 8.8.3.2 shows", "[preconditions]") {
  CHECK_FALSE(equal_strongly("W/\"1\"", "W/\"1\""));
  CHECK(equal_weakly("W/\"1\"", "W/\"1\""));
  CHECK_FALSE(equal_weakly("W/\"1\"", "W/\"2\""));
  CHECK_FALSE(equal_strongly("W/\"1\"", "\"1\""));
  CHECK(equal_weakly("W/\"1\"", "\"1\""));
  CHECK(equal_strongly("\"1\"", "\"1\""));
}

TEST_CASE("a field lists a tag in any of its lines, weak or strong", "[preconditions]") {
  const Field fields[] = {
      {"", "*", if_none_match}, {"", "\"a\", W/\"b\"", if_none_match}, {"", "\"c\"", if_match}};
  sluice::Request request;
  request.fields = fields;
  request.field_count = 3;
  CHECK(lists_tag(request, if_none_match, "\"b\""));
  CHECK(lists_tag(request, if_none_match, "W/\"a\""));
  CHECK(lists_tag(request, if_match, "\"c\""));
  CHECK_FALSE(lists_tag(request, if_none_match, "\"c\""));
  CHECK_FALSE(lists_tag(request, if_none_match, ""));
}
