// What a Flow waits with: a timer, a descriptor, a function on a thread, the request's body. kit::Call makes
// these.
//
// Each is a variable of the coroutine, so it is destroyed with it, also while it waits. It begins in
// await_ready, whose exceptions are the coroutine's, and goes on by Run::wake. One at a time for each Flow. The
// loop's thread.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/answers.h>
#include <sluice/kit/flow.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace sluice::kit::detail {

class Sleep final : public Timer {
 public:
  Sleep(Run& run, std::uint64_t ms) : run_(run), ms_(ms) {}
  Sleep(const Sleep&) = delete;
  Sleep& operator=(const Sleep&) = delete;
  ~Sleep() {
    if (timer_.value != 0) run_.host().cancel(timer_);
  }
  bool await_ready() {
    timer_ = run_.host().timer(ms_, *this);
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  void await_resume() noexcept {}
  void fired() override {
    timer_ = {};
    run_.wake();
  }

 private:
  Run& run_;
  const std::uint64_t ms_;
  TimerId timer_;
};

// Waits for a descriptor, for at most `ms` if that is not 0. Gives whether it became ready.
class Readiness final : public Watcher, public Timer {
 public:
  // As epoll_ctl(2) numbers them.
  static constexpr std::uint32_t kReadable = 1;
  static constexpr std::uint32_t kWritable = 4;

  Readiness(Run& run, int fd, std::uint32_t events, std::uint64_t ms)
      : run_(run), fd_(fd), events_(events), ms_(ms) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness() { stop(); }
  bool await_ready() {
    is_watched_ = run_.host().watch(fd_, events_, *this);
    if (!is_watched_) throw std::runtime_error("descriptor " + std::to_string(fd_) + " cannot be watched");
    if (ms_ != 0) timer_ = run_.host().timer(ms_, *this);
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  bool await_resume() noexcept { return is_ready_; }
  void ready(std::uint32_t) override { end(true); }
  void fired() override {
    timer_ = {};
    end(false);
  }

 private:
  void end(bool is_ready) {
    is_ready_ = is_ready;
    stop();
    run_.wake();
  }
  void stop() {
    if (std::exchange(is_watched_, false)) run_.host().unwatch(fd_);
    if (timer_.value != 0) run_.host().cancel(std::exchange(timer_, {}));
  }

  Run& run_;
  const int fd_;
  const std::uint32_t events_;
  const std::uint64_t ms_;
  bool is_watched_ = false;
  bool is_ready_ = false;
  TimerId timer_;
};

// Runs a function on a thread, and gives what it returns. What it throws is thrown again by the co_await.
template <typename Function>
class Offloaded {
  using Result = std::invoke_result_t<Function&>;
  static_assert(!std::is_reference_v<Result>, "a function for a thread returns a value, not a reference");
  static constexpr bool kHasResult = !std::is_void_v<Result>;

 public:
  Offloaded(Run& run, Function&& function) : run_(run), function_(std::forward<Function>(function)) {}
  Offloaded(const Offloaded&) = delete;
  Offloaded& operator=(const Offloaded&) = delete;
  ~Offloaded() = default;
  bool await_ready() {
    auto work = std::make_unique<FunctionWork>(*this, run_.shared_from_this());
    if (!run_.host().offload(work.get())) throw Refuse{503, "The server is busy: try again later"};
    static_cast<void>(work.release());  // it is the server's now
    run_.work_begins();
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  Result await_resume() {
    if (!has_run_) throw Refuse{503, "The server is busy: try again later"};
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    if constexpr (kHasResult) return std::move(*result_);
  }

 private:
  // Keeps the Run, and so the coroutine and this object in it.
  class FunctionWork final : public Work {
   public:
    FunctionWork(Offloaded& offloaded, std::shared_ptr<Run> run)
        : offloaded_(offloaded), run_(std::move(run)) {}
    void run() override { offloaded_.call(); }
    void done(bool ran) override {
      offloaded_.has_run_ = ran;
      run_->work_ends();  // which may destroy the coroutine
    }

   private:
    Offloaded& offloaded_;
    const std::shared_ptr<Run> run_;
  };

  // On a thread.
  void call() {
    try {
      if constexpr (kHasResult) {
        result_.emplace(function_());
      } else {
        function_();
      }
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  Run& run_;
  Function function_;
  bool has_run_ = false;
  std::exception_ptr thrown_;
  std::conditional_t<kHasResult, std::optional<std::conditional_t<kHasResult, Result, int>>, int> result_{};
};

// Receives the request's body as one text, of at most `max` bytes.
class WholeBody {
  // Belongs to the reader and to the one that waits, of whom either may end first.
  struct Received {
    std::shared_ptr<Run> waiting;  // null when nobody waits (any more)
    std::string text;
    std::uint64_t max = 0;
    bool is_too_long = false;

    void wake() {
      if (const auto run = std::exchange(waiting, nullptr)) run->wake();
    }
  };
  // After a body was found too long, it takes the rest, which the server limits.
  class BodyReader final : public Reader {
   public:
    explicit BodyReader(std::shared_ptr<Received> received) : received_(std::move(received)) {}
    std::uint64_t take(Bytes piece) override {
      if (received_->is_too_long || received_->waiting == nullptr) return piece.size;
      if (piece.size > received_->max - received_->text.size()) {
        received_->is_too_long = true;
        received_->text = {};
        received_->wake();
      } else {
        received_->text.append(piece.data, piece.size);
      }
      return piece.size;
    }
    void end() override { received_->wake(); }

   private:
    const std::shared_ptr<Received> received_;
  };

 public:
  WholeBody(Run& run, std::uint64_t max) : run_(run), received_(std::make_shared<Received>()) {
    received_->max = max;
  }
  WholeBody(const WholeBody&) = delete;
  WholeBody& operator=(const WholeBody&) = delete;
  ~WholeBody() { received_->waiting = nullptr; }
  bool await_ready() {
    run_.take_body();
    const std::uint64_t size = run_.exchange().request().body_size;
    received_->is_too_long = size != kUnknownSize && size > received_->max;
    if (size == 0 || received_->is_too_long) return true;
    received_->waiting = run_.shared_from_this();
    run_.exchange().receive(new BodyReader(received_));
    return false;
  }
  void await_suspend(std::coroutine_handle<>) noexcept {}
  std::string await_resume() {
    if (received_->is_too_long)
      throw Refuse{413, "The content may have " + std::to_string(received_->max) + " bytes"};
    return std::move(received_->text);
  }

 private:
  Run& run_;
  const std::shared_ptr<Received> received_;
};

}  // namespace sluice::kit::detail
