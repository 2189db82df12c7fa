// Accept-Encoding, RFC 9110 section 12.5.3: from the field's lines to the codings that may be sent, the best
// first.
#include "common/http/content_coding.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

using sluice::Field;
using sluice::FieldId;
using sluice::files::Coding;
using sluice::files::coding_name;
using sluice::files::coding_suffix;
using sluice::files::Codings;
using sluice::files::preferred_codings;

namespace {

struct Case {
  const char* rule;
  std::vector<std::string> lines;
  const char* preferred;
};

const Case kCases[] = {
    {"no field: nobody asked for a coding", {}, "identity"},
    {"an empty field: no coding", {""}, "identity"},
    {"only white space and commas", {" , ,\t"}, "identity"},
    {"one coding", {"gzip"}, "gzip identity"},
    {"each coding", {"br"}, "br identity"},
    {"each coding", {"zstd"}, "zstd identity"},
    {"unknown codings are as good as none", {"deflate, compress"}, "identity"},
    {"a browser's list: ties in the server's order", {"gzip, deflate, br, zstd"}, "zstd br gzip identity"},
    {"several lines are one list", {"gzip", "br"}, "br gzip identity"},
    {"a line's weight holds for its line's member", {"gzip;q=0.5", "br;q=0.1"}, "gzip br identity"},
    {"names ignore case", {"GZip, BR;Q=0.5"}, "gzip br identity"},
    {"x-gzip is gzip", {"x-gzip"}, "gzip identity"},
    {"x-gzip is gzip, in capitals too", {"X-GZIP;q=0.2, br;q=0.1"}, "gzip br identity"},
    {"no part of a name counts", {"gzi, gzipp, g, b, zstandard"}, "identity"},
    // weights (12.4.2)
    {"a weight is a wish", {"zstd;q=0.1, br;q=0.2, gzip;q=0.3"}, "gzip br zstd identity"},
    {"three decimals", {"zstd;q=0.998, br;q=0.999"}, "br zstd identity"},
    {"one decimal is tenths", {"zstd;q=0.19, br;q=0.2"}, "br zstd identity"},
    {"1 with zeros", {"br;q=1.000, gzip;q=1., zstd;q=1.0"}, "zstd br gzip identity"},
    {"the smallest", {"gzip;q=0.001"}, "gzip identity"},
    {"zero excludes", {"gzip;q=0, br"}, "br identity"},
    {"zero in full excludes", {"gzip;q=0.000"}, "identity"},
    {"zero and a point excludes", {"gzip;q=0., br;q=0.0"}, "identity"},
    {"white space around the semicolon", {"gzip \t;\t q=0.5 , br ; q=0.6"}, "br gzip identity"},
    // a malformed weight: the member is ignored
    {"four decimals", {"gzip;q=0.1234"}, "identity"},
    {"more than 1", {"gzip;q=1.001, br;q=2"}, "identity"},
    {"no leading digit", {"gzip;q=.5"}, "identity"},
    {"no digits", {"gzip;q="}, "identity"},
    {"two digits", {"gzip;q=00, br;q=10, zstd;q=01"}, "identity"},
    {"no number", {"gzip;q=a, br;q=0.a, zstd;q=0,5"}, "identity"},
    {"negative", {"gzip;q=-0, br;q=-1"}, "identity"},
    {"exponent", {"gzip;q=1e0"}, "identity"},
    {"white space around =", {"gzip;q =1, br;q= 1"}, "identity"},
    {"an empty parameter", {"gzip;, br;;q=1"}, "identity"},
    {"another parameter", {"gzip;level=9, br;q=1;a=b"}, "identity"},
    {"ignored is not excluded", {"identity;q=x"}, "identity"},
    {"ignored is not excluded: * decides", {"gzip;q=x, *;q=0.5"}, "zstd br gzip identity"},
    {"only that member", {"gzip;q=x, br"}, "br identity"},
    // the asterisk
    {"any", {"*"}, "zstd br gzip identity"},
    {"any other", {"gzip, *;q=0.5"}, "gzip zstd br identity"},
    {"any but", {"zstd;q=0, *"}, "br gzip identity"},
    {"no other", {"br, *;q=0"}, "br"},
    {"no other but identity", {"*;q=0, identity;q=0.1"}, "identity"},
    {"nothing", {"*;q=0"}, ""},
    // identity
    {"identity preferred", {"identity, gzip;q=0.5"}, "identity gzip"},
    {"identity, tied, comes last", {"identity, gzip"}, "gzip identity"},
    {"identity by its weight", {"identity;q=0.5, gzip;q=0.4, br;q=0.6"}, "br identity gzip"},
    {"identity excluded", {"gzip, identity;q=0"}, "gzip"},
    {"identity excluded alone", {"identity;q=0"}, ""},
    {"identity excluded, any other", {"identity;q=0, *"}, "zstd br gzip"},
    {"asterisk's weight is identity's", {"gzip;q=0.3, *;q=0.5"}, "zstd br identity gzip"},
    // one coding twice: what is ruled out once stays ruled out, in either order
    {"twice", {"gzip;q=0, gzip"}, "identity"},
    {"twice", {"gzip, x-gzip;q=0"}, "identity"},
    {"twice", {"gzip;q=0.9, br;q=0.5", "gzip;q=0.1"}, "br gzip identity"},
};

Codings preferred(const std::vector<std::string>& lines) {
  std::vector<Field> fields = {{"Accept", "br", FieldId::accept}};  // other fields do not matter
  for (const std::string& line : lines) fields.push_back({"Accept-Encoding", line, FieldId::accept_encoding});
  fields.push_back({"TE", "gzip", FieldId::te});
  sluice::Request request;
  request.fields = fields.data();
  request.field_count = static_cast<std::uint32_t>(fields.size());
  return preferred_codings(request);
}

std::string names(const Codings& codings) {
  std::string all;
  for (const Coding coding : codings) all.append(all.empty() ? "" : " ").append(coding_name(coding));
  return all;
}

}  // namespace

