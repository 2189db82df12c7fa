// What a client can make a connection hold is bounded. The bounds are those of SECURITY.md, and the memory is
// counted by the allocator.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/heap.h"
#include "support/http2_fixture.h"

using namespace sluice;
using sluice::test::Fields;
using sluice::test::heap_in_use;
using sluice::test::Http2Fixture;
using sluice::test::Http2Wire;

namespace {

constexpr std::size_t kKibi = 1024;
constexpr std::size_t kIdleMax = 1 * kKibi;
constexpr std::size_t kHttp1Max = 80 * kKibi;
constexpr std::size_t kHttp2IdleMax = 18 * kKibi;  // and a buffer for frames, which http2_memory_test looks at
constexpr std::size_t kHttp2Max = 6 * kKibi * kKibi;

const std::string kGet = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct Fixture : Http2Fixture {
  std::vector<UniqueFd> clients;

  // A module that answers in an hour, and reads nothing.
  void mount_late() {
    auto file = ModuleFile::load(SLUICE_TEST_MODULES "/defer.so", "defer.so");
    REQUIRE(file);
    auto made = ModuleInstance::create_mounted(services, std::move(*file), InstanceRef(),
                                               {"/late/", {{"delay", "1h"}}, -1, ""});
    REQUIRE(made);
    REQUIRE(router.add(0, "/late/", std::move(*made)));
  }
  // Sends until the server takes no more.
  void stuff(const std::string& bytes) {
    std::string_view rest = bytes;
    for (int vain = 0; vain < 50 && !rest.empty();) {
      const ssize_t sent = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      vain = sent > 0 ? 0 : vain + 1;
      if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
      loop->turn(0);
    }
  }
  // What most of several connections hold, each of them, when they have sent these bytes, and read no answers.
  // What they share, such as spare buffers, grows with one of them.
  std::size_t held_after(const std::string& bytes) {
    constexpr std::size_t kConnections = 9;
    clients.reserve(kConnections + 1);
    std::vector<std::size_t> held;
    // The first one makes what all of them share.
    for (std::size_t i = 0; i <= kConnections; ++i) {
      const std::size_t before = heap_in_use();
      connect();
      stuff(bytes);
      const std::size_t after = heap_in_use();
      if (i > 0) held.push_back(after - std::min(before, after));
      REQUIRE(table.size() == i + 1);
      clients.push_back(std::move(client));
    }
    const auto middle = held.begin() + kConnections / 2;
    std::nth_element(held.begin(), middle, held.end());
    return *middle;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an idle connection is small", "[connection][memory]") {
  CHECK(held_after("") <= kIdleMax);
}

TEST_CASE_METHOD(Fixture, "a connection of HTTP/1 holds what is bounded, whatever its client sends",
                 "[connection][memory]") {
  mount_late();
  const std::string sent = GENERATE(
      "GET / HTTP/1.1\r\nX: " + std::string(15'000, 'x'),  // half a head
      "GET /late/ HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'x') + "\r\n\r\n" + repeated(kGet, 100),
      repeated(kGet, 10'000),  // whose answers are not read
      "POST /late/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'));
  CAPTURE(sent.substr(0, 40));
  CHECK(held_after(sent) <= kHttp1Max);
}

TEST_CASE_METHOD(Fixture, "a connection of HTTP/2 that is idle holds little", "[connection][memory]") {
  CHECK(held_after(wire.preface() + wire.get(1, "/none")) <= kHttp2IdleMax);
}

TEST_CASE_METHOD(Fixture, "a connection of HTTP/2 holds what is bounded, whatever its client sends",
                 "[connection][memory]") {
  mount_late();
  std::string sent = wire.preface();
  // As many streams as may be open, each with a long head and a body that is not read, as much as the window
  // has room for.
  std::uint32_t id = 1;
  for (; id < 2 * Http2Session::kStreamsMax; id += 2) {
    Fields fields = Http2Wire::request("/late/", "POST");
    for (int i = 0; i < 90; ++i) fields.emplace_back("x-" + std::to_string(i), std::string(120, '~'));
    sent += wire.headers(id, fields, false) + Http2Wire::data(id, std::string(8'000, 'x'), false);
  }
  // And a head that does not end, of a stream that is refused.
  sent += Http2Wire::frame(NGHTTP2_HEADERS, 0, id, std::string(1, '\x82'));
  for (int i = 0; i < 4; ++i) sent += Http2Wire::frame(NGHTTP2_CONTINUATION, 0, id, std::string(1'000, '\x82'));
  CHECK(held_after(sent) <= kHttp2Max);
}
