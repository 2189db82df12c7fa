// Responses 103 before an answer, and trailers behind it, over both protocols.
#include <catch2/catch.hpp>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

TEST_CASE("early hints come first, and trailers last, over HTTP/1.1", "[e2e][hints]") {
  const Site site({"hints"});
  ServerProcess server(site, {"--workers", "1"});
  HttpClient client(server.endpoint());
  client.send("GET /hints/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string bytes = client.read_to_end();
  CHECK_THAT(bytes, StartsWith("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
                               "HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(bytes, Contains("X-Hinted: yes\r\n"));
  CHECK_THAT(bytes, EndsWith("\r\n0\r\nX-Size: 30000\r\nX-Refused: framing\r\n\r\n"));

  HttpClient sized(server.endpoint());
  sized.send("GET /hints/sized HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(sized.read_to_end(), EndsWith("xxx"));

  HttpClient old(server.endpoint());
  old.send("GET /hints/ HTTP/1.0\r\n\r\n");
  const std::string plain = old.read_to_end();
  CHECK_THAT(plain, StartsWith("HTTP/1.1 200 OK\r\n") && Contains("X-Hinted: no\r\n") && EndsWith("xxx"));

  HttpClient head(server.endpoint());
  head.send("HEAD /hints/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(head.read_to_end(), EndsWith("\r\n\r\n") && !Contains("xxx") && !Contains("X-Size"));
  CHECK(server.stop() == 0);
}

TEST_CASE("early hints come first, and trailers last, over HTTP/2", "[e2e][hints]") {
  const Site site({"hints"});
  ServerProcess server(site, {"--workers", "1", "--protocols", "h2c,http/1.1"});
  const std::string url = "http://127.0.0.1:" + std::to_string(server.endpoint().port) + "/hints/";
  const Outcome got = run({"nghttp", "-nv", url});
  CHECK(got.code == 0);
  CHECK_THAT(got.out, Contains(":status: 103") && Contains("link: </style.css>; rel=preload; as=style"));
  CHECK_THAT(got.out, Contains("x-hinted: yes"));
  CHECK_THAT(got.out, Contains("x-size: 30000") && Contains("x-refused: framing"));
  CHECK(got.out.find(":status: 103") < got.out.find(":status: 200"));
  CHECK(got.out.find(":status: 200") < got.out.find("x-size: 30000"));
  const Outcome sized = run({"nghttp", "-nv", url + "sized"});
  CHECK_THAT(sized.out, !Contains("x-size"));
  // curl takes the whole content for complete.
  const Outcome fetched = run({"curl", "-sS", "--http2-prior-knowledge", "-o", "-", url});
  CHECK(fetched.code == 0);
  CHECK(fetched.out.ends_with(std::string(30'000, 'x')));
  CHECK(server.stop() == 0);
}
