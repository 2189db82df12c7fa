// Destroys at retire() what a running answer needs.
#include <sluice/module.h>

#include <algorithm>
#include <string>

struct Bad;
struct Reading : sluice::Body {
  explicit Reading(Bad& bad) : bad_(bad) {}
  sluice::Progress pump(sluice::Sink& sink) override;
  Bad& bad_;
  std::uint64_t left_ = 2'000'000;
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.stream(2'000'000, new Reading(*this)); }
  void retire() override { content_.clear(); }
  std::string content_ = std::string(100'000, 'x');
};
sluice::Progress Reading::pump(sluice::Sink& sink) {
  if (bad_.content_.empty()) return sluice::Progress::failed;
  const sluice::Bytes piece(bad_.content_.data(), std::min<std::uint64_t>(left_, bad_.content_.size()));
  left_ -= sink.write(&piece, 1).size;
  return left_ == 0 ? sluice::Progress::done : sluice::Progress::more;
}

SLUICE_MODULE(Bad, .name = "forgets_at_retire", .version = "1.0.0", .summary = "Retires too early",
              .default_mount = "/forgets_at_retire/");
