// The log: each message is one line, no message can forge another, and no thread waits for it.
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <climits>
#include <string>

#include "base/unique_fd.h"

using sluice::log;
using sluice::LogLevel;
using sluice::UniqueFd;

namespace {

struct Fixture {
  UniqueFd reading;
  UniqueFd writing;

  Fixture() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
    sluice::set_log(LogLevel::info, "test");
    sluice::set_log_fd(writing.get());
  }
  ~Fixture() {
    sluice::set_log_fd(STDERR_FILENO);
    sluice::set_log(LogLevel::info, "sluice");
  }
  std::string read() {
    std::string text(1 << 20, '\0');
    const ssize_t got = ::read(reading.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a message is a line with time, level and process", "[log]") {
  log(LogLevel::warning, "hello");
  const std::string line = read();
  CHECK(line.substr(line.find(' ')) == " warning test: hello\n");
  CHECK(line[10] == 'T');
  log(LogLevel::debug, "left out");
  CHECK(read().empty());
}

TEST_CASE_METHOD(Fixture, "a line says for whom it is", "[log]") {
  struct Context final : sluice::LogContext {
    explicit Context(std::string name) : named(std::move(name)) {}
    std::string named_for_log() override { return named; }
    std::string named;
  };
  Context outer(", client a\n");
  {
    const sluice::LogScope scope(outer);
    log(LogLevel::warning, "in a scope");
    CHECK(read().ends_with(": in a scope, client a\\x0a\n"));
    Context inner(std::string(5000, 'y'));
    const sluice::LogScope within(inner);
    log(LogLevel::warning, std::string(5000, 'x'));
    const std::string line = read();
    CHECK(line.size() <= PIPE_BUF);
    CHECK(line.ends_with(std::string(1024, 'y') + "\n"));
  }
  log(LogLevel::warning, "outside");
  CHECK(read().ends_with(": outside\n"));
}

TEST_CASE_METHOD(Fixture, "no byte of a message forges a line or drives a terminal", "[log]") {
  using namespace std::string_literals;
  log(LogLevel::info, "a\nb\r\x1b[31m\x7f\0c \xc3\xa9"s);
  const std::string line = read();
  CHECK(line.find("a\\x0ab\\x0d\\x1b[31m\\x7f\\x00c \xc3\xa9\n") != std::string::npos);
  log(LogLevel::info,
      "\x9b"
      "31m \xc2\x9b"
      "31m \xc3 \xed\xa0\x80 \xe0\x80\x9b \xf0\x9f\x8c\x8a \xc2\xa0 \xe2\x82");
  CHECK(read().find("\\x9b31m \\xc2\\x9b31m \\xc3 \\xed\\xa0\\x80 \\xe0\\x80\\x9b \xf0\x9f\x8c\x8a \xc2\xa0 "
                    "\\xe2\\x82\n") != std::string::npos);
  log(LogLevel::info, std::string(100'000, 'x'));
  const std::string cut = read();
  CHECK(cut.size() <= PIPE_BUF);
  CHECK(cut.back() == '\n');
}

TEST_CASE_METHOD(Fixture, "lines that do not fit are dropped, counted, and reported later", "[log]") {
  for (int i = 0; i < 200; ++i) log(LogLevel::info, std::string(3000, 'x'));  // more than a pipe holds
  std::string text;
  for (std::string more = read(); !more.empty(); more = read()) text += more;
  CHECK(text.find("lost") == std::string::npos);
  log(LogLevel::info, "room again");
  text = read();
  CHECK(text.find("room again") != std::string::npos);
  CHECK(text.find("log lines were lost") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "one cause neither fills the log nor keeps others out of it", "[log]") {
  const auto count = [](const std::string& text, const std::string& what) {
    int found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  };
  for (int i = 0; i < 5'000; ++i) log(LogLevel::warning, "client " + std::to_string(i) + " talks nonsense");
  const std::string text = read();
  CHECK(count(text, "talks nonsense") >= 100);
  CHECK(count(text, "talks nonsense") < 1'000);  // a slow machine has earned some more lines
  CHECK(count(text, "too many lines like this one") >= 1);
  log(LogLevel::warning, "something else");
  CHECK(count(read(), "something else") == 1);
}
