// Blocks on an offload thread, and answers when that is done: it sleeps, or, if the path is "gate", waits
// until the gate is open. With the option `calls` it does so several times, one after the other.
#include <sluice/module.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <thread>

#include "gate.h"

namespace {

// Shared by the work and the task; either may end first.
struct Errand {
  bool done = false;
  bool ran = false;
};

class SleepWork : public sluice::Work {
 public:
  SleepWork(sluice::Host& host, sluice::Exchange& exchange, std::shared_ptr<Errand> errand)
      : left_(host.number("calls")),
        host_(host),
        ticket_(exchange.ticket()),
        sleep_ms_(host.number("sleep")),
        folder_fd_(host.folder().fd),
        at_gate_(std::string_view(exchange.request().path) == "gate"),
        errand_(std::move(errand)) {}
  void run() override {
    if (at_gate_) return wait_at_gate(folder_fd_);
    std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms_));
  }
  void done(bool ran) override {
    if (ran && --left_ > 0) {
      auto next = std::make_unique<SleepWork>(*this);
      if (host_.offload(next.get())) {
        static_cast<void>(next.release());
        return;
      }
      ran = false;
    }
    errand_->done = true;
    errand_->ran = ran;
    host_.resume(ticket_);
  }

 private:
  std::uint64_t left_;
  sluice::Host& host_;
  sluice::Ticket ticket_;
  std::uint64_t sleep_ms_;
  int folder_fd_;
  bool at_gate_;
  std::shared_ptr<Errand> errand_;
};

class WaitTask : public sluice::Task {
 public:
  explicit WaitTask(std::shared_ptr<Errand> errand) : errand_(std::move(errand)) {}
  void resumed(sluice::Exchange& exchange) override {
    if (!errand_->done) return;
    if (!errand_->ran) return exchange.fail(503);
    exchange.send("done off the loop\n");
  }

 private:
  std::shared_ptr<Errand> errand_;
};

class Offloader : public sluice::Handler {
 public:
  explicit Offloader(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const auto errand = std::make_shared<Errand>();
    auto work = std::make_unique<SleepWork>(host_, exchange, errand);
    if (!host_.offload(work.get())) return exchange.fail(503);
    static_cast<void>(work.release());
    exchange.defer(new WaitTask(errand));
  }

 private:
  sluice::Host& host_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"sleep", sluice::OptionType::duration_ms, 0, "100ms", "how long the work blocks", nullptr},
    {"calls", sluice::OptionType::number, 0, "1", "calls a request", nullptr},
};

}  // namespace

SLUICE_MODULE(Offloader, .name = "offloader", .version = "1.0.0", .summary = "Blocks on an offload thread",
              .default_mount = "/offloader/", .options = kOptions, .option_count = 2);
