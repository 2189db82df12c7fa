// Leaks at each request; at /left only when the client leaves.
#include <sluice/module.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

struct Leaving : sluice::Body {
  ~Leaving() override {
    if (!done_) *static_cast<volatile char*>(std::malloc(100)) = 1;
  }
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Moved moved = sink.write(&bytes_, 1);
    bytes_ = {bytes_.data + moved.size, bytes_.size - moved.size};
    done_ = bytes_.size == 0;
    return done_ ? sluice::Progress::done : sluice::Progress::more;
  }
  std::string content_ = std::string(1'000'000, 'x');
  sluice::Bytes bytes_ = content_;
  bool done_ = false;
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) : option_(host.option("what")) {}
  void handle(sluice::Exchange& exchange) override {
    if (option_ == "cancelled") return exchange.stream(1'000'000, new Leaving);
    if (option_ == "memory") *static_cast<volatile char*>(std::malloc(100)) = 1;
    if (option_ == "descriptor") ::dup(0);
    exchange.send("x");
  }
  std::string option_;
};
constexpr sluice::OptionInfo kOptions[] = {
    {"what", sluice::OptionType::text, 0, "memory", "to leave", nullptr}};

SLUICE_MODULE(Bad, .name = "leaks_when_asked", .version = "1.0.0", .summary = "Leaves things behind",
              .default_mount = "/leaks_when_asked/", .options = kOptions, .option_count = 1);
