// Flows: coroutines that answer a request. What waits is written as one function:
//
//     kit::Flow get(kit::Call& call) {
//       const auto id = call.number("id");
//       const auto item = co_await call.offload([&] { return find_item(id); });
//       if (!item) throw kit::Refuse{404, "There is no such item"};
//       call.json(200, *item);
//     }
//
// A Flow runs on the loop, from one co_await to the next, and ends with its answer: it is not continued behind
// an await that follows it. When the client leaves, the time-out passes, or the server stops, it is destroyed
// where it waits, as if the function returned there. Destructors of its variables run then, on the loop, and
// may call of the Host what a destructor may.
//
// A function that it has given to a thread may use its variables by reference. If the Flow has to be destroyed
// while that function still runs, its variables live until the function has returned. The handler does, too.
//
// g++ 12 compiles some things wrongly. A temporary lambda that captures by value is refused here. A co_await
// inside `a ? b : c` is not noticed: give it a statement of its own.
//
// What a Flow may wait for, and how it is begun, call.h says.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/answers.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace sluice::kit {

// What a coroutine that answers a request returns. Owns the coroutine.
class [[nodiscard]] Flow {
 public:
  class promise_type {
   public:
    Flow get_return_object() { return Flow(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
    std::exception_ptr thrown;
  };

  Flow() = default;
  Flow(Flow&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Flow& operator=(Flow&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Flow() {
    if (coroutine_) coroutine_.destroy();
  }

  explicit operator bool() const { return static_cast<bool>(coroutine_); }
  bool done() const { return coroutine_.done(); }
  void resume() { coroutine_.resume(); }
  // What has left the coroutine. REQUIRES: done.
  std::exception_ptr thrown() const { return coroutine_.promise().thrown; }

 private:
  explicit Flow(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_ = nullptr;
};

namespace detail {

// A request that is being answered, and the Flow that does it, if there is one. The loop's thread.
//
// Owners: the server's Task, a Work that is out, and a Reader; so it is there for whichever ends last.
// INVARIANT: exchange_ is null unless the server is in a call for this request.
// INVARIANT: the Flow is destroyed when the Task is, but never while it runs or while a Work may use its
// variables.
class Run : public std::enable_shared_from_this<Run> {
 public:
  Run(Host& host, Exchange& exchange, Errors errors) : host_(host), exchange_(&exchange), errors_(errors) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() = default;

  Host& host() const { return host_; }
  Errors errors() const { return errors_; }
  Exchange& exchange() const {
    if (std::this_thread::get_id() != loop_ || exchange_ == nullptr)
      throw std::logic_error("a kit::Call was used on a thread, or after its request");
    return *exchange_;
  }
  // For an answer, and for what may be one.
  Exchange& answer() {
    Exchange& answered = exchange();
    answered_ = true;
    return answered;
  }
  Exchange& lend() {
    Exchange& lent = exchange();
    lent_ = true;
    return lent;
  }
  // Lets a filter's request go on. One that was not deferred does so by itself.
  void pass() {
    Exchange& passed = answer();
    if (is_deferred_) passed.pass();
  }
  void take_body() {
    if (std::exchange(body_taken_, true)) throw std::logic_error("a kit::Call's body was taken twice");
  }

  // Runs the Flow to its first wait, and defers the exchange if there is one.
  void begin(Flow flow);
  // What the Flow waits for is there.
  void wake() {
    ready_ = true;
    host_.resume(ticket_);
  }
  // Runs the Flow to its next wait, if what it waits for is there.
  void go_on(Exchange& exchange) {
    if (!flow_ || !std::exchange(ready_, false)) return;
    const std::shared_ptr<Run> self = shared_from_this();
    const Turn turn(*this, exchange);
    flow_.resume();
    if (!flow_.done()) return;
    const std::exception_ptr thrown = flow_.thrown();
    drop();
    if (thrown != nullptr) return answer_thrown(thrown);
    // Of a request that is not deferred, the server sees it by itself.
    if (is_deferred_ && !answered_ && !lent_) throw std::logic_error("a kit::Flow has ended without an answer");
  }
  // The Task is destroyed.
  void cancel() {
    cancelled_ = true;
    if (exchange_ == nullptr && !is_working_) drop();
  }
  void work_begins() { is_working_ = true; }
  // Called once for each work.
  void work_ends() {
    is_working_ = false;
    if (cancelled_) return drop();
    wake();
  }
  void drop() { const Flow ended = std::exchange(flow_, Flow()); }

 private:
  // The time in which the Flow may use the exchange.
  class Turn {
   public:
    Turn(Run& run, Exchange& exchange) : run_(run) { run.exchange_ = &exchange; }
    ~Turn() {
      run_.exchange_ = nullptr;
      if (run_.cancelled_) run_.cancel();
    }

   private:
    Run& run_;
  };

  // Any other exception goes to the server, which logs it and answers 500.
  void answer_thrown(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Refuse& refusal) {
      refuse(answer(), refusal, errors_);
    }
  }

  Host& host_;
  Exchange* exchange_;
  const Errors errors_;
  const std::thread::id loop_ = std::this_thread::get_id();
  Ticket ticket_{};
  Flow flow_;
  bool ready_ = false;
  bool is_deferred_ = false;
  bool answered_ = false;
  bool lent_ = false;
  bool body_taken_ = false;
  bool is_working_ = false;
  bool cancelled_ = false;
};

class FlowTask final : public Task {
 public:
  explicit FlowTask(std::shared_ptr<Run> run) : run_(std::move(run)) {}
  ~FlowTask() override { run_->cancel(); }
  void resumed(Exchange& exchange) override { run_->go_on(exchange); }

 private:
  const std::shared_ptr<Run> run_;
};

inline void Run::begin(Flow flow) {
  Exchange& deferred = exchange();
  ticket_ = deferred.ticket();
  flow_ = std::move(flow);
  ready_ = true;
  go_on(deferred);
  if (!flow_) return;
  if (answered_) return cancel();
  is_deferred_ = true;
  deferred.defer(new FlowTask(shared_from_this()));
}

}  // namespace detail
}  // namespace sluice::kit
