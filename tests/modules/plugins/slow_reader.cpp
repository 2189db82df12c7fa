// Takes a request's body one byte at a time, and pauses after each. Answers with its size and sum: from its
// task, or from its reader if the path is "direct".
#include <sluice/module.h>

#include <memory>
#include <string>

namespace {

struct Sum {
  std::uint64_t size = 0;
  std::uint64_t sum = 0;
  bool ended = false;
};

class ByteReader : public sluice::Reader {
 public:
  ByteReader(sluice::Host& host, sluice::Ticket ticket, std::shared_ptr<Sum> sum, sluice::Exchange* answers)
      : host_(host), ticket_(ticket), sum_(std::move(sum)), answers_(answers) {}
  std::uint64_t take(sluice::Bytes piece) override {
    if (piece.size == 0) return 0;
    ++sum_->size;
    sum_->sum += static_cast<unsigned char>(*piece.data);
    host_.resume(ticket_);  // also after the last byte: one resume too many does no harm
    return 1;
  }
  void end() override {
    sum_->ended = true;
    if (answers_ != nullptr) return answers_->send("direct " + std::to_string(sum_->size) + "\n");
    host_.resume(ticket_);
  }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
  std::shared_ptr<Sum> sum_;
  sluice::Exchange* answers_;
};

class SumTask : public sluice::Task {
 public:
  explicit SumTask(std::shared_ptr<Sum> sum) : sum_(std::move(sum)) {}
  void resumed(sluice::Exchange& exchange) override {
    if (!sum_->ended) return;
    exchange.send(std::to_string(sum_->size) + " " + std::to_string(sum_->sum) + "\n");
  }

 private:
  std::shared_ptr<Sum> sum_;
};

class SlowReader : public sluice::Handler {
 public:
  explicit SlowReader(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const auto sum = std::make_shared<Sum>();
    const bool direct = std::string_view(exchange.request().path) == "direct";
    exchange.receive(new ByteReader(host_, exchange.ticket(), sum, direct ? &exchange : nullptr));
    exchange.defer(new SumTask(sum));
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(SlowReader, .name = "slow_reader", .version = "1.0.0",
              .summary = "Takes one byte of a body at a time", .default_mount = "/slow_reader/");
