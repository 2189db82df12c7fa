#include "exchange/filtered_head.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "http/http_fields.h"
#include "http/http_status.h"

namespace sluice {
namespace {

// Takes the next "Name: value\r\n" off the front. REQUIRES: `lines` is not empty.
Field take_line(std::string_view& lines) {
  const std::size_t end = lines.find("\r\n");
  const std::string_view line = lines.substr(0, end);
  lines.remove_prefix(end + 2);
  const std::size_t colon = line.find(':');
  Field field;
  field.name = line.substr(0, colon);
  field.value = line.substr(colon + 2);
  return field;
}

}  // namespace

std::uint32_t FilteredHead::field_count() const {
  return static_cast<std::uint32_t>(
      std::count(exchange_.field_lines_.begin(), exchange_.field_lines_.end(), '\n'));
}

Field FilteredHead::field_at(std::uint32_t index) const {
  if (index < next_line_) ask_from_first();
  std::string_view lines = std::string_view(exchange_.field_lines_).substr(next_at_);
  while (!lines.empty()) {
    const Field field = take_line(lines);
    next_at_ = exchange_.field_lines_.size() - lines.size();
    if (next_line_++ == index) return field;
  }
  return {};
}

Bytes FilteredHead::field(Bytes name) const {
  std::string_view lines = exchange_.field_lines_;
  while (!lines.empty()) {
    const Field field = take_line(lines);
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

// The name and value of a new line may lie in the old ones, as those of `field` do.
bool FilteredHead::add(Bytes name, Bytes value) {
  const std::string own_name{std::string_view(name)};
  const std::string own_value{std::string_view(value)};
  return exchange_.append_valid_field(own_name, own_value);
}

bool FilteredHead::set(Bytes name, Bytes value) {
  const std::string own_name{std::string_view(name)};
  const std::string own_value{std::string_view(value)};
  const std::string before = exchange_.field_lines_;
  remove_lines(own_name);
  if (exchange_.append_valid_field(own_name, own_value)) return true;
  exchange_.field_lines_ = before;
  return false;
}

void FilteredHead::remove(Bytes name) {
  if (equals_ignoring_case(name, "Server")) exchange_.answer_.hides_server = true;
  remove_lines(name);
}

void FilteredHead::remove_lines(std::string_view name) {
  remove_field(exchange_.field_lines_, name);
  ask_from_first();
}

void FilteredHead::ask_from_first() const {
  next_line_ = 0;
  next_at_ = 0;
}

void FilteredHead::set_status(std::uint32_t code) {
  if (!exchange_.answer_.upgrade.empty())
    return exchange_.report_fault("it set the status of an answer that upgrades its connection");
  if (code < 300 && exchange_.request_.method == Method::connect)
    return exchange_.report_fault("it made a success of a CONNECT that nobody has accepted");
  exchange_.answer_.status = exchange_.valid_status(code);
  if (forbids_content(exchange_.answer_.status)) exchange_.drop_content();
}

bool FilteredHead::takes_other_content() const {
  const Answer& answer = exchange_.answer_;
  return !forbids_content(answer.status) && answer.upgrade.empty() && !exchange_.changed_content_failed_;
}

bool FilteredHead::transform(std::uint64_t size, Transform* transform) {
  ModuleOwned<Transform> owned(std::unique_ptr<Transform>(transform), *exchange_.instance_, exchange_.request_);
  Answer& answer = exchange_.answer_;
  if (!takes_other_content()) return false;
  const std::uint64_t size_inside = std::exchange(answer.size, size);
  if (exchange_.is_head()) return true;
  if (answer.transformed != nullptr) {
    answer.transformed =
        std::make_unique<TransformedContent>(std::move(answer.transformed), size_inside, std::move(owned));
  } else if (answer.body) {
    answer.transformed =
        std::make_unique<TransformedContent>(std::move(answer.body), size_inside, std::move(owned));
  } else {
    answer.transformed = std::make_unique<TransformedContent>(answer.content, std::move(owned));
  }
  return true;
}

bool FilteredHead::replace(std::uint64_t size, Body* body) {
  ModuleOwned<Body> owned(std::unique_ptr<Body>(body), *exchange_.instance_, exchange_.request_);
  if (!takes_other_content()) return false;
  exchange_.drop_content();
  Answer& answer = exchange_.answer_;
  answer.size = size;
  answer.has_end = size != kUnknownSize;
  answer.is_replaced = true;
  if (!exchange_.is_head()) answer.body = std::move(owned);
  return true;
}

}  // namespace sluice
