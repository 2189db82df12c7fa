#include "http/request_rules.h"

#include <catch2/catch.hpp>
#include <utility>

#include "http/http_fields.h"

using namespace sluice;

namespace {

std::vector<Field> fields_of(const std::vector<std::pair<const char*, const char*>>& lines) {
  std::vector<Field> fields;
  for (const auto& [name, value] : lines) {
    Field field;
    field.name = std::string_view(name);
    field.value = std::string_view(value);
    field.id = field_id(name);
    fields.push_back(field);
  }
  return fields;
}

TEST_CASE("methods are case-sensitive, and known by their whole name", "[request_rules]") {
  CHECK(method_of("GET") == Method::get);
  CHECK(method_of("DELETE") == Method::del);
  CHECK(method_of("CONNECT") == Method::connect);
  for (const char* name : {"", "get", "GE", "GETS", "PROPFIND"}) CHECK(method_of(name) == Method::other);
}

TEST_CASE("a method and the target that it may have", "[request_rules]") {
  struct Row {
    Method method;
    const char* target;
    std::uint32_t status;
  };
  const Row rows[] = {
      {Method::get, "/", 0},           {Method::options, "*", 0},           {Method::get, "*", 400},
      {Method::connect, "a:443", 405}, {Method::connect, "[::1]:443", 405}, {Method::connect, "a", 400},
      {Method::connect, "a:", 400},    {Method::connect, "/a:443", 400},
  };
  for (const Row& row : rows) {
    INFO(row.target);
    const Refusal refusal = judge_method(row.method, row.target);
    CHECK(refusal.status == row.status);
    CHECK(refusal.reason.empty() == (row.status == 0));
  }
}

TEST_CASE("a target is visible ASCII without a fragment", "[request_rules]") {
  CHECK(is_target("/a?b%20*"));
  for (const char* text : {"", "/a b", "/a#b", "/a\x7f", "/\xc3\xa9"}) CHECK_FALSE(is_target(text));
}

TEST_CASE("the fields that the server acts on", "[request_rules]") {
  ServerFields said;
  CHECK_FALSE(said.take(fields_of({{"host", "a:80"},
                                   {"content-length", "18446744073709551614"},
                                   {"connection", "te, Close"},
                                   {"connection", "keep-alive"},
                                   {"transfer-encoding", "gzip"},
                                   {"transfer-encoding", "Chunked"},
                                   {"expect", "100-Continue"},
                                   {"x", "\x01"}}),
                        11));
  CHECK(said.hosts == 1);
  CHECK(said.length == kUnknownSize - 1);
  CHECK(said.close);
  CHECK(said.keep);
  CHECK(said.expects_continue);
  CHECK(said.codings.any);
  CHECK(said.codings.chunked);
  CHECK(said.codings.others);
  CHECK_FALSE(said.codings.broken);
}

TEST_CASE("a field that breaks its grammar is refused, and says why", "[request_rules]") {
  struct Row {
    std::vector<std::pair<const char*, const char*>> lines;
    std::uint32_t status;
    const char* reason;
  };
  const Row rows[] = {
      {{{"host", "a"}, {"host", "a"}}, 400, "The request has more than one Host field."},
      {{{"host", "u@a"}}, 400, "The Host field is not a host with an optional port."},
      {{{"content-length", "1"}, {"content-length", "1"}},
       400,
       "The request has more than one Content-Length."},
      {{{"content-length", ""}}, 400, "The Content-Length is not a number of bytes."},
      {{{"content-length", "-1"}}, 400, "The Content-Length is not a number of bytes."},
      {{{"content-length", "+1"}}, 400, "The Content-Length is not a number of bytes."},
      {{{"content-length", "1, 1"}}, 400, "The Content-Length is not a number of bytes."},
      {{{"content-length", "18446744073709551615"}}, 400, "The Content-Length is not a number of bytes."},
      {{{"content-length", "18446744073709551616"}}, 400, "The Content-Length is not a number of bytes."},
      {{{"expect", "magic"}}, 417, "The only expectation that this server can meet is 100-continue."},
  };
  for (const Row& row : rows) {
    INFO(row.lines.back().second);
    ServerFields said;
    const Refusal refusal = said.take(fields_of(row.lines), 11);
    CHECK(refusal.status == row.status);
    CHECK(refusal.reason == row.reason);
  }
  ServerFields said;
  CHECK_FALSE(said.take(fields_of({{"expect", "magic"}}), 10));
  CHECK_FALSE(said.expects_continue);
}

}  // namespace
