#include "http/access_line.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <string>

using namespace sluice;

namespace {

struct Asked {
  RequestHead head;
  AccessFacts facts{head, "192.0.2.1:40000"};

  Asked() {
    head.method_name = "GET";
    head.target = "/a?b";
    head.host = "a.example";
    facts.local_time = "30/Nov/2026:20:37:31 +0100";
    facts.ended_us = 1'796'071'715'423'281;
    facts.took_ns = 1'500'000;
    facts.sent = 3;
    facts.status = 200;
    facts.ending = "complete";
    facts.site = "a.example";
    facts.module = "hello at /hello/";
  }
  Asked& with(const char* name, const char* value) {
    head.fields.push_back({name, value});
    return *this;
  }
  std::string combined() const {
    std::string line;
    append_combined(line, facts);
    return line;
  }
  std::string json() const {
    std::string line;
    append_json(line, facts);
    return line;
  }
};

}  // namespace

TEST_CASE("a line of the combined format", "[access_line]") {
  CHECK(Asked().combined() ==
        "192.0.2.1 - - [30/Nov/2026:20:37:31 +0100] \"GET /a?b HTTP/1.1\" 200 3 \"-\" \"-\"\n");
  Asked asked;
  asked.with("User-Agent", "me").with("REFERER", "http://r/").with("Authorization", "Basic bWU6cHc=");
  asked.head.version = 20;
  asked.facts.client = "[2001:db8::1]:40000";
  CHECK(asked.combined() ==
        "2001:db8::1 - me [30/Nov/2026:20:37:31 +0100] \"GET /a?b HTTP/2.0\" 200 3 \"http://r/\" \"me\"\n");
  asked.head.version = 10;
  asked.facts.client = "unix:";
  CHECK(asked.combined().starts_with("unix: - me ["));
  CHECK(asked.combined().find("HTTP/1.0\"") != std::string::npos);
  asked.facts.client = "[2001:db8::1]";
  CHECK(asked.combined().starts_with("2001:db8::1 - me ["));
  asked.facts.client = "192.0.2.1";
  CHECK(asked.combined().starts_with("192.0.2.1 - me ["));
}

TEST_CASE("what a client sends cannot end a field or a line", "[access_line]") {
  Asked asked;
  asked.head.target = "/\"\\";
  asked.with("user-agent", "a\x7f\t\xc3\xa9 b");
  CHECK(asked.combined() ==
        "192.0.2.1 - - [30/Nov/2026:20:37:31 +0100] \"GET /\\x22\\x5C HTTP/1.1\" 200 3 \"-\" "
        "\"a\\x7F\\x09\\xC3\\xA9 b\"\n");
  CHECK(asked.json().find(R"("uri":"/\u0022\u005c")") != std::string::npos);
  CHECK(asked.json().find(R"("User-Agent":["a\u007f\u0009\u00c3\u00a9 b"])") != std::string::npos);
}

TEST_CASE("a refused request shows its first line as it came", "[access_line]") {
  Asked asked;
  asked.head = {};
  CHECK(asked.combined().find("] \"-\" 200") != std::string::npos);
  asked.head.line = "\x16\x03 x";
  CHECK(asked.combined().find("] \"\\x16\\x03 x\" 200") != std::string::npos);
}

TEST_CASE("a line of the JSON format", "[access_line]") {
  Asked asked;
  asked.with("User-Agent", "me").with("Referer", "r");
  asked.with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  CHECK(
      asked.json() ==
      R"({"level":"info","ts":1796071715.423281,"logger":"http.log.access","msg":"handled request",)"
      R"("request":{"remote_ip":"192.0.2.1","remote_port":"40000","client_ip":"192.0.2.1","proto":"HTTP/1.1",)"
      R"("method":"GET","host":"a.example","uri":"/a?b","headers":{"User-Agent":["me"],"Referer":["r"]}},)"
      R"("secure":false,"user_id":"","duration":0.001500000,"size":3,"status":200,"site":"a.example",)"
      R"("module":"hello at /hello/","ending":"complete","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})"
      "\n");
}

TEST_CASE("the user of basic authentication", "[access_line]") {
  CHECK(basic_user("Basic bWU6cHc=") == "me");
  CHECK(basic_user("bAsIc  bWU6 ") == "me");
  for (const char* none : {"", "Basic", "Basic ", "Basic *", "Basic bWU", "Basic bWVwdw==", "Bearer bWU6cHc="})
    CHECK(basic_user(none).empty());
  CHECK(basic_user("Basic " + std::string(2000, 'A')).empty());
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
