// A chat: who connects hears what the others say. GET /websocket_name/ is a page that talks.
#include <sluice/kit.h>
#include <sluice/module.h>

#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace {

namespace kit = sluice::kit;

constexpr std::size_t kMessageMax = 4096;
constexpr sluice::OptionInfo kOptions[] = {
    {.name = "origin", .help = "Pages of these origins may connect, too: https://a.example, https://b.example"},
    {.name = "members_max", .type = sluice::OptionType::number, .fallback = "1000", .help = "503 beyond"},
};

constexpr std::string_view kPage = R"(<!doctype html>
<meta charset="utf-8">
<title>websocket_name</title>
<form><input autofocus autocomplete="off" maxlength="1000"><button>Say</button></form>
<pre></pre>
<script>
const socket = new WebSocket(location.href.replace(/^http/, "ws"));
const show = line => document.querySelector("pre").append(line + "\n");
socket.onmessage = event => show(event.data);
socket.onclose = () => show("The connection has ended: load the page again");
document.querySelector("form").onsubmit = event => {
  event.preventDefault();
  const input = document.querySelector("input");
  if (input.value) socket.send(input.value);
  input.value = "";
};
</script>
)";

class Member;
// The members of one worker. All of it is used on that worker's loop, so it needs no lock.
using Room = std::set<Member*>;

// One client's connection. It lives as long as that.
class Member : public kit::WebSocket {
 public:
  explicit Member(Room& room) : room_(room) {}
  ~Member() override { room_.erase(this); }

 private:
  void on_open() override {
    room_.insert(this);
    say(std::to_string(room_.size()) + " in the room");
  }
  void on_text(std::string_view message) override { say(message); }
  void on_close(std::uint16_t) override { room_.erase(this); }
  // A client that does not take what waits for it is sent away, so that memory stays bounded.
  void say(std::string_view message) {
    for (Member* member : room_) {
      if (!member->send_text(message)) member->close(kit::close_code::kPolicy, "too slow");
    }
  }

  Room& room_;
};

class WebsocketName : public sluice::Handler {
 public:
  explicit WebsocketName(sluice::Host& host)
      : host_(host),
        origins_(std::string_view(host.option("origin"))),
        members_max_(host.number("members_max")) {}

  void handle(sluice::Exchange& exchange) override {
    if (exchange.request().path.size != 0) return exchange.fail(404);
    if (!exchange.offers_upgrade("websocket"))
      return kit::send(exchange, 200, "text/html; charset=utf-8", kPage);
    if (room_.size() >= members_max_) return exchange.fail(503);
    kit::WebSocketOptions options;
    options.message_max = kMessageMax;
    options.origins.also = origins_;
    kit::WebSocket::accept(exchange, host_, std::make_shared<Member>(room_), options);
  }
  // The clients connect again: to the module that takes this one's place, or to another worker.
  void retire() override { leave(); }
  void leaving(sluice::Leaving) override { leave(); }

 private:
  void leave() {
    for (Member* member : room_) member->close(kit::close_code::kGoingAway);
  }

  sluice::Host& host_;
  const std::string origins_;
  const std::uint64_t members_max_;
  Room room_;
};

}  // namespace

SLUICE_MODULE(WebsocketName, .name = "websocket_name", .version = "0.1.0", .summary = "A chat",
              .default_mount = "/websocket_name/", .options = kOptions, .option_count = std::size(kOptions));
