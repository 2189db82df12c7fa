#include "settings/option_value.h"

#include <catch2/catch.hpp>
#include <string>

namespace sluice {
namespace {

using Catch::Matchers::Contains;

std::string refusal(const Result<std::uint64_t>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

TEST_CASE("a module's option is checked by its type") {
  OptionInfo option;
  option.name = "speed";
  CHECK(check_option(option, "anything") == 0u);

  option.type = OptionType::number;
  CHECK(check_option(option, "42") == 42u);
  CHECK_THAT(refusal(check_option(option, "4k")), Contains("option speed: '4k' is no number"));

  option.type = OptionType::size;
  CHECK(check_option(option, "4k") == 4096u);
  CHECK_THAT(refusal(check_option(option, "4x")), Contains("option speed: '4x' is no size"));

  option.type = OptionType::duration_ms;
  CHECK(check_option(option, "2s") == 2000u);
  CHECK_THAT(refusal(check_option(option, "2x")), Contains("option speed: '2x' is no time"));
  CHECK(refusal(check_option(option, "2")) == "option speed: '2' has no unit: write 2s or 2ms");
  option.fallback = "2";
  CHECK(check_fallback(option) == 2u);
  CHECK(readable_fallback(option.type, option.fallback) == "2ms");
  option.fallback = "x";
  CHECK_THAT(refusal(check_fallback(option)), Contains("option speed: 'x' is no time"));

  option.type = OptionType::flag;
  CHECK(check_option(option, "yes") == 1u);
  CHECK(check_option(option, "off") == 0u);
  CHECK_THAT(refusal(check_option(option, "2")), Contains("option speed: '2' is neither on nor off"));
}

TEST_CASE("a choice is the number of its place") {
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
}  // namespace sluice
