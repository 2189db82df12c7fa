// Several texts in one, also where they are broken.
#include "base/netstring.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("what was written is read, whatever bytes it has", "[netstring]") {
  const std::string bytes("a:1\0,\n", 6);
  const std::string text = NetstringWriter().put("").put(bytes).put(~std::uint64_t{0}).put("7:x").take();
  NetstringReader reader(text);
  CHECK(reader.next().empty());
  CHECK(reader.next() == bytes);
  CHECK(reader.next_number() == ~std::uint64_t{0});
  CHECK_FALSE(reader.at_end());
  CHECK(reader.next() == "7:x");
  CHECK(reader.at_end());
}

TEST_CASE("broken texts read as empty, or as what is there of them", "[netstring]") {
  CHECK(NetstringReader("").next().empty());
  CHECK(NetstringReader("abc").next().empty());
  CHECK(NetstringReader("-1:abc").next().empty());
  CHECK(NetstringReader("5:abc").next() == "abc");
  CHECK(NetstringReader("99999999999999999999999:abc").next().empty());
  CHECK(NetstringReader("3:abc").next_number() == 0);
  CHECK(NetstringReader("21:999999999999999999999").next_number() == 0);
  NetstringReader reader("x:1:a");
  CHECK(reader.next().empty());
  CHECK(reader.next() == "a");
  CHECK(reader.next_number() == 0);
}
