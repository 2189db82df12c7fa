// The loop and the Host of rig.h.
#pragma once

#include <sluice/handler.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::kit {

using RigOptions = std::map<std::string, std::string>;

namespace detail {

// As a FieldBlock, which the interface does not define.
struct RigBlock {
  std::vector<std::pair<std::string, std::string>> lines;
};

class RigLoop {
 public:
  RigLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~RigLoop() { ::close(epoll_); }
  RigLoop(const RigLoop&) = delete;
  RigLoop& operator=(const RigLoop&) = delete;

  void begin_request() { turns_ = waits_ = 0; }
  // Does what can be done now, or waits for it. False if nothing is awaited. Throws std::logic_error if a
  // request takes too many turns, as with a periodic timer that answers nothing.
  bool turn() {
    if (++turns_ > kTurnsMax || waits_ > kWaitsMax)
      throw std::logic_error("the handler has timers or descriptors, and has not answered after " +
                             std::to_string(turns_) + " turns of the loop");
    if (run_work() || fire(now_ms())) return true;
    if (watches_.empty()) {
      if (timers_.empty()) return false;
      ahead_ms_ += timers_.begin()->first.first - now_ms();  // the clock runs ahead
      return fire(now_ms());
    }
    epoll_event event{};
    if (::epoll_wait(epoll_, &event, 1, kWaitMs) == 1) {
      const auto found = watches_.find(event.data.fd);
      if (found != watches_.end()) found->second->ready(event.events);
    } else {
      ++waits_;
    }
    return true;
  }
  void finish_works() {
    while (run_work()) {
    }
  }
  std::uint64_t now_ms() const {
    using namespace std::chrono;
    const auto real = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    return static_cast<std::uint64_t>(real) + ahead_ms_;
  }

  bool watch(int fd, std::uint32_t events, Watcher& watcher) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
    watches_[fd] = &watcher;
    return true;
  }
  void unwatch(int fd) {
    if (watches_.erase(fd) != 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  }
  TimerId start(std::uint64_t delay_ms, std::uint64_t period_ms, Timer& timer) {
    const std::uint64_t id = ++last_timer_;
    timers_[{now_ms() + delay_ms, id}] = {&timer, period_ms};
    return {id};
  }
  void cancel(TimerId timer) {
    std::erase_if(timers_, [&](const auto& one) { return one.first.second == timer.value; });
  }
  void offload(Work* work) { works_.emplace_back(work); }
  void resume(Ticket ticket) { resumed_.insert(ticket.value); }
  bool take_resumed(Ticket ticket) { return resumed_.erase(ticket.value) != 0; }
  Ticket next_ticket() { return {++last_ticket_}; }
  std::uint32_t counter(const std::string& name) {
    for (std::uint32_t i = 0; i < counters_.size(); ++i) {
      if (counters_[i].first == name) return i;
    }
    counters_.emplace_back(name, 0);
    return static_cast<std::uint32_t>(counters_.size() - 1);
  }
  void count(std::uint32_t counter, std::uint64_t by) { counters_.at(counter).second += by; }
  std::uint64_t counted(const std::string& name) const {
    for (const auto& [known, count] : counters_) {
      if (known == name) return count;
    }
    return 0;
  }

  std::vector<std::string> log;
  std::map<std::string, std::uint64_t> shared_numbers;
  std::map<std::string, std::uint64_t> claims;

 private:
  static constexpr int kWaitMs = 10;
  static constexpr unsigned kWaitsMax = 6'000;  // a minute
  static constexpr unsigned kTurnsMax = 100'000;
  struct Alarm {
    Timer* timer;
    std::uint64_t period_ms;
  };

  bool run_work() {
    if (works_.empty()) return false;
    const std::unique_ptr<Work> work = std::move(works_.front());
    works_.pop_front();
    std::thread([&] { work->run(); }).join();
    work->done(true);
    return true;
  }
  bool fire(std::uint64_t now) {
    if (timers_.empty() || timers_.begin()->first.first > now) return false;
    const auto [due, alarm] = *timers_.begin();
    timers_.erase(timers_.begin());
    if (alarm.period_ms > 0) timers_[{now + alarm.period_ms, due.second}] = alarm;
    alarm.timer->fired();
    return true;
  }

  const int epoll_;
  unsigned turns_ = 0;  // of this request
  unsigned waits_ = 0;  // in which nothing came
  std::uint64_t ahead_ms_ = 0;
  std::map<int, Watcher*> watches_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Alarm> timers_;  // by due time and number
  std::uint64_t last_timer_ = 0;
  std::deque<std::unique_ptr<Work>> works_;
  std::set<std::uint64_t> resumed_;
  std::uint64_t last_ticket_ = 0;
  std::vector<std::pair<std::string, std::uint64_t>> counters_;
};

// An option's value as the server reads it: by its type. Throws std::runtime_error for what it refuses.
class RigNumber {
 public:
  // `is_given`: not the module's fallback, in which a duration may have no unit.
  RigNumber(const OptionInfo& option, std::string_view text, bool is_given)
      : option_(option), text_(text), is_given_(is_given) {}

