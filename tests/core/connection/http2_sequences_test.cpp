// Random sequences over HTTP/2: see support/random_sequences.h. Many streams are under way at once: requests,
// bodies with pauses, resets, windows that open late or not at all, priorities, PING and SETTINGS, in pieces.
// What the server sends can be read as frames throughout.
#include <catch2/catch.hpp>
#include <memory>

#include "support/http2_wire.h"
#include "support/random_sequences.h"

using namespace sluice;
using sluice::test::Http2Wire;

namespace {

struct Fixture : test::RandomSequences {
  std::unique_ptr<Http2Wire> wire;
  std::string out;         // frames that were made and not sent
  std::uint32_t next = 1;  // the next stream
  unsigned answered = 0;

  Fixture() { site.address.http2_clear = true; }

  void begin(int client_end, UniqueFd server_end) override {
    client.reset(client_end);
    wire = std::make_unique<Http2Wire>();
    wire->opens_windows = below(3) != 0;
    const std::uint32_t windows[] = {0, 10, 1000, 65'535, 0x7fffffff};
    out = wire->preface({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, windows[below(5)]}});
    next = 1;
    table.accept(std::move(server_end), site.address);
  }
  std::uint32_t some_stream() { return next == 1 ? 1 : 1 + 2 * below((next - 1) / 2); }
  std::string a_frame() {
    switch (below(12)) {
      case 0:
        return Http2Wire::window_update(0, 1 + below(100'000));
      case 1:
        return Http2Wire::window_update(some_stream(), 1 + below(10'000));
      case 2:
        return below(3) == 0 ? Http2Wire::reset(some_stream()) : "";
      case 3:
        return Http2Wire::frame(NGHTTP2_PING, 0, 0, "12345678");
      case 4:
        return below(4) == 0 ? Http2Wire::frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4\0\0\4\0", 6)) : "";
      case 5:
      case 6:
        return Http2Wire::data(some_stream(), std::string(below(5000), 'b'), below(3) == 0);
      case 7:
        return below(20) == 0 ? std::string(1 + below(50), static_cast<char>(random())) : "";
      default:
        break;
    }
    const std::uint32_t id = next;
    next += 2;
    const bool posts = below(2) == 0;
    test::Fields more;
    if (below(4) == 0) more.emplace_back("priority", below(2) == 0 ? "u=1" : "u=5, i");
    if (posts && below(8) == 0) more.emplace_back("expect", "100-continue");
    if (below(8) == 0) more.emplace_back("x-long", std::string(2500, 'h'));
    return wire->headers(id, wire->ask(a_target(), posts ? "POST" : "GET", more), !posts);
  }
  void send_some() override {
    if (out.empty()) out = a_frame();
    if (out.empty()) return;
    const std::size_t size = below(3) != 0 ? out.size() : 1 + below(static_cast<unsigned>(out.size()));
    const ssize_t sent = ::send(client.get(), out.data(), size, MSG_NOSIGNAL);
    if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
  }
  void receive_some() override {
    for (std::string bytes = receive(); !bytes.empty(); bytes = receive()) wire->take(bytes);
    out += wire->due();
  }
  void do_otherwise() override {
    receive_some();
    turn();
  }
  void count() {
    for (std::uint32_t id = 1; id < next; id += 2) answered += wire->has(id) && wire->answer(id).ended ? 1 : 0;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "random sequences over HTTP/2 end every connection in order", "[http2_session]") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    run(seed);
    count();
  }
  CHECK(answered > 50);  // the sequences get that far
}

TEST_CASE_METHOD(Fixture, "new random sequences over HTTP/2 end every connection in order",
                 "[http2_session][full]") {
  std::random_device seeds;
  for (int i = 0; i < 5'000; ++i) run(seeds());
}
