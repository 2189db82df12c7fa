// Has a counter in the metrics, and sends borrowed bytes and prepared fields while it holds its host.
#include <sluice/module.h>

#include <string>
#include <string_view>

namespace {

class PerWorkerTotals : public sluice::Shared {
 public:
  explicit PerWorkerTotals(sluice::Host& host) : mount_is_empty(host.mount().size == 0) {}
  std::uint64_t requests = 0;
  bool mount_is_empty;
};

class Counting : public sluice::Handler, private sluice::Holder {
 public:
  using PerWorker = PerWorkerTotals;

  explicit Counting(sluice::Host& host) : host_(host), counter_(host.counter("requests")) {
    const sluice::Field fields[] = {{"Content-Type", "text/plain"}, {"X-Prepared", "yes"}};
    fields_ = host.prepare_fields(fields, 2);
    const sluice::Field bad[] = {{"X-Bad", "two\r\nlines"}};
    bad_was_refused_ = host.prepare_fields(bad, 1) == nullptr;
  }
  ~Counting() override { host_.release_fields(fields_); }

  void handle(sluice::Exchange& exchange) override {
    auto& totals = static_cast<PerWorkerTotals&>(*host_.shared());
    host_.count(counter_, 1);
    exchange.fields(*fields_);
    if (std::string_view(exchange.request().path) == "held") {
      host_.hold();
      ++lent_;
      return exchange.send_held(kHeld, *this);
    }
    exchange.send("requests=" + std::to_string(++totals.requests) + " lent=" + std::to_string(lent_) +
                  " refused=" + (bad_was_refused_ ? "yes" : "no") +
                  " same=" + (host_.counter("requests") == counter_ ? "yes" : "no") +
                  " shared=" + (totals.mount_is_empty ? "yes" : "no") + "\n");
  }

 private:
  static constexpr std::string_view kHeld = "these bytes are borrowed\n";

  void release() override {
    --lent_;
    host_.release();
  }

  sluice::Host& host_;
  std::uint32_t counter_;
  sluice::FieldBlock* fields_ = nullptr;
  int lent_ = 0;
  bool bad_was_refused_ = false;
};

}  // namespace

SLUICE_MODULE(Counting, .name = "counting", .version = "1.0.0", .summary = "Counts and lends",
              .default_mount = "/counting/");
