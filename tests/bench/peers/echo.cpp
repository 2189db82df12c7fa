// An echo by WebSocket.
#include <sluice/kit.h>
#include <sluice/module.h>

#include <memory>
#include <string_view>

namespace {

class Client : public sluice::kit::WebSocket {
  void on_text(std::string_view message) override { send_text(message); }
};

class Echo : public sluice::Handler {
 public:
  explicit Echo(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    sluice::kit::WebSocket::accept(exchange, host_, std::make_shared<Client>());
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Echo, .name = "echo", .version = "1.0.0", .summary = "Echoes", .default_mount = "/echo/");
