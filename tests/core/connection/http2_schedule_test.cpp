// In which order streams run: RFC 9218 section 10.
#include "connection/http2_schedule.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "support/connection_fixture.h"

using namespace sluice;

namespace {

struct Fixture : test::ConnectionFixture {
  std::vector<std::unique_ptr<Http2Stream>> streams;
  Http2Schedule schedule;

  Http2Stream& make(std::uint8_t urgency = 3, bool incremental = false, bool said = false) {
    streams.push_back(std::make_unique<Http2Stream>(context));
    streams.back()->priority = {urgency, incremental, said};
    return *streams.back();
  }
  Http2Stream* take() {
    bool waits = false;
    return schedule.take(waits);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a stream that its module has resumed meanwhile is there once", "[http2_schedule]") {
  Http2Stream& a = make(3, false, true);
  schedule.add_fresh(a);
  schedule.add_again(a);
  CHECK(schedule.size() == 1);
  CHECK(take() == &a);
  CHECK(take() == nullptr);
}

TEST_CASE_METHOD(Fixture, "equal streams take turns", "[http2_schedule]") {
  Http2Stream& a = make();
  Http2Stream& b = make();
  schedule.add(a);
  schedule.add(b);
  schedule.add(a);
  CHECK(schedule.size() == 2);
  CHECK(take() == &a);
  schedule.add_again(a);
  CHECK(take() == &b);
  schedule.add_again(b);
  CHECK(take() == &a);
  CHECK(take() == &b);
  CHECK(take() == nullptr);
  CHECK(schedule.empty());
}

TEST_CASE_METHOD(Fixture, "the more urgent ones go first", "[http2_schedule]") {
  Http2Stream& late = make(7);
  Http2Stream& usual = make();
  Http2Stream& urgent = make(0);
  for (Http2Stream* stream : {&late, &usual, &urgent}) schedule.add(*stream);
  CHECK(take() == &urgent);
  schedule.add_again(urgent);
  CHECK(take() == &urgent);
  CHECK(take() == &usual);
  CHECK(take() == &late);
}

TEST_CASE_METHOD(Fixture, "a client may want one after the other", "[http2_schedule]") {
  Http2Stream& a = make(3, false, true);
  Http2Stream& b = make(3, false, true);
  schedule.add(a);
  schedule.add(b);
  CHECK(take() == &a);
  schedule.add_again(a);
  CHECK(take() == &a);
  CHECK(take() == &b);
}

TEST_CASE_METHOD(Fixture, "a new request goes before the rest of a large answer", "[http2_schedule]") {
  Http2Stream& large = make();
  Http2Stream& fresh = make();
  schedule.add(large);
  schedule.add_fresh(fresh);
  bool waits = true;
  CHECK(schedule.take(waits) == &fresh);
  CHECK_FALSE(waits);
  Http2Stream& urgent = make(1);
  schedule.add(urgent);
  schedule.add_fresh(fresh);
  CHECK(schedule.take(waits) == &fresh);
  CHECK(waits);
  CHECK(take() == &urgent);
}

TEST_CASE_METHOD(Fixture, "a stream can be taken out", "[http2_schedule]") {
  Http2Stream& a = make();
  Http2Stream& b = make();
  Http2Stream& c = make();
  schedule.add(a);
  schedule.add(b);
  schedule.add_fresh(c);
  schedule.remove(b);
  schedule.remove(b);
  schedule.remove(c);
  CHECK(take() == &a);
  CHECK(schedule.empty());
}
