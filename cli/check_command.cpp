#include "check_command.h"

#include <fmt/core.h>
#include <ostream>

#include "check/inspection.h"
#include "check/module_under_check.h"
#include "check/report_text.h"
#include "exit_error.h"
#include "server/supervisor.h"
#include "settings/option_value.h"

namespace sluice::cli {
namespace {

constexpr std::uint64_t kTimeMinMs = 10;
constexpr std::uint64_t kTimeMaxMs = 3'600'000;

Result<void> take_module_option(const OptionText& given, CheckRequest& request) {
  const std::size_t equals = given.text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    return fail(
        fmt::format("{} '{}' sets nothing: write it as {} KEY=VALUE", given.source, given.text, given.source));
  }
  request.options.emplace_back(given.text.substr(0, equals), given.text.substr(equals + 1));
  return {};
}

Result<void> add_target(const OptionText& given, CheckRequest& request) {
  for (const char byte : given.text) {
    if (static_cast<unsigned char>(byte) > 0x20 && byte != 0x7f && byte != '#') continue;
    return fail(fmt::format("{} '{}' is not a path: write a space as %20", given.source, given.text));
  }
  request.requests.push_back(given.text);
  return {};
}

Result<void> set_time(const OptionText& given, std::uint32_t& time_ms) {
  const auto parsed = parse_duration_ms(given.text);
  if (!parsed) return fail(given.source + ": " + parsed.error().message);
  if (*parsed < kTimeMinMs || *parsed > kTimeMaxMs) {
    return fail(fmt::format("{}: '{}' is out of range: write 10ms to 1h", given.source, given.text));
  }
  time_ms = static_cast<std::uint32_t>(*parsed);
  return {};
}

Result<CheckRequest> read_request(const OptionTexts& command_line) {
  CheckRequest request;
  for (const auto& [name, values] : command_line) {
    for (const OptionText& given : values) {
      Result<void> taken;
      if (name == "file") request.file = given.text;
      if (name == "root") request.root = given.text;
      if (name == "user") request.user = given.text;
      if (name == "json") request.output = CheckRequest::Output::json;
      if (name == "junit") request.output = CheckRequest::Output::junit;
      if (name == "option") taken = take_module_option(given, request);
      if (name == "request") taken = add_target(given, request);
      if (name == "handler-timeout") taken = set_time(given, request.handler_ms);
      if (name == "step-timeout") taken = set_time(given, request.step_ms);
      if (!taken) return Unexpected(taken.error());
    }
  }
  return request;
}

}  // namespace

int run_check(const OptionTexts& command_line, std::ostream& out, std::ostream& err) {
  const auto request = read_request(command_line);
  if (!request) return refuse(err, request.error());
  const auto subject = ModuleUnderCheck::create(*request);
  if (!subject) return refuse(err, subject.error());
  const CheckReport report = inspect(**subject);
  switch (request->output) {
    case CheckRequest::Output::table:
      out << format_table(report);
      break;
    case CheckRequest::Output::json:
      out << format_json(report);
      break;
    case CheckRequest::Output::junit:
      out << format_junit(report);
      break;
  }
  return report.clean() ? kExitFine : kExitCouldNotStart;
}

}  // namespace sluice::cli
