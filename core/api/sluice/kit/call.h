// One request as a kit::Service or a kit::Flow sees it: what it says, ways to answer it, and what a Flow may
// wait for. The loop's thread.
//
// What a Call tells is the Flow's to keep, and to lend to a thread. That is not so for request() and peer(),
// whose views end with the request, also while a thread still uses them: copy those. A Call itself is used on
// the loop only; anywhere else, and after its request, it throws std::logic_error.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/answers.h>
#include <sluice/kit/flow.h>
#include <sluice/kit/request.h>
#include <sluice/kit/router.h>
#include <sluice/kit/waits.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::kit {

class Call {
 public:
  // Made by Service and answer_by.
  Call(detail::Run& run, PathParameters parameters) : run_(run), parameters_(std::move(parameters)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // What the request says, and who asks. No copies: views of them end with the request.
  const Request& request() const { return run_.exchange().request(); }
  const Peer& peer() const { return run_.exchange().peer(); }
  // The segment {name} of the path.
  const std::string& param(std::string_view name) const { return parameters_.at(name); }
  // The same as a number; what is none has no such path, so the answer is 404.
  std::uint64_t number(std::string_view name) const {
    if (const auto value = kit::number(param(name))) return *value;
    throw Refuse{404};
  }
  // The parameters of the query. What is not well formed is refused with 400.
  const Parameters& query() {
    if (!query_) query_ = Parameters::parse(request().query);
    if (!query_) throw Refuse{400, "The query is not well formed, or has too many parameters"};
    return *query_;
  }
  std::optional<std::string> query(std::string_view name) {
    const std::string* value = query().find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  // The same as a number: `fallback` without one; 400 if it is no number, or above `max`.
  std::uint64_t query_number(std::string_view name, std::uint64_t fallback, std::uint64_t max) {
    const std::string* text = query().find(name);
    if (text == nullptr) return fallback;
    if (const auto value = kit::number(*text, max)) return *value;
    throw Refuse{400, "The parameter " + std::string(name) + " is a number up to " + std::to_string(max)};
  }
  std::optional<std::string> cookie(std::string_view name) const { return copy(kit::cookie(request(), name)); }
  std::optional<std::string> field(std::string_view name) const { return copy(kit::field(request(), name)); }
  std::optional<std::string> field(FieldId id) const { return copy(kit::field(request(), id)); }
  // What a filter, or this call, has kept under a name; empty without one.
  std::string noted(std::string_view name) const { return std::string(run_.exchange().noted(name)); }
  bool note(std::string_view name, std::string_view value) { return run_.exchange().note(name, value); }
  // "text/html" of "Text/HTML; charset=utf-8"; empty without one.
  std::string media_type() const { return kit::media_type(request()); }

  // Answers, of which a request has one. Fields are added before.
  bool add_field(std::string_view name, std::string_view value) { return run_.exchange().field(name, value); }
  void send(std::uint32_t status, std::string_view type, std::string_view content) {
    kit::send(run_.answer(), status, type, content);
  }
  // JSON, as text or as something with dump().
  template <typename Value>
  void json(std::uint32_t status, const Value& value) {
    send_json(run_.exchange(), status, value);
    run_.answer();  // not before, for dump() may throw
  }
  // Without content: 204, or 201 and a field Location.
  void done(std::uint32_t status = 204) { kit::send(run_.answer(), status, {}, {}); }
  void redirect(std::string_view location, std::uint32_t status = 303) {
    kit::redirect(run_.answer(), location, status);
  }
  void refuse(const Refuse& refusal) { kit::refuse(run_.answer(), refusal, run_.errors()); }
  void stream(std::uint64_t size, Body* body) { run_.answer().stream(size, body); }
  // A target is a path as clients send it, so it will be decoded: `param` was already, and stands in it by
  // path_encoded of request.h. `redirect` has such a target, too.
  void hand_over(std::string_view target) { run_.answer().hand_over(target); }
  // Of a filter: the request goes on.
  void pass() { run_.pass(); }
  // For all the rest, answers too: a Flow that used it may end without one of those above.
  Exchange& exchange() { return run_.lend(); }
  Host& host() const { return run_.host(); }

  // For a Flow, behind co_await.
  // Runs the function on a thread, where it may block, and gives what it returns or throws. A lambda captures
  // by reference. 503 if there is no thread in time.
  template <typename Function>
  [[nodiscard]] auto offload(Function&& function) {
    static_assert(
        std::is_lvalue_reference_v<Function> || std::is_trivially_destructible_v<Function>,
        "capture by reference, [&]: the Flow's variables live until the function has returned. Or give "
        "the function a name, and offload that: g++ 12 destroys a temporary's captures twice");
    return detail::Offloaded<Function>(run_, std::forward<Function>(function));
  }
  [[nodiscard]] auto sleep(std::uint64_t ms) { return detail::Sleep(run_, ms); }
  // Waits until the descriptor can be read, or has failed. With `ms`, for at most that long; then it gives
  // false. Nobody else may watch it; keep it open meanwhile.
  [[nodiscard]] auto readable(int fd, std::uint64_t ms = 0) {
    return detail::Readiness(run_, fd, detail::Readiness::kReadable, ms);
  }
  [[nodiscard]] auto writable(int fd, std::uint64_t ms = 0) {
    return detail::Readiness(run_, fd, detail::Readiness::kWritable, ms);
  }
  // The whole content of the request, once. 413 if it has more than `max` bytes.
  [[nodiscard]] auto body(std::uint64_t max) { return detail::WholeBody(run_, max); }
  // For other headers of the kit: what they wait with.
  template <typename Wait, typename... Arguments>
  [[nodiscard]] Wait wait_for(Arguments&&... arguments) {
    return Wait(run_, std::forward<Arguments>(arguments)...);
  }

 private:
  static std::optional<std::string> copy(const std::optional<std::string_view>& text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }

  detail::Run& run_;
  const PathParameters parameters_;
  std::optional<Parameters> query_;
};

namespace detail {

// Has the Call, and the function that made the Flow: a lambda's captures are variables of its coroutine.
template <typename Answer>
class CalledFlow final : public Run {
 public:
  CalledFlow(Host& host, Exchange& exchange, Answer answer, PathParameters parameters, Errors errors)
      : Run(host, exchange, errors), call_(*this, std::move(parameters)), answer_(std::move(answer)) {}
  ~CalledFlow() { drop(); }  // while the Call is there
  void begin() {
    Flow flow;
    try {
      flow = answer_(call_);
    } catch (const Refuse& refusal) {  // a function that is no coroutine, and calls one
      return call_.refuse(refusal);
    }
    Run::begin(std::move(flow));
  }

 private:
  Call call_;
  Answer answer_;
};

}  // namespace detail

// Answers by `answer`, which is called with the Call, at once. If it returns a Flow, that may answer later. It
// may throw a Refuse.
template <typename Answer>
void answer_by(Host& host, Exchange& exchange, Answer answer, PathParameters parameters = {},
               Errors errors = Errors::problems) {
  using Returned = std::invoke_result_t<Answer&, Call&>;
  static_assert(std::is_same_v<Returned, Flow> || std::is_void_v<Returned>, "it returns kit::Flow or void");
  if constexpr (std::is_void_v<Returned>) {
    detail::Run run(host, exchange, errors);
    Call call(run, std::move(parameters));
    try {
      answer(call);
    } catch (const Refuse& refusal) {
      call.refuse(refusal);
    }
  } else {
    using Called = detail::CalledFlow<Answer>;
    const auto run = std::make_shared<Called>(host, exchange, std::move(answer), std::move(parameters), errors);
    run->begin();
  }
}

}  // namespace sluice::kit
