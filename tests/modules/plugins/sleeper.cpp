// Holds the loop up, which a handler must not: for as many milliseconds as the path says, or, if the path is
// "gate", until the gate is open. Below /poll/ it answers with the result of poll(2) after so many
// milliseconds. Below /offload it holds a thread of the server up until the gate is open, and below /file it
// looks for a file in its folder.
#include <poll.h>
#include <sluice/module.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "gate.h"

namespace {

class WaitAtGate : public sluice::Work {
 public:
  explicit WaitAtGate(int folder_fd) : folder_fd_(folder_fd) {}
  void run() override { wait_at_gate(folder_fd_); }
  void done(bool) override {}

 private:
  int folder_fd_;
};

class Sleeper : public sluice::Handler {
 public:
  explicit Sleeper(sluice::Host& host) : host_(host), folder_fd_(host.folder().fd) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string path(std::string_view(exchange.request().path));
    if (path.starts_with("poll/")) {
      const int outcome = ::poll(nullptr, 0, std::atoi(path.c_str() + 5));
      return exchange.send(outcome == 0 ? "slept\n" : "cut short\n");
    }
    if (path == "offload") {
      auto work = std::make_unique<WaitAtGate>(folder_fd_);
      if (host_.offload(work.get())) static_cast<void>(work.release());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(path.c_str())));
    if (path == "file") static_cast<void>(::faccessat(folder_fd_, "sought", F_OK, 0));
    if (path == "gate") wait_at_gate(folder_fd_);
    exchange.send("awake\n");
  }

 private:
  sluice::Host& host_;
  int folder_fd_;
};

}  // namespace

SLUICE_MODULE(Sleeper, .name = "sleeper", .version = "1.0.0", .summary = "Sleeps on the loop",
              .default_mount = "/sleeper/");
