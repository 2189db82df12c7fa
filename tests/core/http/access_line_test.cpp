#include "http/access_line.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "support/asked_line.h"
#include "telemetry/access_ring.h"

using namespace sluice;
using sluice::test::AskedLine;

namespace {

const std::string kTime = " [30/Nov/2026:20:37:31 +0100] ";

}  // namespace

TEST_CASE("a line of the combined format", "[access_line]") {
  CHECK(AskedLine().combined() == "192.0.2.1 - -" + kTime + "\"GET /a?b HTTP/1.1\" 200 3 \"-\" \"-\"\n");
  AskedLine asked;
  asked.with("User-Agent", "me").with("REFERER", "http://r/").with("Authorization", "Basic bWU6cHc=");
  asked.head.line = {};
  asked.head.version = 20;
  asked.facts.client = "[2001:db8::1]:40000";
  CHECK(asked.combined() == "2001:db8::1 - me" + kTime + "\"GET /a?b HTTP/2.0\" 200 3 \"http://r/\" \"me\"\n");
  asked.facts.client = "unix:";
  CHECK(asked.combined().starts_with("unix: - me ["));
  asked.facts.client = "[2001:db8::1]";
  CHECK(asked.combined().starts_with("2001:db8::1 - me ["));
  asked.facts.client = "192.0.2.1";
  CHECK(asked.combined().starts_with("192.0.2.1 - me ["));
}

// nginx 1.22 has written each of these lines.
TEST_CASE("a field that is empty differs from one that is missing, and the first of two counts",
          "[access_line]") {
  const auto ends_with = [](AskedLine asked, const std::string& end) {
    INFO(asked.combined());
    CHECK(asked.combined().ends_with(" 200 3 " + end + "\n"));
  };
  ends_with(AskedLine().with("Referer", ""), "\"\" \"-\"");
  ends_with(AskedLine().with("User-Agent", ""), "\"-\" \"\"");
  ends_with(AskedLine().with("Referer", "one").with("Referer", "two"), "\"one\" \"-\"");
  ends_with(AskedLine().with("Referer", "").with("Referer", "two"), "\"\" \"-\"");
  ends_with(AskedLine().with("User-Agent", "a\tb\xc3\xa9\xff\x7f\"\\'`"),
            "\"-\" \"a\\x09b\\xC3\\xA9\\xFF\\x7F\\x22\\x5C'`\"");
}

TEST_CASE("the line of a request of HTTP/1 is shown as it came", "[access_line]") {
  AskedLine asked;
  for (const char* line : {"GET http://x/a?b HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /a HTTP/1.2", "SSH-2.0-x"}) {
    asked.head.line = line;
    CHECK(asked.combined().find("] \"" + std::string(line) + "\" 200") != std::string::npos);
  }
  asked.head.line = "GET /?\"\\\x16 x";
  CHECK(asked.combined().find("] \"GET /?\\x22\\x5C\\x16 x\" 200") != std::string::npos);
  asked.head = {};
  CHECK(asked.combined().find("] \"-\" 200") != std::string::npos);
  asked.head.version = 20;
  asked.head.method_name = "GET";
  CHECK(asked.combined().find("] \"-\" 200") != std::string::npos);
}

TEST_CASE("of a refused request, the fields before the mistake are shown", "[access_line]") {
  AskedLine asked;
  asked.head.read_fields = {{"User-Agent", "me", FieldId::user_agent}, {"Referer", "r", FieldId::referer}};
  CHECK(asked.combined().ends_with("\"r\" \"me\"\n"));
}

TEST_CASE("whatever a client sends, it ends no field and no line, and the line fits into the ring",
          "[access_line]") {
  std::mt19937 random(7);
  const auto bytes = [&](std::size_t max) {
    std::string text(std::uniform_int_distribution<std::size_t>(0, max)(random), '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xff);
    return text;
  };
  for (int i = 0; i < 300; ++i) {
    const std::size_t max = i < 250 ? 40 : 30'000;
    const std::string line = bytes(max) + "x", referer = bytes(max), agent = bytes(max);
    AskedLine asked;
    asked.head.line = line;
    asked.with("Referer", referer).with("User-Agent", agent);
    const std::string text = asked.combined();
    CHECK(text.size() <= AccessRing::kLineMax);
    CHECK(std::count(text.begin(), text.end(), '"') == 6);
    CHECK(std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= 0x20 && c < 0x7f; }));
    CHECK(text.back() == '\n');
  }
  // The longest texts, of bytes that take most room.
  const std::string most(100'000, '\xff');
  const std::string credentials = "Basic " + std::string(80'000, '/') + "+zo6";
  AskedLine asked;
  asked.head.line = most;
  asked.with("Referer", most).with("User-Agent", most).with("Authorization", credentials);
  CHECK(asked.combined().size() > 100'000);
  CHECK(asked.combined().size() <= AccessRing::kLineMax);
}

// As nginx reads them: it has no need of padding, and ends at it.
TEST_CASE("the user of basic authentication", "[access_line]") {
  for (const char* me : {"Basic bWU6cHc=", "bAsIc  bWU6", "Basic bWU6cHc", "Basic bWU6cHc=%%%", "Basic bWU6"})
    CHECK(basic_user(me) == "me");
  CHECK(basic_user("Basic bWV4OnB3") == "mex");
  CHECK(basic_user("Basic /+++OnB3") == "\xff\xef\xbe");
  CHECK(basic_user("Basic YSJiXGMKAH/pIGQ6cHc=") == std::string("a\"b\\c\n\0\x7f\xe9 d", 11));
  CHECK(basic_user("Basic " + std::string(4000, 'A') + "Og==").size() == 3000);
  for (const char* none : {"", "Basic", "Basic ", "Basic *", "Basic =", "Basic bWU", "Basic bWU6c",
                           "Basic bWVwdw==", "Basic OnB3", "Basic Og==", "Basic \tbWU6cHc=", "Basic\tbWU6cHc=",
                           "Basic bWU6 cHc=", "Basic bW=U6cHc=", "Basic _--_OnB3", "Bearer bWU6cHc="}) {
    INFO(none);
    CHECK(basic_user(none).empty());
  }
}

TEST_CASE("the trace of a request", "[access_line]") {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const std::string rest = "-00f067aa0ba902b7-01";
  CHECK(trace_of("00-" + trace + rest) == trace);
  CHECK(trace_of("01-" + trace + rest + "-more") == trace);
  for (const std::string& wrong :
       {std::string(), "00-" + trace, "ff-" + trace + rest, "00-" + trace + rest + "-more",
        "01-" + trace + rest + "more", "00-" + std::string(32, '0') + rest, "0G-" + trace + rest,
        "00-" + trace + "-0000000000000000-01", "00_" + trace + rest, "00-4BF" + trace.substr(3) + rest}) {
    INFO(wrong);
    CHECK(trace_of(wrong).empty());
  }
}

TEST_CASE("the local time follows the zone and the second", "[access_line]") {
  const char* before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TZ", "TEST-01:30", 1);
  ::tzset();
  AccessTime time;
  CHECK(time.at(0) == "01/Jan/1970:01:30:00 +0130");
  CHECK(time.at(1) == "01/Jan/1970:01:30:01 +0130");
  before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}
