// Accept: what a listing is chosen by is what the server's own pages are chosen by.
#include "common/preferences.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "accept.h"

using sluice::Field;
using sluice::FieldId;
using sluice::Request;

namespace {

// How each of the two rules chooses: by the modules', and by the server's.
std::pair<bool, bool> chosen(const std::vector<std::string>& lines) {
  std::vector<Field> fields;
  for (const std::string& line : lines) fields.push_back({"Accept", line, FieldId::accept});
  Request request;
  request.fields = fields.data();
  request.field_count = static_cast<std::uint32_t>(fields.size());
  return {sluice::files::prefers(request, "application/json", "text/html"),
          sluice::prefers(request, "application/json", "text/html")};
}

}  // namespace

TEST_CASE("JSON is preferred to HTML by weight, and among equals where it is named", "[preferences]") {
  const auto json = std::pair(true, true);
  const auto html = std::pair(false, false);
  CHECK(chosen({}) == html);
  CHECK(chosen({"*/*"}) == html);
  CHECK(chosen({"application/json, */*"}) == json);
  CHECK(chosen({"text/html;q=0.8", "application/json;q=0.9"}) == json);
  CHECK(chosen({"application/json;q=0.8, text/html"}) == html);
  CHECK(chosen({"text/html;q=0, */*"}) == json);
  CHECK(chosen({"application/json;q=0, application/*"}) == html);
}

TEST_CASE("whatever is sent, the listing's rule is that of the server's own pages", "[preferences]") {
  static constexpr const char* kPieces[] = {"application/json",
                                            "text/html",
                                            "application/*",
                                            "text/*",
                                            "*/*",
                                            ",",
                                            ",",
                                            ", ",
                                            ";q=",
                                            ";q=",
                                            "0",
                                            "1",
                                            "0.5",
                                            ";",
                                            "charset=",
                                            "x=",
                                            "\"",
                                            "\\",
                                            " "};
  std::mt19937 random(5);
  bool both[2] = {false, false};
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> lines(2);
    for (std::string& line : lines) {
      for (auto i = random() % 10; i > 0; --i) line += kPieces[random() % std::size(kPieces)];
    }
    CAPTURE(lines);
    const auto [ours, the_servers] = chosen(lines);
    REQUIRE(ours == the_servers);
    both[ours ? 1 : 0] = true;
  }
  CHECK((both[0] && both[1]));
}
