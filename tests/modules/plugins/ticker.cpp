// Streams lines at intervals: below /timer by Host::timer, below /fd by a timerfd that it watches. The query
// gives their number.
#include <sluice/module.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

class Ticks : public sluice::Body {
 public:
  Ticks(sluice::Host& host, sluice::Ticket ticket, unsigned count)
      : host_(host), ticket_(ticket), left_(count) {}
  sluice::Progress pump(sluice::Sink& sink) override {
    while (!pending_.empty()) {
      const sluice::Bytes piece(pending_);
      const sluice::Moved moved = sink.write(&piece, 1);
      if (moved.status == sluice::Io::lost) return sluice::Progress::failed;
      pending_.erase(0, moved.size);
      if (!pending_.empty()) return sluice::Progress::more;
    }
    return left_ == 0 ? sluice::Progress::done : sluice::Progress::parked;
  }

 protected:
  void tick() {
    if (left_ == 0) return;
    --left_;
    pending_ += "tick " + std::to_string(++ticks_) + "\n";
    host_.resume(ticket_);
  }
  bool over() const { return left_ == 0; }

  sluice::Host& host_;

 private:
  sluice::Ticket ticket_;
  unsigned left_;
  unsigned ticks_ = 0;
  std::string pending_;
};

class TimerTicks final : public Ticks, public sluice::Timer {
 public:
  TimerTicks(sluice::Host& host, sluice::Ticket ticket, unsigned count, std::uint64_t every_ms)
      : Ticks(host, ticket, count), every_ms_(every_ms), timer_(host.timer(every_ms, *this)) {}
  ~TimerTicks() override {
    if (timer_.value != 0) host_.cancel(timer_);
  }
  void fired() override {
    timer_ = sluice::TimerId{};
    tick();
    if (!over()) timer_ = host_.timer(every_ms_, *this);
  }

 private:
  std::uint64_t every_ms_;
  sluice::TimerId timer_;
};

class WatchTicks final : public Ticks, public sluice::Watcher {
 public:
  WatchTicks(sluice::Host& host, sluice::Ticket ticket, unsigned count, std::uint64_t every_ms)
      : Ticks(host, ticket, count), fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    const timespec interval{static_cast<time_t>(every_ms / 1000),
                            static_cast<long>(every_ms % 1000) * 1'000'000};
    const itimerspec spec{interval, interval};
    ::timerfd_settime(fd_, 0, &spec, nullptr);
    host.watch(fd_, EPOLLIN, *this);
  }
  ~WatchTicks() override {
    host_.unwatch(fd_);
    ::close(fd_);
  }
  void ready(std::uint32_t) override {
    std::uint64_t times = 0;
    if (::read(fd_, &times, sizeof(times)) == static_cast<ssize_t>(sizeof(times))) tick();
  }

 private:
  int fd_;
};

class Ticker : public sluice::Handler {
 public:
  explicit Ticker(sluice::Host& host) : host_(host), every_ms_(host.number("every")) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string query(std::string_view(exchange.request().query));
    const auto count = static_cast<unsigned>(std::strtoul(query.c_str(), nullptr, 10));
    const sluice::Ticket ticket = exchange.ticket();
    exchange.field("Content-Type", "text/plain");
    if (std::string_view(exchange.request().path) == "fd") {
      exchange.stream(sluice::kUnknownSize, new WatchTicks(host_, ticket, count, every_ms_));
    } else {
      exchange.stream(sluice::kUnknownSize, new TimerTicks(host_, ticket, count, every_ms_));
    }
  }

 private:
  sluice::Host& host_;
  std::uint64_t every_ms_;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"every", sluice::OptionType::duration_ms, 0, "20ms", "between two lines", nullptr},
};

}  // namespace

SLUICE_MODULE(Ticker, .name = "ticker", .version = "1.0.0", .summary = "Streams lines at intervals",
              .default_mount = "/ticker/", .options = kOptions, .option_count = 1);
