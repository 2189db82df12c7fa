// The filters of an exchange: asked before the handler, shown the answer, and told of the end. And what is told
// of their decisions.
#include <fmt/core.h>
#include <algorithm>
#include <utility>

#include "exchange/exchange.h"
#include "exchange/filtered_head.h"

namespace sluice {

bool HttpExchange::is_in_filter() const {
  return !filters_.empty() && filters_.back().route.instance.get() == instance_;
}

bool HttpExchange::has_asked(std::size_t place) const {
  return std::any_of(filters_.begin(), filters_.end(),
                     [place](const AskedFilter& asked) { return asked.place == place; });
}

void HttpExchange::ask_filter(std::size_t place, Route route) {
  filters_.push_back({place, std::move(route)});
  begin_call(filters_.back().route);
  if (!instance_->call([&] { instance_->filter().request(*this); }, &request_)) answer_thrown();
  judge_pass();
  if (stage_ != Stage::deferred) task_.reset();  // it may have deferred, and then passed or answered
}

// Only who answers can have the request's body.
bool HttpExchange::has_taken_body() {
  if (!body_.has_reader()) return false;
  report_fault("it took the request's body and lets somebody else answer, who cannot have the body");
  return true;
}

void HttpExchange::pass() {
  if (stage_ == Stage::deferred && is_in_filter()) {
    if (has_taken_body()) return refuse({500});
    stage_ = Stage::open;
  } else if (stage_ != Stage::open) {
    report_fault("it let a request go on that it had not deferred as a filter");
  }
}

void HttpExchange::judge_pass() {
  if (stage_ == Stage::open && has_taken_body()) answer_for_handler({500});
}

void HttpExchange::filter_answer() {
  if (std::exchange(filtered_, true)) return;
  ModuleInstance* const answered = instance_;
  const Bytes path = request_.path;
  const Bytes mount = request_.mount;
  const Bytes query = request_.query;
  for (std::size_t i = answered_behind_; i-- > 0;) {
    enter(filters_[i].route);
    FilteredHead head(*this);
    if (instance_->call([&] { instance_->filter().answer(*this, head); }, &request_)) continue;
    replace_answer({500});
    filtered_ = true;
  }
  // Who has answered sees its own part of the path again.
  request_.path = path;
  request_.mount = mount;
  request_.query = query;
  instance_ = answered;
}

void HttpExchange::tell_end() {
  const bool is_told = std::any_of(told_.begin(), told_.end(),
                                   [this](const Route& one) { return one.instance.get() == instance_; });
  const bool is_handler = instance_ != nullptr && instance_ == route_.instance.get();
  if (is_handler && !is_told && instance_->knows_ends()) told_.push_back(route_);
}

void HttpExchange::tell_ended(const Outcome& outcome) {
  ModuleInstance* const answered = instance_;
  for (std::size_t i = told_.size(); i-- > 0;) {
    enter(told_[i]);
    instance_->call([&] { instance_->handler().ended(*this, outcome); }, &request_);
  }
  for (std::size_t i = filters_.size(); i-- > 0;) {
    enter(filters_[i].route);
    instance_->call([&] { instance_->filter().ended(*this, outcome); }, &request_);
  }
  instance_ = answered;
}

bool HttpExchange::concerns(const ModuleInstance& module) const {
  const auto is_it = [&](const InstanceRef& one) { return one->is_of_file(module); };
  return (route_.instance && is_it(route_.instance)) || std::any_of(earlier_.begin(), earlier_.end(), is_it) ||
         std::any_of(filters_.begin(), filters_.end(),
                     [&](const AskedFilter& asked) { return is_it(asked.route.instance); });
}

void HttpExchange::tell_decision(const ModuleInstance* by, std::string_view what) {
  if (decisions_ != nullptr) decisions_->decided({by, what});
}

void HttpExchange::explain_stage() {
  if (!is_explained()) return;
  switch (stage_) {
    case Stage::open:
      return explain("lets the request pass");
    case Stage::deferred:
      return;  // more will be told when it goes on
    case Stage::handed_over:
      return explain(fmt::format("hands the request over to {}", hand_over_target_));
    case Stage::answered:
      return explain(fmt::format("answers {}", answer_.status));
  }
}

bool HttpExchange::wake(const ModuleInstance& module) {
  if (!concerns(module)) return false;
  const auto is_of = [&](const ModuleInstance* one) { return one != nullptr && one->is_of_file(module); };
  if (body_.has_reader() && is_of(reader_of_)) reader_woken_ = true;
  if (is_of(task_ ? &task_.instance() : instance_)) task_woken_ = true;
  if (answer_.transformed != nullptr ? answer_.transformed->wake(module) : answer_.body.is_of(module))
    content_woken_ = true;
  return true;
}

}  // namespace sluice
