// Heads of HTTP/2's fields: RFC 9113 section 8.
#include "http/http2_fields.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace sluice;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const Fields kGet = {{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/x?y"}};

Fields with(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
Fields without(const std::string& name) {
  Fields fields;
  for (const auto& field : kGet) {
    if (field.first != name) fields.push_back(field);
  }
  return fields;
}
Fields changed(const std::string& name, const std::string& value) {
  Fields fields = kGet;
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

struct Judged {
  Http2RequestFields fields;
  Limits limits;
  bool has_body = false;
  bool secure = true;

  Refusal judge(const Fields& list) {
    fields.start();
    for (const auto& [name, value] : list) fields.add(name, value, limits);
    return fields.judge(has_body, secure, limits);
  }
};

}  // namespace

TEST_CASE("a head is made of fields", "[http2_fields]") {
  Judged judged;
  REQUIRE_FALSE(judged.judge(with(kGet, {{"accept", "*/*"}, {"x-y", "z"}})));
  const RequestHead& head = judged.fields.head();
  CHECK(head.method == Method::get);
  CHECK(head.method_name == "GET");
  CHECK(head.version == kHttp2Version);
  CHECK(head.target == "/x?y");
  CHECK(head.host == "a.example");
  CHECK(head.body_size == 0);
  REQUIRE(head.fields.size() == 3);
  CHECK(std::string_view(head.fields[0].name) == "host");
  CHECK(std::string_view(head.fields[0].value) == "a.example");
  CHECK(head.fields[0].id == FieldId::host);
  CHECK(head.fields[1].id == FieldId::accept);
  CHECK(std::string_view(head.fields[2].value) == "z");
}

TEST_CASE("a Host field that agrees with the authority stays", "[http2_fields]") {
  Judged judged;
  REQUIRE_FALSE(judged.judge(with(kGet, {{"host", "A.example"}})));
  CHECK(judged.fields.head().fields.size() == 1);
  CHECK(judged.fields.head().host == "a.example");
  REQUIRE_FALSE(judged.judge(with(without(":authority"), {{"host", "b"}})));
  CHECK(judged.fields.head().host == "b");
}

TEST_CASE("cookies of several fields become one", "[http2_fields]") {
  Judged judged;
  REQUIRE_FALSE(
      judged.judge(with(kGet, {{"cookie", "a=1"}, {"accept", "*/*"}, {"cookie", "b=2"}, {"cookie", "c"}})));
  const RequestHead& head = judged.fields.head();
  REQUIRE(head.fields.size() == 3);
  CHECK(std::string_view(head.fields[1].value) == "a=1; b=2; c");
  CHECK(head.fields[2].id == FieldId::accept);
}

TEST_CASE("bodies have a length, or end with their stream", "[http2_fields]") {
  Judged judged;
  judged.has_body = true;
  REQUIRE_FALSE(judged.judge(kGet));
  CHECK(judged.fields.head().body_size == kUnknownSize);
  REQUIRE_FALSE(judged.judge(with(kGet, {{"content-length", "12"}, {"expect", "100-continue"}})));
  CHECK(judged.fields.head().body_size == 12);
  CHECK(judged.fields.head().expects_continue);
  CHECK(judged.judge(with(kGet, {{"content-length", "99999999999"}})).status == 413);
  CHECK(judged.judge(with(kGet, {{"content-length", "1"}, {"content-length", "1"}})).status == 400);
  CHECK(judged.judge(with(kGet, {{"content-length", "-1"}})).status == 400);
  CHECK(judged.judge(with(kGet, {{"expect", "miracles"}})).status == 417);
}

TEST_CASE("heads that are refused", "[http2_fields]") {
  struct Case {
    Fields fields;
    std::uint32_t status;
  };
  const Case cases[] = {
      {without(":method"), 400},
      {without(":path"), 400},
      {without(":scheme"), 400},
      {without(":authority"), 400},
      {with(kGet, {{":path", "/z"}}), 400},
      {with(kGet, {{":status", "200"}}), 400},
      {with(kGet, {{":protocol", "websocket"}}), 400},
      {with({{"accept", "*/*"}}, kGet), 400},
      {with(kGet, {{"Accept", "*/*"}}), 400},
      {with(kGet, {{"connection", "close"}}), 400},
      {with(kGet, {{"keep-alive", "1"}}), 400},
      {with(kGet, {{"proxy-connection", "close"}}), 400},
      {with(kGet, {{"transfer-encoding", "chunked"}}), 400},
      {with(kGet, {{"upgrade", "h2c"}}), 400},
      {with(kGet, {{"te", "gzip"}}), 400},
      {with(kGet, {{"te", "trailers"}}), 0},
      {with(kGet, {{"host", "b.example"}}), 400},
      {with(kGet, {{"host", "a.example"}, {"host", "a.example"}}), 400},
      {changed(":path", ""), 400},
      {changed(":path", "x"), 400},
      {changed(":path", "/a b"), 400},
      {changed(":path", "/a#b"), 400},
      {changed(":path", "https://a.example/"), 400},
      {changed(":path", "*"), 400},
      {with({{":method", "OPTIONS"}, {":scheme", "https"}, {":authority", "a"}, {":path", "*"}}, {}), 0},
      {changed(":path", "/" + std::string(9000, 'a')), 414},
      {with(kGet, {{"x", std::string(17'000, 'a')}}), 431},
      {with(kGet, Fields(101, {"x", "y"})), 431},
      {changed(":authority", ""), 400},
      {changed(":authority", "a b"), 400},
      {changed(":authority", "user@a.example"), 400},
      {changed(":scheme", "ftp"), 400},
      {changed(":scheme", "http"), 421},
      {changed(":method", "G T"), 400},
      {changed(":method", "BREW"), 0},
      {{{":method", "CONNECT"}, {":authority", "a.example:443"}}, 405},
      {{{":method", "CONNECT"}, {":authority", "a.example"}}, 400},
      {changed(":method", "CONNECT"), 400},
  };
  Judged judged;
  for (const Case& one : cases) {
    INFO(one.fields[0].second << " " << one.fields.back().first << ": "
                              << one.fields.back().second.substr(0, 80));
    CHECK(judged.judge(one.fields).status == one.status);
  }
}

TEST_CASE("in clear text a proxy may have taken TLS off", "[http2_fields]") {
  Judged judged;
  judged.secure = false;
  CHECK_FALSE(judged.judge(kGet));
  CHECK_FALSE(judged.judge(changed(":scheme", "http")));
}

TEST_CASE("the known parts of a refused head stay", "[http2_fields]") {
  Judged judged;
  CHECK(judged.judge(with({{":method", "HEAD"}}, {{":path", "/"}, {"x", std::string(17'000, 'a')}})).status ==
        431);
  CHECK(judged.fields.head().method == Method::head);
}

TEST_CASE("an answer's head becomes fields", "[http2_fields]") {
  Http2ResponseFields response;
  ResponseHead head;
  head.status = 206;
  head.size = 12345;
  head.fields = "Content-Type: text/plain\r\nX-Empty: \r\n";
  head.site_fields = "Strict-Transport-Security: max-age=1\r\n";
  head.date = "now";
  const auto text_of = [&] {
    std::string text;
    for (const nghttp2_nv& field : response.of(head)) {
      text.append(reinterpret_cast<const char*>(field.name), field.namelen).append("=");
      text.append(reinterpret_cast<const char*>(field.value), field.valuelen).append(";");
    }
    return text;
  };
  CHECK(
      text_of() ==
      ":status=206;server=sluice;date=now;strict-transport-security=max-age=1;content-type=text/plain;x-empty=;"
      "content-length=12345;");
  head.size = kUnknownSize;
  head.fields = head.site_fields = {};
  CHECK(text_of() == ":status=206;server=sluice;date=now;");
  head.status = 304;
  head.size = 0;
  CHECK(text_of() == ":status=304;server=sluice;date=now;");
}
