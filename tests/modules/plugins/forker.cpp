// Forks a process that goes on without exec until it is killed, and answers with its number. Below /return
// the forked process returns into the server instead.
#include <sluice/module.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

namespace {

class Forker : public sluice::Handler {
 public:
  explicit Forker(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    ::signal(SIGCHLD, SIG_IGN);
    const pid_t child = ::fork();
    if (child == 0 && std::string_view(exchange.request().path) != "return") {
      for (;;) ::pause();
    }
    exchange.send(sluice::Bytes(std::string_view(std::to_string(child))));
  }
};

}  // namespace

SLUICE_MODULE(Forker, .name = "forker", .version = "1.0.0", .summary = "Forks without exec",
              .default_mount = "/forker/");
