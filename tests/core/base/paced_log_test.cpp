#include "base/paced_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/log.h"
#include "base/unique_fd.h"

using namespace sluice;

TEST_CASE("one line a second, and how many others there were", "[paced_log]") {
  const UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  set_log(LogLevel::debug, "test");
  set_log_fd(file.get());
  PacedLog lines;
  CHECK(lines.is_due(1'000));
  lines.say(LogLevel::info, "first");
  CHECK_FALSE(lines.is_due(1'001));
  CHECK_FALSE(lines.is_due(1'999));
  CHECK(lines.is_due(2'000));
  lines.say(LogLevel::info, "second");
  CHECK(lines.is_due(3'000));
  lines.say(LogLevel::info, "third");
  set_log_fd(STDERR_FILENO);
  set_log(LogLevel::info, "test");
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::pread(file.get(), text.data(), text.size(), 0)));
  CHECK_THAT(text, Catch::Matchers::Contains("first\n"));
  CHECK_THAT(text, Catch::Matchers::Contains("second; 2 others since the last such line\n"));
  CHECK_THAT(text, Catch::Matchers::Contains("third\n"));
}