  std::uint64_t read() const {
    switch (option_.type) {
      case OptionType::text:
      case OptionType::list:
        return 0;
      case OptionType::number:
        return scaled({{"", 1}});
      case OptionType::size:
        return scaled({{"", 1},
                       {"k", 1ULL << 10},
                       {"K", 1ULL << 10},
                       {"m", 1ULL << 20},
                       {"M", 1ULL << 20},
                       {"g", 1ULL << 30},
                       {"G", 1ULL << 30}});
      case OptionType::duration_ms:
        if (text_ == "0") return 0;
        if (!is_given_ && text_.find_first_not_of("0123456789") == std::string_view::npos)
          return scaled({{"", 1}});
        return scaled({{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});
      case OptionType::flag:
        if (text_ == "on" || text_ == "true" || text_ == "yes" || text_ == "1") return 1;
        if (text_ == "off" || text_ == "false" || text_ == "no" || text_ == "0") return 0;
        refuse("is no flag: write on or off");
      case OptionType::choice:
        return choice();
    }
    return 0;
  }

 private:
  using Units = std::map<std::string_view, std::uint64_t>;

  [[noreturn]] void refuse(const char* why) const {
    throw std::runtime_error("option " + std::string(option_.name) + ": '" + std::string(text_) + "' " + why);
  }
  std::uint64_t scaled(const Units& units) const {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    if (error != std::errc()) refuse("is no number: write digits");
    const auto unit = units.find(text_.substr(static_cast<std::size_t>(end - text_.data())));
    if (unit == units.end()) refuse("has no unit of its option: write 64k for a size, 20ms for a time");
    if (number > ~std::uint64_t{0} / unit->second) refuse("is too large: write a lower number");
    return number * unit->second;
  }
  std::uint64_t choice() const {
    std::string_view left = option_.choices == nullptr ? "" : option_.choices;
    for (std::uint64_t index = 0; !left.empty(); ++index) {
      const std::string_view one = left.substr(0, left.find('|'));
      left.remove_prefix(std::min(left.size(), one.size() + 1));
      if (one == text_ && !one.empty()) return index;
    }
    refuse("is not among its choices");
  }

  const OptionInfo& option_;
  const std::string_view text_;
  const bool is_given_;
};

class RigHost final : public Host {
 public:
  RigHost(RigLoop& loop, std::string mount, RigOptions options, std::map<std::string, std::uint64_t> numbers)
      : loop_(loop), mount_(std::move(mount)), options_(std::move(options)), numbers_(std::move(numbers)) {}
  void set_shared(Shared* shared) { shared_ = shared; }

  std::string rejection;

  Bytes mount() const override { return mount_; }
  Folder folder() const override { return {}; }
  Bytes option(Bytes name) const override {
    const auto found = options_.find(text(name));
    return found == options_.end() ? Bytes() : Bytes(found->second);
  }
  std::uint64_t number(Bytes name) const override {
    const auto found = numbers_.find(text(name));
    return found == numbers_.end() ? 0 : found->second;
  }
  Shared* shared() const override { return shared_; }
  void reject(Bytes why) override { rejection = text(why); }
  void log(LogLevel, Bytes message) override { loop_.log.push_back(text(message)); }
  std::uint64_t now_ms() const override { return loop_.now_ms(); }
  bool watch(int fd, std::uint32_t events, Watcher& watcher) override {
    return loop_.watch(fd, events, watcher);
  }
  void unwatch(int fd) override { loop_.unwatch(fd); }
  TimerId timer(std::uint64_t delay_ms, Timer& timer) override { return loop_.start(delay_ms, 0, timer); }
  TimerId every(std::uint64_t period_ms, Timer& timer) override {
    return loop_.start(period_ms, period_ms == 0 ? 1 : period_ms, timer);
  }
  void cancel(TimerId timer) override { loop_.cancel(timer); }
  bool offload(Work* work) override {
    loop_.offload(work);
    return true;
  }
  void resume(Ticket ticket) override { loop_.resume(ticket); }
  void hold() override {}
  void release() override {}
  std::uint32_t counter(Bytes name) override { return loop_.counter(text(name)); }
  void count(std::uint32_t counter, std::uint64_t by) override { loop_.count(counter, by); }
  FieldBlock* prepare_fields(const Field* fields, std::uint32_t count) override {
    auto block = std::make_unique<RigBlock>();
    for (std::uint32_t i = 0; i < count; ++i)
      block->lines.emplace_back(text(fields[i].name), text(fields[i].value));
    return reinterpret_cast<FieldBlock*>(block.release());
  }
  void release_fields(FieldBlock* block) override { delete reinterpret_cast<RigBlock*>(block); }
  bool ask(Bytes, Answered&) override { return false; }
  std::uint64_t shared_number(Bytes name) override { return loop_.shared_numbers[text(name)]; }
  Changed change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) override {
    std::uint64_t& number = loop_.shared_numbers[text(name)];
    if (number != from) return Changed::differs;
    number = to;
    return Changed::yes;
  }
  std::uint64_t add_shared_number(Bytes name, std::uint64_t by) override {
    return loop_.shared_numbers[text(name)] += by;
  }
  bool claim(Bytes name, std::uint32_t max) override {
    std::uint64_t& claimed = loop_.claims[text(name)];
    if (claimed >= max) return false;
    ++claimed;
    return true;
  }
  void give_back(Bytes name) override {
    std::uint64_t& claimed = loop_.claims[text(name)];
    if (claimed == 0) throw std::logic_error("the handler gave back what it had not claimed");
    --claimed;
  }
  std::uint64_t claims(Bytes name) override { return loop_.claims[text(name)]; }

 private:
  static std::string text(Bytes bytes) { return std::string(std::string_view(bytes)); }

  RigLoop& loop_;
  const std::string mount_;
  const RigOptions options_;
  const std::map<std::string, std::uint64_t> numbers_;
  Shared* shared_ = nullptr;
};

}  // namespace detail
}  // namespace sluice::kit
