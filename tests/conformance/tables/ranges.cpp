// Parts of files: RFC 9110 section 14, and the answers 206 and 416 (sections 15.3.7 and 15.5.17).
#include "conformance/tables/tables.h"

namespace sluice::conformance {
namespace {

using enum Level;

std::string range(std::string_view value, std::string_view target = "/ten.txt") {
  return get(target, {std::string("Range: ").append(value)});
}
std::string countless(std::string_view one, int count) {
  std::string value = "bytes=";
  for (int i = 0; i < count; ++i) value.append(i == 0 ? "" : ",").append(one);
  return value;
}

// `count` ranges, one every `step` bytes.
std::string spread(std::size_t count, std::size_t step, std::size_t size) {
  std::string value = "bytes=";
  for (std::size_t i = 0; i < count; ++i) {
    value.append(i == 0 ? "" : ",").append(std::to_string(i * step)).append("-");
    value.append(std::to_string(i * step + size - 1));
  }
  return value;
}

constexpr const char* kAll = "200 | of /ten.txt | Content-Length: 10 | !Content-Range";
constexpr const char* kCannot = "416 | Content-Range: bytes */10 | !has 0123";

}  // namespace

std::vector<Case> range_cases() {
  return {
      {should, "9110 14.3", "files say that they have ranges", get("/ten.txt"), "200 | Accept-Ranges: bytes"},
      // One range.
      {must, "9110 14.1.2", "the first byte", range("bytes=0-0"),
       "206 | text 0 | Content-Range: bytes 0-0/10 | Content-Length: 1 | keeps"},
      {must, "9110 14.1.2", "the last byte", range("bytes=9-9"), "206 | text 9 | Content-Range: bytes 9-9/10"},
      {must, "9110 14.1.2", "some in the middle", range("bytes=2-5"),
       "206 | text 2345 | Content-Range: bytes 2-5/10"},
      {must, "9110 14.1.2", "everything", range("bytes=0-9"),
       "206 | of /ten.txt | Content-Range: bytes 0-9/10"},
      {must, "9110 14.1.2", "to the end", range("bytes=7-"), "206 | text 789 | Content-Range: bytes 7-9/10"},
      {must, "9110 14.1.2", "everything, to the end", range("bytes=0-"),
       "206 | of /ten.txt | Content-Range: bytes 0-9/10"},
      {must, "9110 14.1.2", "beyond the end", range("bytes=7-100"),
       "206 | text 789 | Content-Range: bytes 7-9/10"},
      {must, "9110 14.1.2", "the last three", range("bytes=-3"),
       "206 | text 789 | Content-Range: bytes 7-9/10"},
      {must, "9110 14.1.2", "the last ten", range("bytes=-10"),
       "206 | of /ten.txt | Content-Range: bytes 0-9/10"},
      {must, "9110 14.1.2", "the last hundred", range("bytes=-100"),
       "206 | of /ten.txt | Content-Range: bytes 0-9/10"},
      {must, "9110 14.1.2", "leading zeros", range("bytes=000-0001"), "206 | text 01"},
      {must, "9110 14.1.2", "the largest numbers there are", range("bytes=0-18446744073709551615"),
       "206 | of /ten.txt"},
      {must, "9110 14.1.2", "larger numbers than there are", range("bytes=0-99999999999999999999999"),
       "200,206 | of /ten.txt"},
      {must, "9110 14.1.2", "a suffix larger than there is", range("bytes=-99999999999999999999999"),
       "200,206 | of /ten.txt"},
      {must, "9110 14.1", "units have no case", range("BYTES=0-0"), "206 | text 0"},
      {must, "9110 15.3.7", "a 206 has the validators", range("bytes=0-0"), "206 | ETag: {etag /ten.txt}"},
      {must, "9110 15.3.7", "and the type", range("bytes=0-0"), "206 | Content-Type ~ text/plain"},
      {must, "9110 15.3.7", "and the Cache-Control", range("bytes=0-0", "/cached/file.txt"),
       "206 | Cache-Control: max-age=60"},
      {must, "9110 14.2", "HEAD has no ranges", head("/ten.txt", {"Range: bytes=0-0"}),
       "200 | Content-Length: 10 | !Content-Range"},
      {must, "9110 14.2", "POST has none",
       request("POST", "/ten.txt", {"Range: bytes=0-0", "Content-Length: 0"}), "200,405,501 | !Content-Range"},
      {must, "9110 14.2", "a 404 has none", range("bytes=0-0", "/nothing"), "404 | !Content-Range"},
      {must, "9110 14.2", "a 301 has none", range("bytes=0-0", "/folder"), "301 | !Content-Range"},
      {must, "9110 14.1.2", "of a large file", range("bytes=1000-500000", "/big.bin"),
       "206 | of /big.bin | Content-Range: bytes 1000-500000/1048576 | keeps"},
      {must, "9110 14.1.2", "the end of a large file", range("bytes=-1", "/big.bin"),
       "206 | of /big.bin | Content-Range: bytes 1048575-1048575/1048576"},
      {must, "9110 14.1.2", "across pages", range("bytes=4095-4096", "/big.bin"),
       "206 | of /big.bin | Content-Range: bytes 4095-4096/1048576"},
      {must, "9110 14.1.2", "beyond 4 GiB", range("bytes=4294967290-4294967305", "/huge.bin"),
       "206 | of /huge.bin | Content-Range: bytes 4294967290-4294967305/5368709120 | Content-Length: 16"},
      {must, "9110 14.1.2", "the last byte of 5 GiB", range("bytes=-1", "/huge.bin"),
       "206 | of /huge.bin | Content-Range: bytes 5368709119-5368709119/5368709120"},
      {must, "9110 8.6", "the length of 5 GiB", head("/huge.bin"), "200 | Content-Length: 5368709120"},
      {must, "9110 14.1.2", "of an index file", range("bytes=0-0", "/folder/"), "206 | of /folder/index.html"},
      {ours, "9110 14.1.2", "in HTTP/1.0", lines({"GET /ten.txt HTTP/1.0", "Range: bytes=0-0"}), "200,206"},
      // Ranges that cannot be satisfied.
      {should, "9110 15.5.17", "behind the end", range("bytes=10-"), kCannot},
      {should, "9110 15.5.17", "behind the end, closed", range("bytes=10-20"), kCannot},
      {should, "9110 15.5.17", "far behind the end", range("bytes=18446744073709551615-"), kCannot},
      {should, "9110 15.5.17", "the last nothing", range("bytes=-0"), kCannot},
      {should, "9110 15.5.17", "several, none of which can be", range("bytes=10-11,-0,20-"), kCannot},
      {should, "9110 15.5.17", "of an empty file", range("bytes=0-0", "/empty.txt"), "200,416"},
      {must, "9110 14.1.2", "the last bytes of an empty file", range("bytes=-5", "/empty.txt"), "200,416"},
      {must, "9110 15.5.17", "says the size of an empty file", range("bytes=0-", "/empty.txt"), "200,416"},
      {ours, "9110 14.2", "from the first byte of an empty file", range("bytes=0-499", "/empty.txt"),
       "200 | empty | !Content-Range | Content-Length: 0"},
      {ours, "9110 14.2", "all of an empty file", range("bytes=0-", "/empty.txt"),
       "200 | empty | !Content-Range"},
      {should, "9110 15.5.17", "behind the end of an empty file", range("bytes=1-", "/empty.txt"),
       "416 | Content-Range: bytes */0"},
      // Invalid ranges are ignored.
      {must, "9110 14.2", "an unknown unit", range("lines=0-0"), kAll},
      {must, "9110 14.2", "no unit", range("0-0"), kAll},
      {must, "9110 14.2", "an empty one", range(""), kAll},
      {must, "9110 14.2", "no ranges", range("bytes="), kAll},
      {ours, "9110 14.1.2", "the last before the first", range("bytes=5-2"), kAll},
      {ours, "9110 14.1.1", "no numbers", range("bytes=a-b"), kAll},
      {ours, "9110 14.1.1", "a number alone", range("bytes=5"), kAll},
      {ours, "9110 14.1.1", "a dash alone", range("bytes=-"), kAll},
      {ours, "9110 14.1.1", "two dashes", range("bytes=0--5"), kAll},
      {ours, "9110 14.1.1", "a sign", range("bytes=+0-5"), kAll},
      {ours, "9110 14.1.1", "hexadecimal", range("bytes=0x0-0x5"), kAll},
      {ours, "9110 14.1.1", "a space in a range", range("bytes=0 -5"), kAll},
      {ours, "9110 14.1.1", "a space before the equals sign", range("bytes =0-5"), kAll},
      {ours, "9110 14.1.1", "one that is none among others", range("bytes=0-0,x"), kAll},
      {ours, "9110 14.1.1", "a semicolon between them", range("bytes=0-0;2-2"), kAll},
      {must, "9110 5.3", "two lines are no list", get("/ten.txt", {"Range: bytes=0-0", "Range: bytes=2-2"}),
       "200,206,400 | of /ten.txt"},
      // Several ranges.
      {must, "9110 14.6", "two", range("bytes=0-1,8-9"),
       "206 | parts 0-1,8-9 | of /ten.txt | !Content-Range | keeps"},
      {must, "9110 14.6", "with spaces", range("bytes= 0-1 , 8-9"), "200,206 | of /ten.txt"},
      {must, "9110 5.6.1", "with empty members", range("bytes=0-1,,8-9,"), "200,206 | of /ten.txt"},
      {must, "9110 14.6", "in the order asked for", range("bytes=8-9,0-1"), "206 | of /ten.txt"},
      {must, "9110 14.6", "of each kind", range("bytes=0-0,5-,-1"), "206 | of /ten.txt"},
      {must, "9110 15.3.7.2", "some that cannot be are left out", range("bytes=0-1,20-30,8-9"),
       "206 | parts 0-1,8-9 | of /ten.txt"},
      {must, "9110 15.3.7.2", "one that can be is a part of its own", range("bytes=0-1,20-30"),
       "206 | text 01 | Content-Range: bytes 0-1/10"},
      {should, "9110 15.3.7.2", "overlapping ones are joined", range("bytes=0-5,3-9"), "206 | text 0123456789"},
      {should, "9110 15.3.7.2", "adjacent ones are joined", range("bytes=0-4,5-9"), "206 | text 0123456789"},
      {should, "9110 15.3.7.2", "the same twice", range("bytes=0-1,0-1"), "206 | text 01"},
      {must, "9110 14.6", "parts have a type", range("bytes=0-1,8-9"), "206 | has Content-Type: text/plain"},
      {must, "9110 14.6", "the answer's type says multipart", range("bytes=0-1,8-9"),
       "206 | Content-Type ~ multipart/byteranges; boundary="},
      {must, "9110 14.6", "of a large file", range("bytes=0-99999,200000-200099,1000000-", "/big.bin"),
       "206 | of /big.bin | parts 0-99999,200000-200099,1000000-1048575 | keeps"},
      {must, "9110 14.6", "beyond 4 GiB", range("bytes=0-9,4294967290-4294967305,-10", "/huge.bin"),
       "206 | of /huge.bin | parts 0-9,4294967290-4294967305,5368709110-5368709119"},
      {must, "9110 17.15", "a thousand of the same do not amplify", range(countless("0-", 1'000)),
       "200,206 | of /ten.txt"},
      {must, "9110 17.15", "a thousand of the last byte", range(countless("-1", 1'000)),
       "200,206 | of /ten.txt"},
      {ours, "9110 17.15", "a thousand of a large file", range(countless("0-1048575", 400), "/big.bin"),
       "200,206 | of /big.bin"},
      {ours, "9110 17.15", "nested ones do not amplify", range("bytes=0-,1-,2-,3-,4-,5-,6-,7-,8-,9-"),
       "206 | of /ten.txt"},
      {ours, "2046 5.1.1", "parts begin with a line end, as clients of others are used to it",
       range("bytes=0-1,8-9"), "206 | begins \r\n-- | parts 0-1,8-9 | of /ten.txt"},
      {ours, "9110 15.3.7.2", "hundreds are answered in parts", range(spread(400, 2000, 10), "/big.bin"),
       "206 | of /big.bin | Content-Type ~ multipart/byteranges | keeps"},
      {ours, "9110 15.3.7.2", "hundreds with small gaps are joined", range(spread(400, 100, 90), "/big.bin"),
       "206 | of /big.bin | Content-Range: bytes 0-39989/1048576 | keeps"},
      {ours, "9110 15.3.7.2", "hundreds that are shorter as a whole", range(spread(400, 2, 1), "/one.txt"),
       "200,206 | of /one.txt"},
      {ours, "9110 14.2", "hundreds that overlap", range(spread(400, 1000, 2000), "/big.bin"),
       "200 | of /big.bin | !Content-Range"},
      {must, "9110 14.2", "ranges of a coded representation are of its bytes",
       get("/squeezed/only.css", {"Accept-Encoding: gzip", "Range: bytes=0-4"}),
       "206 | text style | Content-Encoding: gzip | Content-Range: bytes 0-4/13"},
  };
}

}  // namespace sluice::conformance
