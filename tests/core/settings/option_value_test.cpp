#include "settings/option_value.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

using Catch::Matchers::Contains;

// The sentence with which a parser refuses.
template <typename Value>
std::string refusal(const Result<Value>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

TEST_CASE("sizes") {
  CHECK(parse_size("0") == 0u);
  CHECK(parse_size("65536") == 65536u);
  CHECK(parse_size("64k") == 65536u);
  CHECK(parse_size("64K") == 65536u);
  CHECK(parse_size("1M") == 1048576u);
  CHECK(parse_size("2G") == 2147483648u);
  CHECK(parse_size("18446744073709551615") == 18446744073709551615u);
  for (const char* text : {"", "k", "-1", "+1", " 1", "1 k", "1kb", "1.5M", "0x10", "18446744073709551616",
                           "18014398509481984k"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_size(text)), Contains("is not a size: write bytes, as in 65536, 64k, 1M or 2G"));
  }
}

TEST_CASE("durations") {
  CHECK(parse_duration_ms("0") == 0u);
  CHECK(parse_duration_ms("1500ms") == 1500u);
  CHECK(parse_duration_ms("30s") == 30'000u);
  CHECK(parse_duration_ms("5m") == 300'000u);
  CHECK(parse_duration_ms("1h") == 3'600'000u);
  for (const char* text : {"", "s", "-1s", "1.5s", "1 s", "1S", "1w", "1m30s", "18446744073709551615h"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_duration_ms(text)), Contains("is not a time: write 500ms"));
  }
}

TEST_CASE("workers") {
  CHECK(parse_workers("auto") == 0u);
  CHECK(parse_workers("1") == 1u);
  CHECK(parse_workers("256") == 256u);
  for (const char* text : {"", "0", "257", "-1", "Auto", "2.0", "4294967297"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_workers(text)), Contains("write auto, or a number of 1 to 256"));
  }
}

TEST_CASE("log levels and flags") {
  CHECK(parse_log_level("debug") == LogLevel::debug);
  CHECK(parse_log_level("info") == LogLevel::info);
  CHECK(parse_log_level("warning") == LogLevel::warning);
  CHECK(parse_log_level("error") == LogLevel::error);
  CHECK_THAT(refusal(parse_log_level("loud")), Contains("'loud' is not a log level: write debug, info"));
  for (const char* text : {"on", "true", "yes", "1"}) CHECK(parse_flag(text) == true);
  for (const char* text : {"off", "false", "no", "0"}) CHECK(parse_flag(text) == false);
  CHECK_THAT(refusal(parse_flag("maybe")), Contains("'maybe' is neither on nor off"));
  CHECK_THAT(refusal(parse_flag("")), Contains("write on or off"));
}

TEST_CASE("a module's option is checked by its type") {
  OptionInfo option;
  option.name = "speed";
  CHECK(check_option(option, "anything") == 0u);

  option.type = OptionType::number;
  CHECK(check_option(option, "42") == 42u);
  CHECK_THAT(refusal(check_option(option, "4k")), Contains("option speed: '4k' is not a number"));

  option.type = OptionType::size;
  CHECK(check_option(option, "4k") == 4096u);
  CHECK_THAT(refusal(check_option(option, "4x")), Contains("option speed: '4x' is not a size"));

  option.type = OptionType::duration_ms;
  CHECK(check_option(option, "2s") == 2000u);
  CHECK_THAT(refusal(check_option(option, "2x")), Contains("option speed: '2x' is not a time"));
  CHECK(refusal(check_option(option, "2")) == "option speed: '2' has no unit: write 2s or 2ms");
  option.fallback = "2";
  CHECK(check_fallback(option) == 2u);
  CHECK(readable_fallback(option.type, option.fallback) == "2ms");
  option.fallback = "x";
  CHECK_THAT(refusal(check_fallback(option)), Contains("option speed: 'x' is not a time"));

  option.type = OptionType::flag;
  CHECK(check_option(option, "yes") == 1u);
  CHECK(check_option(option, "off") == 0u);
  CHECK_THAT(refusal(check_option(option, "2")), Contains("option speed: '2' is neither on nor off"));
}

TEST_CASE("the number of a choice is its place in the list") {
  OptionInfo option;
  option.name = "order";
  option.type = OptionType::choice;
  option.choices = "name|size|time";
  CHECK(check_option(option, "name") == 0u);
  CHECK(check_option(option, "time") == 2u);
  for (const char* text : {"", "nam", "name|size", "Name"}) {
    INFO(text);
    CHECK_THAT(refusal(check_option(option, text)), Contains("write one of name, size, time"));
  }
  option.choices = nullptr;
  CHECK_THAT(refusal(check_option(option, "name")), Contains("option order: 'name' is not among"));
}

}  // namespace
