// A request, and what is known of it at its end, for tests of the access log's lines.
#pragma once

#include <string>
#include <string_view>

#include "http/access_line.h"
#include "http/http_fields.h"

namespace sluice::test {

struct AskedLine {
  RequestHead head;
  AccessFacts facts{head, "192.0.2.1:40000"};

  AskedLine() {
    head.method = Method::get;
    head.method_name = "GET";
    head.target = "/a?b";
    head.host = "a.example";
    head.line = "GET /a?b HTTP/1.1";
    facts.local_time = "30/Nov/2026:20:37:31 +0100";
    facts.sent = 3;
    facts.status = 200;
  }
  AskedLine& with(std::string_view name, std::string_view value) {
    head.fields.push_back({name, value, field_id(name)});
    return *this;
  }
  std::string combined() const {
    LineBuffer line;
    append_combined(line, facts);
    return std::string(line.text());
  }
  std::string json() const {
    LineBuffer line;
    append_json(line, facts);
    return std::string(line.text());
  }
};

}  // namespace sluice::test