TEST_CASE("Accept-Encoding says what may be sent, the best first", "[content_coding]") {
  for (const Case& expected : kCases) {
    CAPTURE(expected.rule, expected.lines);
    CHECK(names(preferred(expected.lines)) == expected.preferred);
  }
}

TEST_CASE("a request without fields gets the content as it is", "[content_coding]") {
  CHECK(names(preferred_codings(sluice::Request{})) == "identity");
}

TEST_CASE("only what is offered is sent, and ties are in the order of the offer", "[content_coding]") {
  Codings offered;
  offered.push_back(Coding::gzip);
  offered.push_back(Coding::br);
  const Field field{"Accept-Encoding", "zstd, br, gzip, identity;q=0.5", FieldId::accept_encoding};
  sluice::Request request;
  request.fields = &field;
  request.field_count = 1;
  CHECK(names(preferred_codings(request, offered)) == "gzip br identity");
  CHECK(names(preferred_codings(request, Codings{})) == "identity");
}

TEST_CASE("each coding has a name and the suffix of its files", "[content_coding]") {
  CHECK(coding_name(Coding::zstd) == "zstd");
  CHECK(coding_suffix(Coding::zstd) == ".zst");
  CHECK(coding_suffix(Coding::br) == ".br");
  CHECK(coding_suffix(Coding::gzip) == ".gz");
  CHECK(coding_suffix(Coding::identity).empty());
}

TEST_CASE("whatever is sent, the codings are distinct, and lines are one list", "[content_coding]") {
  static constexpr const char* kPieces[] = {"gzip", "br", "zstd", "*",   "identity", ",", ",",  ", ",
                                            ";q=",  "0",  "1",    "0.5", ";",        " ", "x-", "\t"};
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string first, second;
    for (auto i = random() % 8; i > 0; --i) first += kPieces[random() % std::size(kPieces)];
    for (auto i = random() % 8; i > 0; --i) second += kPieces[random() % std::size(kPieces)];
    CAPTURE(first, second);
    const Codings found = preferred({first, second});
    unsigned seen = 0;
    for (const Coding coding : found) {
      REQUIRE((seen & (1U << static_cast<unsigned>(coding))) == 0);
      seen |= 1U << static_cast<unsigned>(coding);
    }
    REQUIRE(names(found) == names(preferred({first + "," + second})));
    REQUIRE(names(found) == names(preferred({second, first})));
  }
}
