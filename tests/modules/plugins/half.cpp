// Writes the first half of its answers, and then waits for ever.
#include <sluice/module.h>

#include <string>

namespace {

constexpr std::size_t kHalf = 10'000;

class HalfBody : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    while (!half_.empty()) {
      const sluice::Bytes piece(half_);
      const sluice::Moved moved = sink.write(&piece, 1);
      half_.erase(0, moved.size);
      if (moved.status != sluice::Io::ok) return sluice::Progress::more;
    }
    return sluice::Progress::parked;
  }

 private:
  std::string half_ = std::string(kHalf, 'x');
};

class Half : public sluice::Handler {
 public:
  explicit Half(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.stream(2 * kHalf, new HalfBody); }
};

}  // namespace

SLUICE_MODULE(Half, .name = "half", .version = "1.0.0", .summary = "Never goes on with its second half",
              .default_mount = "/half/");
