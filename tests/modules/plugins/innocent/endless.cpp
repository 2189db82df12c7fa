// A stream that never ends. By default it sends nothing; at /events it sends something now and then, and at
// /flood as much as the client takes.
#include <sluice/module.h>

#include <string_view>

namespace {

constexpr std::string_view kEvent = "data: something\n\n";
constexpr std::uint64_t kEveryMs = 20;
constexpr int kEventsMax = 1000;  // in one pump

class Stream : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink&) override { return sluice::Progress::parked; }

 protected:
  sluice::Io say(sluice::Sink& sink) {
    const sluice::Bytes event(kEvent);
    const sluice::Bytes left{event.data + said_, event.size - said_};
    const sluice::Moved moved = sink.write(&left, 1);
    said_ = (said_ + moved.size) % kEvent.size();
    return moved.status;
  }

 private:
  std::size_t said_ = 0;
};

class Flood final : public Stream {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    for (int i = 0; i < kEventsMax && sink.room() > 0; ++i) {
      const sluice::Io status = say(sink);
      if (status == sluice::Io::lost) return sluice::Progress::failed;
      if (status == sluice::Io::full) break;
    }
    return sluice::Progress::more;
  }
};

class Events final : public Stream, private sluice::Timer {
 public:
  Events(sluice::Host& host, sluice::Ticket ticket) : host_(host), ticket_(ticket) {}
  ~Events() override {
    if (timer_.value != 0) host_.cancel(timer_);
  }
  sluice::Progress pump(sluice::Sink& sink) override {
    if (due_) {
      const sluice::Io status = say(sink);
      if (status == sluice::Io::lost) return sluice::Progress::failed;
      if (status == sluice::Io::full) return sluice::Progress::more;
      due_ = false;
    }
    if (timer_.value == 0) timer_ = host_.timer(kEveryMs, *this);
    return sluice::Progress::parked;
  }

 private:
  void fired() override {
    timer_ = sluice::TimerId{};
    due_ = true;
    host_.resume(ticket_);
  }

  sluice::Host& host_;
  sluice::Ticket ticket_;
  sluice::TimerId timer_{};
  bool due_ = false;
};

class Endless : public sluice::Handler {
 public:
  explicit Endless(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.field("Content-Type", "text/event-stream");
    const std::string_view path = exchange.request().path;
    if (path == "events") return exchange.stream(sluice::kUnknownSize, new Events(host_, exchange.ticket()));
    if (path == "flood") return exchange.stream(sluice::kUnknownSize, new Flood);
    exchange.stream(sluice::kUnknownSize, new Stream);
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Endless, .name = "endless", .version = "1.0.0", .summary = "Streams without end",
              .default_mount = "/endless/");
