// The JSON form of the access log.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "support/asked_line.h"
#include "telemetry/access_ring.h"

using namespace sluice;
using sluice::test::AskedLine;

namespace {

// A strict reader of JSON (RFC 8259) that keeps nothing.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}
  bool is_whole() { return value() && text_.empty(); }

 private:
  bool take(std::string_view what) {
    if (!text_.starts_with(what)) return false;
    text_.remove_prefix(what.size());
    return true;
  }
  bool digits() {
    const std::size_t count = std::min(text_.find_first_not_of("0123456789"), text_.size());
    text_.remove_prefix(count);
    return count > 0;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    return !take(".") || digits();
  }
  bool text() {
    if (!take("\"")) return false;
    while (!text_.empty() && text_.front() != '"') {
      if (static_cast<unsigned char>(text_.front()) < 0x20 || static_cast<unsigned char>(text_.front()) > 0x7e)
        return false;
      if (take("\\u")) {
        if (std::min(text_.find_first_not_of("0123456789abcdef"), text_.size()) < 4) return false;
        text_.remove_prefix(4);
      } else if (text_.front() == '\\') {
        return false;
      } else {
        text_.remove_prefix(1);
      }
    }
    return take("\"");
  }
  bool members(bool named, std::string_view end) {
    if (take(end)) return true;
    do {
      if (named && (!text() || !take(":"))) return false;
      if (!value()) return false;
    } while (take(","));
    return take(end);
  }
  bool value() {
    if (take("{")) return members(true, "}");
    if (take("[")) return members(false, "]");
    return take("true") || take("false") || (text_.starts_with('"') ? text() : number());
  }

  std::string_view text_;
};

bool is_json_line(std::string line) {
  if (line.empty() || line.back() != '\n') return false;
  line.pop_back();
  return JsonReader(line).is_whole();
}

}  // namespace

TEST_CASE("a line of the JSON format has Caddy's members, and ours behind them", "[access_line]") {
  AskedLine asked;
  asked.with("User-Agent", "me").with("Referer", "r").with("Cookie", "secret").with("X-Key", "secret");
  asked.with("Accept-Encoding", "br").with("Range", "bytes=0-").with("Authorization", "Basic bWU6cHc=");
  asked.with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const TlsFacts tls{0x0304, 0x1301, true, "h2", "a.example"};
  asked.head.version = 20;
  asked.facts.peer = "[2001:db8::7]:443";
  asked.facts.ended_us = 1'796'071'715'423'281;
  asked.facts.took_ns = 1'500'000;
  asked.facts.received = 5;
  asked.facts.fields = "Set-Cookie: secret\r\nContent-Type: text/html\r\ncontent-encoding: br\r\n";
  asked.facts.ending = "complete";
  asked.facts.site = "a.example";
  asked.facts.module = "hello";
  asked.facts.mount = "/hello/";
  asked.facts.generation = 3;
  asked.facts.connection = 7;
  asked.facts.waited_for = "handler";
  asked.facts.waited_ms = 1250;
  asked.facts.tls = &tls;
  asked.facts.secure = true;
  CHECK(
      asked.json() ==
      R"({"level":"info","ts":1796071715.423281,"logger":"http.log.access","msg":"handled request",)"
      R"("request":{"remote_ip":"2001:db8::7","remote_port":"443","client_ip":"192.0.2.1","proto":"HTTP/2.0",)"
      R"("method":"GET","host":"a.example","uri":"/a?b","headers":{"User-Agent":["me"],"Referer":["r"],)"
      R"("Accept-Encoding":["br"],"Range":["bytes=0-"]},"tls":{"resumed":true,"version":772,)"
      R"("cipher_suite":4865,"proto":"h2","server_name":"a.example"}},"bytes_read":5,"user_id":"me",)"
      R"("duration":0.001500000,"size":3,"status":200,"resp_headers":{"Content-Type":["text/html"],)"
      R"("Content-Encoding":["br"]},"site":"a.example","module":"hello","mount":"/hello/","generation":3,)"
      R"("connection":7,"ending":"complete","waited_for":"handler","waited":1.250,"secure":true,)"
      R"("coding":"br","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})"
      "\n");
  CHECK(is_json_line(asked.json()));
}

TEST_CASE("a line of the JSON format without most of it", "[access_line]") {
  AskedLine asked;
  asked.head = {};
  asked.head.version = 0;
  asked.facts.status = 503;
  asked.facts.why = "no cipher";
  const std::string line = asked.json();
  CHECK(line.starts_with(R"({"level":"error")"));
  CHECK(line.find(R"("remote_ip":"192.0.2.1","remote_port":"40000","client_ip":"192.0.2.1","proto":"")") !=
        std::string::npos);
  CHECK(line.find(R"("why":"no cipher")") != std::string::npos);
  CHECK(line.find("tls") == std::string::npos);
  CHECK(line.find("trace_id") == std::string::npos);
  CHECK(is_json_line(line));
  asked.head.read_fields = {{"User-Agent", "", FieldId::user_agent}};
  CHECK(asked.json().find(R"("headers":{"User-Agent":[""]})") != std::string::npos);
}

TEST_CASE("whatever a client sends, the line is JSON, and fits into the ring", "[access_line]") {
  CHECK_FALSE(is_json_line("{\"a\":\"\x01\"}\n"));
  CHECK_FALSE(is_json_line("{\"a\":\"\"b\"}\n"));
  std::mt19937 random(7);
  const auto bytes = [&](std::size_t max) {
    std::string text(std::uniform_int_distribution<std::size_t>(0, max)(random), '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xff);
    return text;
  };
  for (int i = 0; i < 300; ++i) {
    const std::size_t max = i < 250 ? 40 : 30'000;
    const std::string method = bytes(max), target = bytes(max), host = bytes(max), value = bytes(max);
    const std::string lines = "Location: " + bytes(max) + "\r\nContent-Type: " + bytes(max);
    const std::string credentials = "Basic " + value;
    const TlsFacts tls{772, 1, false, method, host};
    AskedLine asked;
    asked.head.method_name = method;
    asked.head.target = target;
    asked.head.host = host;
    asked.with("User-Agent", value).with("Range", value).with("Authorization", credentials);
    asked.facts.fields = lines;
    asked.facts.tls = &tls;
    const std::string line = asked.json();
    CHECK(is_json_line(line));
    CHECK(line.size() <= AccessRing::kLineMax);
  }
}

TEST_CASE("the longest texts of the JSON format fit into the ring", "[access_line]") {
  const std::string most(100'000, '\xff');
  const std::string lines = "Location: " + most + "\r\nContent-Type: " + most + "\r\nContent-Encoding: " + most;
  const std::string credentials = "Basic " + std::string(80'000, '/') + "+zo6";
  const TlsFacts tls{772, 1, false, most, most};
  AskedLine asked;
  asked.head.method_name = asked.head.target = asked.head.host = most;
  for (const char* name : {"User-Agent", "Referer", "Accept-Encoding", "Range"}) asked.with(name, most);
  asked.with("Authorization", credentials);
  AccessFacts& facts = asked.facts;
  facts.fields = lines;
  facts.ending = facts.why = facts.site = facts.module = facts.mount = facts.waited_for = most;
  facts.tls = &tls;
  CHECK(asked.json().size() > 100'000);
  CHECK(asked.json().size() <= AccessRing::kLineMax);
  CHECK(is_json_line(asked.json()));
}
