// Takes connections over: "echo" gets back what it says in capital letters, and "bye" ends it. Other paths tell
// what became of them, who asks, and how often a periodic timer has fired.
#include <sluice/module.h>

#include <cctype>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace {

// A tunnel's bytes on their way back. Its reader and its body share it.
struct Line {
  sluice::Host& host;
  std::set<Line*>& open;
  sluice::Ticket ticket{};
  std::string waiting{};
  bool drops = false;  // says "." for each piece
  bool done = false;
  bool paused = false;  // the reader has left bytes

  Line(sluice::Host& of, std::set<Line*>& lines) : host(of), open(lines) { open.insert(this); }
  ~Line() { open.erase(this); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  void say(std::string_view text) {
    waiting += text;
    host.resume(ticket);
  }
};

class Listens final : public sluice::Reader {
 public:
  explicit Listens(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  std::uint64_t take(sluice::Bytes piece) override {
    constexpr std::size_t kWaitingMax = 64 * 1024;
    std::string_view text = piece;
    line_->paused = line_->waiting.size() >= kWaitingMax;
    if (line_->paused) return 0;
    if (line_->drops) {
      line_->say(".");
      return text.size();
    }
    for (const char c : text) line_->waiting += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    line_->done = line_->done || text.find("bye") != std::string_view::npos;
    line_->say("");
    return text.size();
  }
  void end() override {
    line_->done = true;
    line_->say("the end\n");
  }

 private:
  std::shared_ptr<Line> line_;
};

class Speaks final : public sluice::Body {
 public:
  explicit Speaks(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Bytes piece(line_->waiting);
    line_->waiting.erase(0, sink.write(&piece, 1).size);
    if (!line_->waiting.empty()) return sluice::Progress::more;
    if (line_->done) return sluice::Progress::done;
    if (std::exchange(line_->paused, false)) line_->host.resume(line_->ticket);
    return sluice::Progress::parked;
  }

 private:
  std::shared_ptr<Line> line_;
};

class Tunnel final : public sluice::Handler, private sluice::Timer {
 public:
  explicit Tunnel(sluice::Host& host) : host_(host) { ticking_ = host.every(5, *this); }

  void handle(sluice::Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    if (path == "last") return exchange.send(last_);
    if (path == "peer") return tell_peer(exchange);
    if (path == "ticks") return exchange.send(std::to_string(ticks_));
    if (path == "hello") return exchange.send("hello");
    auto line = std::make_shared<Line>(host_, lines_);
    line->ticket = exchange.ticket();
    line->drops = path == "drops";
    exchange.tell_end();
    if (path == "twice") {
      exchange.upgrade("echo", new Listens(line), new Speaks(line));
      exchange.upgrade("another-protocol-with-a-long-name", new Listens(line), new Speaks(line));
    }
    if (path != "silent") exchange.field("Says", "so");
    if (exchange.upgrade("echo", new Listens(line), new Speaks(line))) return;
    if (path == "twice") return;
    exchange.field("Vary", "Upgrade");
    exchange.fail(426);
  }
  void ended(sluice::Exchange& exchange, const sluice::Outcome& outcome) override {
    last_ = std::string(std::string_view(exchange.request().path)) + ' ' + std::to_string(outcome.status) +
            ' ' + std::to_string(outcome.sent) + ' ' + std::to_string(static_cast<unsigned>(outcome.ending));
  }
  void leaving(sluice::Leaving) override {
    host_.cancel(ticking_);
    for (Line* line : lines_) {
      line->done = true;
      line->say("leaving\n");
    }
  }

 private:
  void fired() override { ++ticks_; }
  void tell_peer(sluice::Exchange& exchange) {
    const sluice::Peer& peer = exchange.peer();
    std::string text = "from";
    for (const char byte : std::string_view(peer.address))
      text += ' ' + std::to_string(static_cast<unsigned char>(byte));
    text += peer.port > 0 ? " port" : " no port";
    text +=
        " tls " + std::to_string(peer.tls_version) + " name " + std::string(std::string_view(peer.server_name));
    text += " subject " + std::string(std::string_view(peer.certificate_subject)) + " fingerprint " +
            std::string(std::string_view(peer.certificate_fingerprint));
    exchange.send(text);
  }

  sluice::Host& host_;
  std::set<Line*> lines_;
  std::string last_ = "nothing";
  unsigned ticks_ = 0;
  sluice::TimerId ticking_{};
};

}  // namespace

SLUICE_MODULE(Tunnel, .name = "tunnel", .version = "1.0.0", .summary = "Takes connections over",
              .default_mount = "/tunnel/");
