// Frames of HTTP/2, in any order and with any content: what the server sends can be read as frames throughout,
// and the connection ends when its client has left.
//
// The input is a list of steps. Each is a byte that says what is done, one for the stream, one for the size of
// the payload, and the payload. Frames have a correct length, so that what they say is reached.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "served.h"
#include "support/http2_wire.h"

using namespace sluice;
using fuzz::expect;
using fuzz::Served;
using fuzz::Steps;
using test::Http2Wire;

namespace {

class Client {
 public:
  explicit Client(Served& served) : served_(served) {
    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
           "there is a socket");
    socket_.reset(ends[0]);
    served.table.accept(UniqueFd(ends[1]), served.site.address);
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Lets the server run, and reads what it sends.
  void hear() {
    served_.loop->turn(0);
    for (;;) {
      char bytes[16 * 1024];
      const ssize_t got = ::recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
      if (got <= 0) return;
      wire_.take(std::string_view(bytes, static_cast<std::size_t>(got)));
    }
  }
  void let_time_pass(std::uint64_t seconds) { served_.let_time_pass(seconds); }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  void leave() {
    socket_.reset();
    served_.expect_end();
  }
  Http2Wire& wire() { return wire_; }

 private:
  Served& served_;
  UniqueFd socket_;
  Http2Wire wire_;
};

// A request whose block is in order.
std::string a_request(Client& client, std::uint32_t id, std::string_view choice) {
  const unsigned way = choice.empty() ? 0 : static_cast<std::uint8_t>(choice.front());
  constexpr const char* kPaths[] = {"/echo/", "/slow_reader/", "/slow_reader/direct", "/defer/", "/none"};
  test::Fields more;
  if ((way & 0x20) != 0) more.emplace_back("expect", "100-continue");
  if ((way & 0x40) != 0) more.emplace_back("priority", "u=1, i");
  return client.wire().headers(
      id, client.wire().ask(kPaths[way % std::size(kPaths)], (way & 0x10) != 0 ? "POST" : "GET", more),
      (way & 0x80) != 0);
}

void take_step(Client& client, Steps& steps) {
  // Frames of RFC 9113 have lower numbers.
  enum Other : std::uint8_t { kAsk = 10, kUpdate, kHear, kWait, kAnswer, kRaw };
  const std::uint8_t what = steps.byte();
  const std::uint8_t stream = steps.byte();
  const std::string_view payload = steps.bytes(steps.byte());
  const auto flags = static_cast<std::uint8_t>(
      ((what & 0x10) != 0 ? NGHTTP2_FLAG_END_STREAM : 0) | ((what & 0x20) != 0 ? NGHTTP2_FLAG_END_HEADERS : 0) |
      ((what & 0x40) != 0 ? NGHTTP2_FLAG_PADDED : 0) | ((what & 0x80) != 0 ? NGHTTP2_FLAG_PRIORITY : 0));
  switch (what & 0x0f) {
    case Other::kAsk:
      return client.send(a_request(client, stream, payload));
    case Other::kUpdate:
      return client.send(Http2Wire::frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, payload));
    case Other::kHear:
      return client.hear();
    case Other::kWait:
      client.hear();
      return client.let_time_pass(stream);
    case Other::kAnswer:
      return client.send(client.wire().due());
    case Other::kRaw:
      return client.send(payload);
    default:
      return client.send(Http2Wire::frame(what & 0x0f, flags, stream, payload));
  }
}

Served& serve(std::initializer_list<const char*> modules) {
  auto* served = new Served;
  for (const char* module : modules) served->mount(module);
  return *served;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Served& served = serve({"echo", "slow_reader", "defer"});
  Steps steps(data, size);
  Client client(served);
  const std::uint8_t how = steps.byte();
  client.wire().opens_windows = (how & 1) != 0;
  // Windows of streams: some that are soon shut, and usual ones.
  if ((how & 2) == 0) client.send(client.wire().preface({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, how * 16U}}));
  if ((how & 2) != 0) client.send(client.wire().preface());
  for (unsigned i = 0; !steps.done(); ++i) {
    take_step(client, steps);
    if ((how & 4) != 0) client.hear();
  }
  client.hear();
  if ((how & 8) != 0) client.end_sending();
  client.hear();
  client.leave();
  return 0;
}
