// Has got hold of its worker's socket to the supervisor, and floods it with questions: known ones, unknown
// ones, and messages that are none.
#include <sluice/module.h>
#include <sys/socket.h>

#include <string>

namespace {

// The only packet socket of a worker.
int control_socket() {
  for (int fd = 3; fd < 1024; ++fd) {
    int type = 0;
    socklen_t size = sizeof(type);
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET) return fd;
  }
  return -1;
}

class Asks : public sluice::Handler {
 public:
  explicit Asks(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    const int fd = control_socket();
    const std::string messages[] = {"q1:17:metrics,",  "q1:1,6:status,",
                                    "q1:2,7:metrics,", "q20:99999999999999999999,0:,",
                                    "q1:3,4:root,",    "q",
                                    "t1:1,0:,",        "q1:4," + std::string(60'000, '9'),
                                    std::string(3, 0), "P1:1,0:,"};
    std::uint64_t sent = 0;
    for (int i = 0; i < 20'000; ++i) {
      const std::string& message = messages[static_cast<std::size_t>(i) % std::size(messages)];
      sent += ::send(fd, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0 ? 1 : 0;
    }
    exchange.send(sent > 0 ? "asked\n" : "it has no socket\n");
  }
};

}  // namespace

SLUICE_MODULE(Asks, .name = "asks_wildly", .version = "1.0.0",
              .summary = "Floods the supervisor with questions", .default_mount = "/asks_wildly/");
