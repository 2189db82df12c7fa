// The common part of both versions of a module. Its handler answers with its version: at once, or below
// /later after a while.
#pragma once

#include <sluice/module.h>

#include <string_view>

namespace swapped {

template <typename Version>
class Later final : public sluice::Task, public sluice::Timer {
 public:
  Later(sluice::Host& host, sluice::Ticket ticket)
      : host_(host), ticket_(ticket), timer_(host.timer(400, *this)) {}
  ~Later() override {
    if (timer_.value != 0) host_.cancel(timer_);
  }
  void fired() override {
    timer_ = sluice::TimerId{};
    host_.resume(ticket_);
  }
  void resumed(sluice::Exchange& exchange) override { exchange.send(std::string_view(Version::kAnswer)); }

 private:
  sluice::Host& host_;
  sluice::Ticket ticket_;
  sluice::TimerId timer_;
};

template <typename Version>
class Swapped : public sluice::Handler {
 public:
  explicit Swapped(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    if (std::string_view(exchange.request().path) == "later")
      return exchange.defer(new Later<Version>(host_, exchange.ticket()));
    exchange.send(std::string_view(Version::kAnswer));
  }

 private:
  sluice::Host& host_;
};

}  // namespace swapped
