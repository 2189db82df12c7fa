// The events of the live page: the server's status once a second, from one question for all who watch, and only
// while somebody does. The loop's thread.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/events.h>

#include <string_view>
#include <utility>

namespace sluice::status {

class LiveFeed final : private Timer, private Answered {
 public:
  static constexpr std::uint64_t kPeriodMs = 1'000;
  static constexpr std::size_t kWatchersMax = 100;

  explicit LiveFeed(Host& host)
      : host_(host), channel_(host, {.events_kept = 1, .bytes_kept = 0, .clients_max = kWatchersMax}) {}
  ~LiveFeed() { stop(); }
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  void watch(Exchange& exchange) {
    channel_.subscribe(exchange);
    if (timer_.value != 0 || channel_.clients() == 0) return;  // a closed channel has none
    timer_ = host_.every(kPeriodMs, *this);
    ask();
  }
  // Watchers connect again: to the handler, or the worker, that takes this one's place.
  void close() {
    stop();
    channel_.close();
  }

 private:
  void fired() override {
    if (channel_.clients() == 0) return stop();
    ask();
  }
  void ask() {
    if (!is_asked_) is_asked_ = host_.ask("status", *this);
  }
  void answered(bool known, Bytes text) override {
    is_asked_ = false;
    const std::string_view json = text;
    if (known) channel_.publish(json.substr(0, json.find_last_not_of('\n') + 1));
  }
  void stop() {
    if (timer_.value != 0) host_.cancel(std::exchange(timer_, {}));
  }

  Host& host_;
  kit::EventChannel channel_;
  TimerId timer_;
  bool is_asked_ = false;
};

}  // namespace sluice::status
