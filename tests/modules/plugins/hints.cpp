// Says early what the client may fetch, and sends trailers behind its content: "/hints/" without a declared
// size,
// "/hints/sized" with one, where no trailer can be sent.
#include <sluice/module.h>

#include <string>
#include <string_view>

namespace {

class Counted final : public sluice::Body {
 public:
  explicit Counted(std::string content) : content_(std::move(content)) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Bytes rest(std::string_view(content_).substr(sent_));
    sent_ += sink.write(&rest, 1).size;
    if (sent_ < content_.size()) return sluice::Progress::more;
    const bool taken = sink.trailer("X-Size", std::to_string(sent_));
    const bool refused = !sink.trailer("Content-Length", "5") && !sink.trailer("X-Bad", "two\nlines");
    if (taken && refused) sink.trailer("X-Refused", "framing");
    return sluice::Progress::done;
  }

 private:
  std::string content_;
  std::size_t sent_ = 0;
};

class Hints final : public sluice::Handler {
 public:
  explicit Hints(sluice::Host& host) : host_(host) {
    sluice::Field line;
    line.name = "Link";
    line.value = "</style.css>; rel=preload; as=style";
    lines_ = host.prepare_fields(&line, 1);
  }
  ~Hints() override { host_.release_fields(lines_); }

  void handle(sluice::Exchange& exchange) override {
    exchange.field("X-Hinted", exchange.early_hints(*lines_) ? "yes" : "no");
    const std::string content(30'000, 'x');
    const bool is_sized = std::string_view(exchange.request().path) == "sized";
    exchange.stream(is_sized ? content.size() : sluice::kUnknownSize, new Counted(content));
  }

 private:
  sluice::Host& host_;
  sluice::FieldBlock* lines_;
};

}  // namespace

SLUICE_MODULE(Hints, .name = "hints", .version = "1.0", .summary = "Sends early hints and trailers",
              .default_mount = "/hints/");
