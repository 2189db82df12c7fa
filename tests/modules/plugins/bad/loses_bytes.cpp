// Makes new bytes when it should offer those again that the sink did not take.
#include <sluice/module.h>

#include <algorithm>
#include <string>

struct Losing : sluice::Body {
  sluice::Progress pump(sluice::Sink& sink) override {
    const std::string made(std::min<std::uint64_t>(left_, 10'000), static_cast<char>('a' + calls_++ % 26));
    const sluice::Bytes piece(made);
    left_ -= sink.write(&piece, 1).size;
    return left_ == 0 ? sluice::Progress::done : sluice::Progress::more;
  }
  std::uint64_t left_ = 100'000;
  unsigned calls_ = 0;
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.stream(100'000, new Losing); }
};

SLUICE_MODULE(Bad, .name = "loses_bytes", .version = "1.0.0", .summary = "Depends on the client's pace",
              .default_mount = "/loses_bytes/");
