// The question of `sluice explain` on its way to a worker, and the answer's two forms.
#include "connection/explanation.h"

#include <catch2/catch.hpp>

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

ExplainQuery some_query() {
  ExplainQuery query;
  query.method = "HEAD";
  query.target = "/a?b=c d";
  query.host = "example.org:8443";
  query.port = 8443;
  query.secure = true;
  query.client = "2001:db8::1";
  query.fields = {{"Accept", "text/html, */*;q=0.1"}, {"X", ""}};
  return query;
}

}  // namespace

TEST_CASE("a question is the same behind its way", "[explain]") {
  const auto query = ExplainQuery::decode(some_query().encode());
  REQUIRE(query);
  CHECK(query->encode() == some_query().encode());
  CHECK(query->fields == some_query().fields);
  CHECK(query->head() ==
        "HEAD /a?b=c d HTTP/1.1\r\nHost: example.org:8443\r\nAccept: text/html, */*;q=0.1\r\nX: \r\n\r\n");
}

TEST_CASE("a field Host takes the place of the URL's name", "[explain]") {
  ExplainQuery query = some_query();
  query.fields = {{"hOST", "other"}};
  CHECK(query.head() == "HEAD /a?b=c d HTTP/1.1\r\nhOST: other\r\n\r\n");
}

TEST_CASE("a question that cannot be meant is refused", "[explain]") {
  ExplainQuery query = some_query();
  query.client = "nobody";
  CHECK_THAT(ExplainQuery::decode(query.encode()).error().message, Contains("'nobody' is no address"));
  query.client = "unix";
  CHECK(ExplainQuery::decode(query.encode()));
  query.fields.resize(101);
  CHECK_THAT(ExplainQuery::decode(query.encode()).error().message, Contains("at most 100 fields"));
  CHECK_FALSE(ExplainQuery::decode("no netstrings at all"));
}

TEST_CASE("an answer is told as text and as JSON", "[explain]") {
  Explanation told{some_query()};
  told.decisions = {{"server", "takes the site a"}, {"m at /", "answers \x1b[31m404"}, {"m at /", "so it is"}};
  told.status = 404;
  told.head = "HTTP/1.1 404 Not Found\r\nServer: sluice\r\n\r\n";
  CHECK(told.text() ==
        "HEAD https://example.org:8443/a?b=c d from 2001:db8::1\n\n"
        "server\n    takes the site a\nm at /\n    answers \\x1b[31m404\n    so it is\n\n"
        "HTTP/1.1 404 Not Found\nServer: sluice\n");
  told.query.json = true;
  told.ending = "It ended.";
  CHECK(
      told.text() ==
      R"({"method":"HEAD","url":"https://example.org:8443/a?b=c d","client":"2001:db8::1","status":404,)"
      R"("decisions":[{"by":"server","what":"takes the site a"},{"by":"m at /","what":"answers \u001b[31m404"},)"
      R"({"by":"m at /","what":"so it is"}],"head":["HTTP/1.1 404 Not Found","Server: sluice"],)"
      "\"ending\":\"It ended.\"}\n");
}
