// The server's side of the module interface, for tests: a small loop with watches, timers and offload
// threads, and the Host that modules and their parts use. It uses nothing of core/.
//
// Everything belongs to the thread that made it, except what an offload thread runs. A module's breaches of
// the contract are noted in `violations`. A FakeServer that ends with any of them aborts the test.
//
// INVARIANT: a Work that was accepted gets one done() on the loop, and is then destroyed.
#pragma once

#include <sluice/handler.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::test {

inline std::string copy(Bytes bytes) {
  return {bytes.data, bytes.size};
}

// A FakeHost's type of FieldBlock. It has another name, since the server's own may be in the same program.
struct FakeFieldBlock {
  std::vector<std::pair<std::string, std::string>> lines;
  static const FakeFieldBlock& of(const FieldBlock& block) {
    return reinterpret_cast<const FakeFieldBlock&>(block);
  }
};

class FakeHost;

// Something that the loop drives each turn: an exchange.
class Driven {
 public:
  virtual ~Driven() = default;
  virtual void drive() = 0;
  virtual void resume() = 0;
  virtual bool is_runnable() const = 0;  // without waiting for an event
};

class FakeServer {
 public:
  FakeServer();
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  // One turn of the loop: waits for at most `wait_ms`, then handles what is ready.
  void turn(int wait_ms = 1);
  // Turns until `ready`, for at most `limit_ms` of real time. Returns whether it became ready.
  bool run_until(const std::function<bool()>& ready, int limit_ms = 10'000);
  // Whether no work is queued, running or waiting for its done().
  bool offload_idle() const { return works_out_ == 0; }

  // What tests set.
  void advance_clock(std::uint64_t ms) { clock_skew_ms_ += ms; }
  unsigned refuse_offloads = 0;  // how many of the next works are refused, as if the queue were full
  bool expire_offloads = false;  // done(false) without run(), as after waiting for too long
  void pause_offload(bool paused);
  // The questions that are answered, each in the next turn; others are refused.
  std::map<std::string, std::string> answers;
  bool withhold_answers = false;  // none of them is answered until this is false again
  bool expire_questions = false;  // answered(false)

  // What tests look at.
  std::vector<std::string> violations;
  std::vector<std::pair<LogLevel, std::string>> logs;
  std::map<std::string, std::uint64_t> counters;
  std::map<std::string, std::uint64_t> shared_numbers;
  std::map<std::string, std::uint64_t> claims;
  std::uint64_t works_offered = 0;
  std::vector<std::string> questions;  // asked, also those that were refused
  std::uint64_t longest_call_us = 0;   // of all calls into the module
  std::int64_t field_blocks_out = 0;

  // Set by tests: called in place of each call into the module, which is its second parameter.
  std::function<void(std::string_view what, const std::function<void()>& enter)> around_call;
  // Calls the module, measures the time, and notes what it throws.
  void call(const char* what, const std::function<void()>& enter);
  void violation(const std::string& what) { violations.push_back(what); }

  Ticket add(Driven& driven);
  void remove(Ticket ticket) { driven_.erase(ticket.value); }
  std::uint64_t now_ms() const { return now_ms_; }

 private:
  friend class FakeHost;
  struct Watch {
    FakeHost* host;
    Watcher* watcher;
  };
  struct Alarm {
    FakeHost* host;
    std::uint64_t id;
    Timer* timer;
    std::uint64_t period_ms;  // 0: fires once
  };
  struct Question {
    FakeHost* host;
    Answered* to;
    std::string question;
  };
  struct Item {
    FakeHost* host;
    std::unique_ptr<Work> work;
    bool ran = false;
  };

  void run_thread();
  void give_back_works();
  void fire_timers();
  void answer_questions();
  void read_clock();
  void check_thread();

  const std::thread::id loop_thread_ = std::this_thread::get_id();
  std::uint64_t now_ms_ = 0;
  std::uint64_t clock_skew_ms_ = 0;
  int epoll_fd_;
  int event_fd_;
  std::map<int, Watch> watches_;
  std::multimap<std::uint64_t, Alarm> alarms_;
  std::uint64_t last_timer_ = 0;
  std::vector<Question> asked_;
  std::map<std::uint64_t, Driven*> driven_;
  std::uint64_t last_ticket_ = 0;
  std::vector<std::uint64_t> resumed_;
  std::size_t works_out_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wanted_;
  std::deque<Item> queue_;
  std::deque<Item> finished_;
  bool paused_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// The parameters of a handler's, or a Shared's, Host.
struct HostPlan {
  std::string mount;
  int folder_fd = -1;
  std::string folder_path;
  std::map<std::string, std::string> options;  // has a value for every option
  Shared* shared = nullptr;
};

class FakeHost final : public Host {
 public:
  FakeHost(FakeServer& server, HostPlan plan) : plan(std::move(plan)), server_(server) {}
  ~FakeHost();

  HostPlan plan;
  std::string rejection;
  std::int64_t holds = 0;
  bool creating = false;

  Bytes mount() const override { return plan.mount; }
  Folder folder() const override;
  Bytes option(Bytes name) const override;
  std::uint64_t number(Bytes name) const override;
  Shared* shared() const override { return plan.shared; }
  void reject(Bytes why) override;
  void log(LogLevel level, Bytes message) override;
  std::uint64_t now_ms() const override { return server_.now_ms_; }
  bool watch(int fd, std::uint32_t epoll_events, Watcher& watcher) override;
  void unwatch(int fd) override;
  TimerId timer(std::uint64_t delay_ms, Timer& timer) override;
  void cancel(TimerId timer) override;
  bool offload(Work* work) override;
  void resume(Ticket ticket) override;
  void hold() override;
  void release() override;
  std::uint32_t counter(Bytes name) override;
  void count(std::uint32_t counter, std::uint64_t by) override;
  FieldBlock* prepare_fields(const Field* fields, std::uint32_t count) override;
  void release_fields(FieldBlock* block) override;
  TimerId every(std::uint64_t period_ms, Timer& timer) override;
  bool ask(Bytes question, Answered& to) override;
  std::uint64_t shared_number(Bytes name) override;
  Changed change_shared_number(Bytes name, std::uint64_t from, std::uint64_t to) override;
  std::uint64_t add_shared_number(Bytes name, std::uint64_t by) override;
  bool claim(Bytes name, std::uint32_t max) override;
  void give_back(Bytes name) override;
  std::uint64_t claims(Bytes name) override;

 private:
  FakeServer& server_;
  std::vector<std::string> counter_names_;
};

}  // namespace sluice::test
