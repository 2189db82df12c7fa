// Lets a thread wait until a client has sent or taken everything, and does not tell it when the client
// leaves.
#include <sluice/module.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

using Ended = std::shared_ptr<std::atomic<bool>>;

struct Waiting : sluice::Work {
  Waiting(sluice::Host& host, sluice::Ticket ticket, Ended ended)
      : host_(host), ticket_(ticket), ended_(std::move(ended)) {}
  void run() override {
    // Longer than the check waits, but not for ever, since the test has to end.
    for (int i = 0; i < 400 && !*ended_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  void done(bool) override { host_.resume(ticket_); }
  sluice::Host& host_;
  sluice::Ticket ticket_;
  Ended ended_;
};
struct Sending : sluice::Body {
  explicit Sending(Ended ended) : ended_(std::move(ended)) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Moved moved = sink.write(&bytes_, 1);
    bytes_ = {bytes_.data + moved.size, bytes_.size - moved.size};
    *ended_ = bytes_.size == 0;
    return *ended_ ? sluice::Progress::done : sluice::Progress::more;
  }
  std::string content_ = std::string(1'000'000, 'x');
  sluice::Bytes bytes_ = content_;
  Ended ended_;
};
struct Taking : sluice::Reader {
  explicit Taking(Ended ended) : ended_(std::move(ended)) {}
  std::uint64_t take(sluice::Bytes piece) override { return piece.size; }
  void end() override { *ended_ = true; }
  Ended ended_;
};
struct Answering : sluice::Task {
  void resumed(sluice::Exchange& exchange) override { exchange.send("x"); }
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const sluice::Request& request = exchange.request();
    if (request.path.size > 0 && request.body_size == 0) return exchange.send("x");
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    auto work = std::make_unique<Waiting>(host_, exchange.ticket(), ended);
    if (!host_.offload(work.get())) return exchange.fail(503);
    static_cast<void>(work.release());
    if (request.body_size == 0) return exchange.stream(1'000'000, new Sending(ended));
    exchange.receive(new Taking(ended));
    exchange.defer(new Answering);
  }
  sluice::Host& host_;
};

SLUICE_MODULE(Bad, .name = "forgets_work", .version = "1.0.0", .summary = "Forgets its work",
              .default_mount = "/forgets_work/");
