#include "base/percent_encoding.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

TEST_CASE("bytes that a URL may not have are encoded", "[percent_encoding]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string encoded;
  append_encoded(encoded, all);
  CHECK(std::all_of(encoded.begin(), encoded.end(), [](char c) { return c > 0x20 && c < 0x7f; }));
  CHECK(encoded.find_first_of("?#\"<>\\^`{|}") == std::string::npos);
  std::string out = "before ";
  append_encoded(out, "/a b%\xc3\xa9");
  CHECK(out == "before /a%20b%25%C3%A9");
}

TEST_CASE("bytes that a URL's path may have stay as they are", "[percent_encoding]") {
  std::string plain;
  append_encoded(plain, "/a/b.txt~-_:@!$&'()*+,;=");
  CHECK(plain == "/a/b.txt~-_:@!$&'()*+,;=");
}
