// Starts the installed sluice with the module, and lets clients talk over sockets.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "support/server_process.h"

using namespace sluice::test;

namespace {

const std::string kMount = "/websocket_name/";

// A client of RFC 6455, for short messages. What it sends is masked, what it gets is not.
class Client {
 public:
  explicit Client(const ServerProcess& server, const std::string& more = "") : http_(server.endpoint()) {
    http_.request("GET", kMount,
                  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                      more);
    status = http_.read_head().status;
  }
  void say(std::string_view text) {
    const std::string_view mask = "mask";
    std::string frame = "\x81";
    frame += static_cast<char>(0x80 | text.size());
    frame += mask;
    for (std::size_t i = 0; i < text.size(); ++i) frame += static_cast<char>(text[i] ^ mask[i % 4]);
    http_.send(frame);
  }
  std::string hear() {
    const std::string head = http_.read_some(2);
    return head.size() < 2 ? "the end" : http_.read_some(static_cast<std::size_t>(head[1]));
  }
  int status = 0;

 private:
  HttpClient http_;
};

}  // namespace

TEST_CASE("who is in the room hears what the others say") {
  const Site site({"websocket_name"});
  ServerProcess server(site, {"--workers", "1"});
  Client anna(server);
  CHECK(anna.status == 101);
  CHECK(anna.hear() == "1 in the room");
  {
    Client bert(server);
    CHECK(bert.hear() == "2 in the room");
    CHECK(anna.hear() == "2 in the room");
    anna.say("Good day");
    CHECK(bert.hear() == "Good day");
    CHECK(anna.hear() == "Good day");
    bert.say("Gr\xc3\xbc\xc3\x9f Gott");
    CHECK(anna.hear() == "Gr\xc3\xbc\xc3\x9f Gott");
  }
  Client carl(server);
  CHECK(carl.hear().find(" in the room") == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("browsers get a page, and pages of other origins no connection") {
  const Site site({"websocket_name"});
  ServerProcess server(site, {"--mount", kMount + "=websocket_name:origin=https://a.example,members_max=1"});
  const HttpAnswer page = fetch(server.endpoint(), kMount);
  CHECK(page.field("Content-Type") == "text/html; charset=utf-8");
  CHECK_THAT(page.body, Catch::Contains("new WebSocket("));
  CHECK(fetch(server.endpoint(), kMount + "more").status == 404);
  CHECK(Client(server, "Origin: https://b.example\r\n").status == 403);
  CHECK(Client(server, "Origin: https://a.example\r\n").status == 101);
  CHECK(server.stop() == 0);
}
