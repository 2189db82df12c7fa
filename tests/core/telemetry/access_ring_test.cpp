#include "telemetry/access_ring.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <thread>

using namespace sluice;

namespace {

struct Ring {
  SharedRings rings = std::move(*map_rings());
  AccessRing& ring = rings->rings[0];
  AccessRingUse& use = rings->uses[0];
  std::string line;
  std::uint16_t log = 0;
  bool broken = false;

  bool push(std::uint16_t to, const std::string& text) {
    return ring.push(to, text) != AccessRing::Pushed::dropped;
  }
  bool take() {
    line.clear();
    const auto place = [&](std::uint16_t from) {
      log = from;
      return &line;
    };
    return ring.take(place, broken);
  }
};

}  // namespace

TEST_CASE_METHOD(Ring, "lines come out as they went in, over the end of the ring, too", "[access_ring]") {
  CHECK_FALSE(take());
  for (unsigned i = 0; i < 3000; ++i) {
    const std::string text(1 + i % 1500, static_cast<char>('a' + i % 26));
    REQUIRE(push(static_cast<std::uint16_t>(i % 7), text));
    REQUIRE(take());
    REQUIRE(line == text);
    REQUIRE(log == i % 7);
  }
  CHECK_FALSE(take());
  CHECK_FALSE(broken);
}

TEST_CASE_METHOD(Ring, "a full ring drops lines, counts them, and takes others later", "[access_ring]") {
  const std::string text(1000, 'x');
  std::size_t pushed = 0;
  while (push(1, text)) ++pushed;
  CHECK(pushed == AccessRing::kSize / (text.size() + 8));
  CHECK_FALSE(push(1, text));
  CHECK(ring.take_dropped() == 2);
  CHECK(ring.take_dropped() == 0);
  REQUIRE(take());
  CHECK(push(1, text));
  CHECK_FALSE(push(1, std::string(AccessRing::kLineMax + 1, 'x')));
  for (std::size_t i = 0; i < pushed; ++i) REQUIRE(take());
  CHECK_FALSE(take());
}

TEST_CASE_METHOD(Ring, "whoever half fills a ring is told so once", "[access_ring]") {
  const std::string text(1000, 'x');
  int told = 0;
  for (auto pushed = ring.push(1, text); pushed != AccessRing::Pushed::dropped; pushed = ring.push(1, text))
    told += pushed == AccessRing::Pushed::half_full ? 1 : 0;
  CHECK(told == 1);
}

TEST_CASE_METHOD(Ring, "a ring is lent, left and freed", "[access_ring]") {
  CHECK(use.is_free());
  use.lend(7);
  CHECK_FALSE(use.is_free());
  CHECK(use.plan() == 7);
  CHECK_FALSE(use.has_worker());
  use.own();
  CHECK(use.has_worker());
  CHECK_FALSE(use.is_left());
  use.leave();
  CHECK(use.is_left());
  use.free();
  CHECK(use.is_free());
}

TEST_CASE_METHOD(Ring, "a ring that a worker has overwritten is emptied", "[access_ring]") {
  REQUIRE(push(0, "fine"));
  auto* bytes = reinterpret_cast<unsigned char*>(&ring);
  SECTION("with ones") {
    std::memset(bytes + 64, 0xff, sizeof(AccessRing) - 64);
  }
  SECTION("with a size that is not there") {
    for (std::size_t i = 0; i + 4 <= sizeof(AccessRing); ++i) {
      if (std::memcmp(bytes + i, "fine", 4) == 0) {
        std::memset(bytes + i - 8, 0x01, 4);
        break;
      }
    }
  }
  for (int i = 0; i < 10; ++i) take();
  CHECK(broken);
  CHECK_FALSE(take());
}

TEST_CASE_METHOD(Ring, "one thread pushes while another takes", "[access_ring]") {
  constexpr unsigned kLines = 20'000;
  std::thread worker([this] {
    for (unsigned i = 0; i < kLines;) i += push(0, std::to_string(i)) ? 1 : 0;
  });
  for (unsigned i = 0; i < kLines;) {
    if (!take()) continue;
    REQUIRE(line == std::to_string(i));
    ++i;
  }
  worker.join();
  CHECK_FALSE(take());
}
