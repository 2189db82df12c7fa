// Conditional requests: RFC 9110 section 13, with the validators of section 8.8.
#include "conformance/tables/tables.h"

namespace sluice::conformance {
namespace {

using enum Level;

// The time of every file of the site.
constexpr const char* kWrittenImf = "Thu, 29 Feb 2024 12:00:00 GMT";

std::string with(Lines fields) {
  return get("/ten.txt", fields);
}
std::string since(std::string_view date) {
  return with({std::string("If-Modified-Since: ").append(date)});
}
std::string unless(std::string_view date) {
  return with({std::string("If-Unmodified-Since: ").append(date)});
}
// A range that is sent only if the condition holds.
std::string range_if(std::string_view value) {
  return with({"Range: bytes=0-0", std::string("If-Range: ").append(value)});
}

constexpr const char* kAll = "200 | of /ten.txt";
constexpr const char* kUnchanged = "304 | empty | ETag | !Content-Range";
constexpr const char* kPart = "206 | of /ten.txt | Content-Range: bytes 0-0/10";

}  // namespace

std::vector<Case> condition_cases() {
  return {
      // Validators.
      {should, "9110 8.8.2", "Last-Modified", get("/ten.txt"),
       std::string("200 | Last-Modified: ") + kWrittenImf},
      {should, "9110 8.8.3", "an entity tag", get("/ten.txt"), "200 | ETag"},
      {ours, "9110 8.8.1", "a strong one", head("/ten.txt"), "200 | ETag: {etag /ten.txt} | !ETag: W/"},
      {must, "9110 8.8.2.1", "Last-Modified is not later than Date", get("/future.txt"),
       "200 | of /future.txt"},
      {ours, "9110 8.8.2.1", "a date of the future is none", get("/future.txt"), "200 | !Last-Modified"},
      {ours, "9110 8.8.1", "second 0 is no validator", get("/epoch.txt"), "200 | !ETag | !Last-Modified"},
      {ours, "9110 8.8.1", "second 1, too", get("/second.txt"), "200 | !ETag | !Last-Modified"},
      {must, "9110 8.8.2", "a date before the epoch", get("/before.txt"), "200 | of /before.txt"},
      {ours, "9110 13.1.3", "If-Modified-Since of a file without a date",
       get("/epoch.txt", {"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"}), "200 | of /epoch.txt"},
      {ours, "9110 8.8.3", "a tag of the content", get("/hashed/file.txt"), "200 | ETag"},
      {ours, "9110 13.1.2", "it is a condition, too",
       get("/hashed/file.txt", {"If-None-Match: {etag /hashed/file.txt}"}), "304"},
      // If-None-Match: weak comparison.
      {must, "9110 13.1.2", "the same", with({"If-None-Match: {etag /ten.txt}"}), kUnchanged},
      {must, "9110 13.1.2", "the same, weak", with({"If-None-Match: {weak etag /ten.txt}"}), kUnchanged},
      {must, "9110 13.1.2", "another", with({"If-None-Match: \"other\""}), kAll},
      {must, "9110 13.1.2", "in a list", with({"If-None-Match: \"a\", {etag /ten.txt}, \"b\""}), kUnchanged},
      {must, "9110 13.1.2", "in a list without spaces", with({"If-None-Match: \"a\",{etag /ten.txt}"}),
       kUnchanged},
      {must, "9110 5.6.1", "in a list with empty members", with({"If-None-Match: ,, ,{etag /ten.txt},"}),
       kUnchanged},
      {must, "9110 5.3", "in a second line", with({"If-None-Match: \"a\"", "If-None-Match: {etag /ten.txt}"}),
       kUnchanged},
      {must, "9110 13.1.2", "not in a list", with({"If-None-Match: \"a\", W/\"b\""}), kAll},
      {must, "9110 13.1.2", "any", with({"If-None-Match: *"}), kUnchanged},
      {must, "9110 13.1.2", "any, of nothing", get("/nothing", {"If-None-Match: *"}), "404"},
      {must, "9110 8.8.3", "commas within a tag", with({"If-None-Match: \"a,b\", {etag /ten.txt}"}),
       kUnchanged},
      {must, "9110 8.8.3", "a tag without quotes is none", with({"If-None-Match: other"}), kAll},
      {must, "9110 8.8.3", "an empty tag", with({"If-None-Match: \"\""}), kAll},
      {must, "9110 8.8.3", "an empty list", with({"If-None-Match:"}), kAll},
      {must, "9110 8.8.3", "a small w is no weakness", with({"If-None-Match: w/\"other\""}), kAll},
      {must, "9110 13.1.2", "HEAD", head("/ten.txt", {"If-None-Match: {etag /ten.txt}"}), kUnchanged},
      {must, "9110 13.1.2", "of a large file", get("/big.bin", {"If-None-Match: {etag /big.bin}"}),
       "304 | empty"},
      {must, "9110 13.1.2", "a tag of another file", get("/big.bin", {"If-None-Match: {etag /ten.txt}"}),
       "200 | of /big.bin"},
      {must, "9110 13.2.1", "POST is refused before",
       request("POST", "/ten.txt", {"If-None-Match: *", "Content-Length: 0"}), "405,412"},
      {must, "9110 15.4.5", "a 304 has the validator", with({"If-None-Match: *"}),
       "304 | ETag: {etag /ten.txt}"},
      {must, "9110 15.4.5", "a 304 has Cache-Control where a 200 has it",
       get("/cached/file.txt", {"If-None-Match: *"}), "304 | Cache-Control: max-age=60"},
      {ours, "9110 15.4.5", "a 304 has Vary where a 200 has it", get("/squeezed/app.js", {"If-None-Match: *"}),
       "304 | Vary ~ Accept-Encoding"},
      {should, "9110 15.4.5", "a 304 has no Content-Type", with({"If-None-Match: *"}), "304 | !Content-Type"},
      // If-Modified-Since.
      {should, "9110 13.1.3", "the same date", since(kWrittenImf), kUnchanged},
      {should, "9110 13.1.3", "a later date", since("Fri, 01 Mar 2024 00:00:00 GMT"), kUnchanged},
      {should, "9110 13.1.3", "an earlier date", since("Thu, 29 Feb 2024 11:59:59 GMT"), kAll},
      {must, "9110 5.6.7", "RFC 850", since("Thursday, 29-Feb-24 12:00:00 GMT"), kUnchanged},
      {must, "9110 5.6.7", "RFC 850, earlier", since("Thursday, 29-Feb-24 11:59:59 GMT"), kAll},
      {must, "9110 5.6.7", "two digits of a year long past", since("Sunday, 06-Nov-94 08:49:37 GMT"), kAll},
      {must, "9110 5.6.7", "asctime", since("Thu Feb 29 12:00:00 2024"), kUnchanged},
      {must, "9110 5.6.7", "asctime with one digit of a day", since("Fri Mar  1 12:00:00 2024"), kUnchanged},
      {must, "9110 5.6.7", "asctime, earlier", since("Thu Feb 29 11:59:59 2024"), kAll},
      {must, "9110 13.1.3", "garbage is ignored", since("yesterday"), kAll},
      {must, "9110 13.1.3", "an empty date", since(""), kAll},
      {must, "9110 13.1.3", "a number is no date", since("1709208000"), kAll},
      {must, "9110 13.1.3", "ISO 8601 is no date", since("2024-02-29T12:00:00Z"), kAll},
      {must, "9110 13.1.3", "another zone is no date", since("Thu, 29 Feb 2024 12:00:00 CET"), kAll},
      {must, "9110 13.1.3", "a numeric zone is no date", since("Thu, 29 Feb 2024 12:00:00 +0000"), kAll},
      {must, "9110 13.1.3", "no zone is no date", since("Thu, 29 Feb 2024 12:00:00"), kAll},
      {must, "9110 13.1.3", "a day that does not exist", since("Fri, 30 Feb 2024 12:00:00 GMT"), kAll},
      {must, "9110 13.1.3", "an hour that does not exist", since("Thu, 29 Feb 2024 25:00:00 GMT"), kAll},
      {must, "9110 13.1.3", "something behind the date", since("Thu, 29 Feb 2024 12:00:00 GMT; length=10"),
       kAll},
      {must, "9110 13.1.3", "names of days have a case", since("thu, 29 feb 2024 12:00:00 gmt"), "200,304"},
      {must, "9110 13.1.3", "a list of dates is none",
       since("Thu, 29 Feb 2024 12:00:00 GMT, Thu, 29 Feb 2024 12:00:00 GMT"), kAll},
      {should, "9110 13.1.3", "HEAD", head("/ten.txt", {"If-Modified-Since: Thu, 29 Feb 2024 12:00:00 GMT"}),
       kUnchanged},
      {should, "9110 13.1.3", "a date of the future", since("Thu, 01 Jan 2099 00:00:00 GMT"), "200,304"},
      {must, "9110 13.2.2", "If-None-Match wins: another",
       with({"If-None-Match: \"other\"", "If-Modified-Since: Thu, 29 Feb 2024 12:00:00 GMT"}), kAll},
      {must, "9110 13.2.2", "If-None-Match wins: the same",
       with({"If-Modified-Since: Thu, 29 Feb 2024 11:00:00 GMT", "If-None-Match: {etag /ten.txt}"}),
       kUnchanged},
      // If-Match: strong comparison.
      {must, "9110 13.1.1", "the same", with({"If-Match: {etag /ten.txt}"}), kAll},
      {must, "9110 13.1.1", "another", with({"If-Match: \"other\""}), "412 | !has 0123"},
      {must, "9110 13.1.1", "any", with({"If-Match: *"}), kAll},
      {must, "9110 13.1.1", "any, of nothing", get("/nothing", {"If-Match: *"}), "404,412"},
      {must, "9110 13.1.1", "in a list", with({"If-Match: \"a\", {etag /ten.txt}"}), kAll},
      {must, "9110 5.3", "in a second line", with({"If-Match: \"a\"", "If-Match: {etag /ten.txt}"}), kAll},
      {must, "9110 13.1.1", "weak is not the same", with({"If-Match: {weak etag /ten.txt}"}), "412"},
      {must, "9110 13.1.1", "an empty list", with({"If-Match:"}), "412"},
      {must, "9110 13.1.1", "HEAD", head("/ten.txt", {"If-Match: \"other\""}), "412"},
      {must, "9110 13.1.1", "a 412 says nothing of a range", with({"If-Match: \"other\"", "Range: bytes=0-0"}),
       "412 | !Content-Range"},
      // If-Unmodified-Since.
      {must, "9110 13.1.4", "the same date", unless(kWrittenImf), kAll},
      {must, "9110 13.1.4", "a later date", unless("Fri, 01 Mar 2024 00:00:00 GMT"), kAll},
      {must, "9110 13.1.4", "an earlier date", unless("Thu, 29 Feb 2024 11:59:59 GMT"), "412"},
      {must, "9110 13.1.4", "RFC 850", unless("Thursday, 29-Feb-24 11:59:59 GMT"), "412"},
      {must, "9110 13.1.4", "asctime", unless("Thu Feb 29 11:59:59 2024"), "412"},
      {must, "9110 13.1.4", "garbage is ignored", unless("yesterday"), kAll},
      {must, "9110 13.1.4", "HEAD", head("/ten.txt", {"If-Unmodified-Since: Thu, 29 Feb 2024 11:59:59 GMT"}),
       "412"},
      {must, "9110 13.2.2", "If-Match wins: the same",
       with({"If-Match: {etag /ten.txt}", "If-Unmodified-Since: Thu, 29 Feb 2024 11:00:00 GMT"}), kAll},
      {must, "9110 13.2.2", "If-Match wins: another",
       with({"If-Match: \"other\"", "If-Unmodified-Since: Fri, 01 Mar 2024 00:00:00 GMT"}), "412"},
      {must, "9110 13.2.2", "412 comes before 304", with({"If-Match: \"other\"", "If-None-Match: *"}), "412"},
      {must, "9110 13.2.2", "both hold: 304",
       with({"If-Match: {etag /ten.txt}", "If-None-Match: {etag /ten.txt}"}), kUnchanged},
      {must, "9110 13.2.2", "unmodified, and not modified",
       with({"If-Unmodified-Since: Fri, 01 Mar 2024 00:00:00 GMT",
             "If-Modified-Since: Fri, 01 Mar 2024 00:00:00 GMT"}),
       kUnchanged},
      {must, "9110 13.2.1", "no condition is asked of a 404",
       get("/nothing", {"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"}), "404"},
      {must, "9110 13.2.1", "nor of a 301", get("/folder", {"If-Match: \"other\""}), "301"},
      // If-Range.
      {must, "9110 13.1.5", "the same tag", range_if("{etag /ten.txt}"), kPart},
      {must, "9110 13.1.5", "another tag", range_if("\"other\""), kAll},
      {must, "9110 13.1.5", "a weak tag never holds", range_if("{weak etag /ten.txt}"), kAll},
      {must, "9110 13.1.5", "the same date", range_if(kWrittenImf), kPart},
      {must, "9110 13.1.5", "a later date is not the same", range_if("Fri, 01 Mar 2024 00:00:00 GMT"), kAll},
      {must, "9110 13.1.5", "an earlier date", range_if("Thu, 29 Feb 2024 11:59:59 GMT"), kAll},
      {must, "9110 13.1.5", "the same date in RFC 850", range_if("Thursday, 29-Feb-24 12:00:00 GMT"),
       "200,206"},
      {must, "9110 13.1.5", "garbage does not hold", range_if("nonsense"), kAll},
      {must, "9110 13.1.5", "an empty one does not hold", range_if(""), kAll},
      {must, "9110 13.1.5", "a list is no tag", range_if("{etag /ten.txt}, \"other\""), kAll},
      {must, "9110 13.1.5", "an asterisk is no tag", range_if("*"), kAll},
      {must, "9110 13.1.5", "without Range it is ignored", with({"If-Range: \"other\""}), kAll},
      {must, "9110 13.1.5", "of a range that cannot be", with({"Range: bytes=99-", "If-Range: \"other\""}),
       kAll},
      {must, "9110 13.2.2", "304 comes before 206",
       with({"Range: bytes=0-0", "If-None-Match: {etag /ten.txt}"}), kUnchanged},
      {must, "9110 13.2.2", "304 comes before 416",
       with({"Range: bytes=99-", "If-None-Match: {etag /ten.txt}"}), kUnchanged},
      {must, "9110 13.2.2", "412 comes before 416", with({"Range: bytes=99-", "If-Match: \"other\""}), "412"},
      {must, "9110 13.2.2", "all of them hold",
       with({"If-Match: {etag /ten.txt}", "If-None-Match: \"other\"", "If-Range: {etag /ten.txt}",
             "Range: bytes=0-0"}),
       kPart},
  };
}

}  // namespace sluice::conformance
