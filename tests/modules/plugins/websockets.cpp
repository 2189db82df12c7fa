// WebSockets by the kit: "echo" sends back what it gets, "small" the same within narrow bounds, "throws" breaks
// down, and "floods" sends as much as it is asked for.
#include <sluice/kit/websocket.h>
#include <sluice/kit/websocket_deflate.h>
#include <sluice/module.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace kit = sluice::kit;

class Socket final : public kit::WebSocket {
 public:
  Socket(sluice::Host& host, std::set<Socket*>& all, std::string path)
      : host_(host), all_(all), path_(std::move(path)) {}
  void on_open() override { all_.insert(this); }
  void on_text(std::string_view message) override {
    if (path_ == "throws") throw std::runtime_error("it was told to");
    if (path_ == "floods") {
      for (int i = 0; i < 1000 && send_text(std::string(1000, 'x')); ++i) continue;
      return;
    }
    send_text(message);
  }
  void on_binary(std::string_view message) override { send_binary(message); }
  void on_close(std::uint16_t code) override {
    all_.erase(this);
    host_.log(sluice::LogLevel::info, path_ + " closed with " + std::to_string(code));
  }

 private:
  sluice::Host& host_;
  std::set<Socket*>& all_;
  std::string path_;
};

class Sockets final : public sluice::Handler {
 public:
  explicit Sockets(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string path(std::string_view(exchange.request().path));
    kit::WebSocketOptions options{.protocol = "chat", .codings = kit::deflate_messages};
    if (path == "small") options.message_max = 100;
    if (path == "floods") options.queue_max = 4000;
    kit::WebSocket::accept(exchange, host_, std::make_shared<Socket>(host_, all_, path), options);
  }
  void leaving(sluice::Leaving) override {
    for (Socket* socket : all_) socket->close(kit::close_code::kGoingAway, "the server stops");
  }
  void retire() override {
    for (Socket* socket : all_) socket->close(kit::close_code::kRestarts);
  }

 private:
  sluice::Host& host_;
  std::set<Socket*> all_;
};

}  // namespace

SLUICE_MODULE(Sockets, .name = "websockets", .version = "1.0.0", .summary = "Speaks WebSocket",
              .default_mount = "/ws/");
