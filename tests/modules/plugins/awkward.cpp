// Ends or waits in unusual ways. The path chooses: "large" answers with as many bytes as the query says;
// "stream" and "file" write a piece and park for ever; "failed" and "threw" give up before they have written
// anything, "late" after a piece; "page" calls fail with the status in the query; "paused" answers and takes
// nothing of the request's body; "deferred" never answers.
#include <sluice/module.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

class Parks final : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    if (begun_) return sluice::Progress::parked;
    begun_ = true;
    const sluice::Bytes piece("a piece");
    sink.write(&piece, 1);
    return sluice::Progress::parked;
  }

 private:
  bool begun_ = false;
};

class GivesUp final : public sluice::Body {
 public:
  GivesUp(bool throws, bool writes) : throws_(throws), writes_(writes) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Bytes piece("a piece");
    if (std::exchange(writes_, false)) {
      sink.write(&piece, 1);
      return sluice::Progress::more;
    }
    if (throws_) throw std::runtime_error("thrown before the first byte");
    return sluice::Progress::failed;
  }

 private:
  bool throws_;
  bool writes_;
};

class TakesNothing final : public sluice::Reader {
 public:
  std::uint64_t take(sluice::Bytes) override { return 0; }
  void end() override {}
};

class NeverAnswers final : public sluice::Task {
 public:
  void resumed(sluice::Exchange&) override {}
};

class Awkward final : public sluice::Handler {
 public:
  explicit Awkward(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    const std::string query(std::string_view(exchange.request().query));
    const auto number = std::strtoul(query.c_str(), nullptr, 10);
    if (path == "large") return exchange.send(std::string(number, 'x'));
    if (path == "page") return exchange.fail(static_cast<std::uint32_t>(number));
    if (path == "stream") return exchange.stream(sluice::kUnknownSize, new Parks);
    if (path == "file") return exchange.stream(1000, new Parks);
    if (path == "deferred") return exchange.defer(new NeverAnswers);
    if (path == "paused") {
      exchange.receive(new TakesNothing);
      return exchange.send("answered");
    }
    exchange.field("X-Of", "the answer that failed");
    exchange.stream(query == "chunked" ? sluice::kUnknownSize : 1000,
                    new GivesUp(path == "threw", path == "late"));
  }
};

}  // namespace

SLUICE_MODULE(Awkward, .name = "awkward", .version = "1.0.0", .summary = "Ends or waits in unusual ways",
              .default_mount = "/awkward/");
