// Gives up in the middle of its body. Its size is declared, but not below /chunked. Below /page it sends the
// server's own page with fields of the handler.
#include <sluice/module.h>

#include <string_view>

namespace {

class FailingBody : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    if (begun_) return sluice::Progress::failed;
    begun_ = true;
    const sluice::Bytes piece("the first part");
    sink.write(&piece, 1);
    return sluice::Progress::more;
  }

 private:
  bool begun_ = false;
};

class Fails : public sluice::Handler {
 public:
  explicit Fails(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    if (path == "page") {
      exchange.field("Content-Type", "text/plain");
      exchange.field("X-Kept", "yes");
      return exchange.fail(409);
    }
    const bool chunked = path == "chunked";
    exchange.stream(chunked ? sluice::kUnknownSize : 1000, new FailingBody);
  }
};

}  // namespace

SLUICE_MODULE(Fails, .name = "fails", .version = "1.0.0", .summary = "Gives up in mid-body",
              .default_mount = "/fails/");
