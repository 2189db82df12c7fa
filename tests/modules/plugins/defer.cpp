// Answers after a while, by a task that a timer wakes.
#include <sluice/module.h>

#include <string>

namespace {

class LaterTask : public sluice::Task, public sluice::Timer {
 public:
  LaterTask(sluice::Host& host, sluice::Ticket ticket, std::uint64_t delay_ms)
      : host_(host), ticket_(ticket), timer_(host.timer(delay_ms, *this)) {}
  ~LaterTask() override {
    if (timer_.value != 0) host_.cancel(timer_);
  }
  void fired() override {
    timer_ = sluice::TimerId{};
    host_.resume(ticket_);
  }
  void resumed(sluice::Exchange& exchange) override {
    exchange.field("Content-Type", "text/plain");
    // The views of the head are still valid.
    exchange.send("deferred " + std::string(std::string_view(exchange.request().path)) + "\n");
  }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
  sluice::TimerId timer_;
};

class Defer : public sluice::Handler {
 public:
  explicit Defer(sluice::Host& host) : host_(host), delay_ms_(host.number("delay")) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.defer(new LaterTask(host_, exchange.ticket(), delay_ms_));
  }

 private:
  sluice::Host& host_;
  std::uint64_t delay_ms_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"delay", sluice::OptionType::duration_ms, 0, "50ms", "until the answer", nullptr},
};

}  // namespace

SLUICE_MODULE(Defer, .name = "defer", .version = "1.0.0", .summary = "Answers after a delay",
              .default_mount = "/defer/", .options = kOptions, .option_count = 1);
