// The filter compress in the running server: before files and streams, over both protocols, to clients that
// decode.
#include <catch2/catch.hpp>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

std::string text_of(std::size_t lines) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += "line " + std::to_string(i * 7919) + " of a file\n";
  return text;
}

}  // namespace

TEST_CASE("files are coded for those who accept it, over both protocols", "[e2e][compress]") {
  const Site site({"compress", "static_sendfile"});
  const std::string text = text_of(100'000);
  site.write("a.txt", text);
  site.write("a.png", text);
  ServerProcess server(
      site, {"--protocols", "h2c,http/1.1", "--filter", "/=compress", "--mount", "/=static_sendfile"});
  for (const char* protocol : {"--http1.1", "--http2-prior-knowledge"}) {
    for (const char* coding : {"zstd", "br", "gzip"}) {
      const std::string accept = "Accept-Encoding: " + std::string(coding);
      const Outcome got = run({"curl", "-sS", "--compressed", "-H", accept, protocol, server.url("/a.txt")});
      CHECK(got.code == 0);
      CHECK(got.out == text);
      const Outcome raw = run({"curl", "-sS", "-i", "-H", accept, protocol, server.url("/a.txt")});
      CHECK(raw.out.size() < text.size() / 2);
      const Outcome head = run({"curl", "-sS", "-I", "-H", accept, protocol, server.url("/a.txt")});
      for (const auto& answer : {raw.out.substr(0, 1000), head.out}) {
        const std::string lower = [&] {
          std::string all;
          for (const char byte : answer)
            all += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
          return all;
        }();
        CHECK_THAT(lower, Contains("\ncontent-encoding: " + std::string(coding)) &&
                              Contains("\nvary: accept-encoding") &&
                              Contains("-" + std::string(coding) + "\"\r\n") && !Contains("\ncontent-length") &&
                              !Contains("\naccept-ranges"));
      }
    }
    const Outcome other = run({"curl", "-sS", "--compressed", "-D", "-", protocol, server.url("/a.png")});
    CHECK(other.out.ends_with(text));
    CHECK_THAT(other.out.substr(0, other.out.size() - text.size()),
               !Contains("ncoding", Catch::CaseSensitive::No));
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("conditions and ranges are right for both the plain and the coded file", "[e2e][compress]") {
  const Site site({"compress", "static_sendfile"});
  site.write("a.txt", text_of(1000));
  ServerProcess server(site, {"--filter", "/=compress", "--mount", "/=static_sendfile"});
  HttpClient client(server.endpoint());
  const std::string accept = "Accept-Encoding: br\r\n";
  std::string plain;
  CHECK(eventually([&] {  // a young file has a weak tag
    plain = client.get("/a.txt").field("ETag");
    return plain.starts_with('"');
  }));
  const std::string coded = client.get("/a.txt", accept).field("ETag");
  CHECK(coded == "W/" + plain.substr(0, plain.size() - 1) + "-br\"");
  const auto status = [&](const std::string& fields) { return client.get("/a.txt", fields).status; };
  CHECK(status(accept + "If-None-Match: " + coded + "\r\n") == 304);
  CHECK(status("If-None-Match: " + coded + "\r\n") == 200);
  CHECK(status("If-None-Match: " + plain + "\r\n") == 304);
  CHECK(client.get("/a.txt", accept + "If-None-Match: " + coded + "\r\n").field("ETag") == coded);
  const HttpAnswer part = client.get("/a.txt", accept + "Range: bytes=5-8\r\nIf-Range: " + plain + "\r\n");
  CHECK(part.status == 206);
  CHECK(part.body == "0 of");
  CHECK(part.field("ETag") == plain);
  CHECK(part.field("Vary") == "Accept-Encoding");
  const HttpAnswer whole = client.get("/a.txt", accept + "Range: bytes=5-8\r\nIf-Range: " + coded + "\r\n");
  CHECK(whole.status == 200);
  CHECK(whole.field("ETag") == coded);
  CHECK(server.stop() == 0);
}

TEST_CASE("a file that was compressed beforehand is sent as it is", "[e2e][compress]") {
  const Site site({"compress", "static_sendfile"});
  site.write("a.txt", text_of(1000));
  site.write("a.txt.gz", std::string(2000, 'z'));
  ServerProcess server(site, {"--filter", "/=compress", "--mount", "/=static_sendfile:precompressed=on"});
  HttpClient client(server.endpoint());
  const HttpAnswer answer = client.get("/a.txt", "Accept-Encoding: gzip\r\n");
  CHECK(answer.body == std::string(2000, 'z'));
  CHECK(answer.field("Vary") == "Accept-Encoding");
  CHECK(client.get("/a.txt", "Accept-Encoding: br\r\n").field("Content-Encoding") == "br");
  CHECK(server.stop() == 0);
}

TEST_CASE("events of a stream without an end come one by one", "[e2e][compress]") {
  const Site site({"compress", "ticker"});
  ServerProcess server(site, {"--protocols", "h2c,http/1.1", "--filter", "/=compress", "--mount", "/=ticker"});
  for (const char* protocol : {"--http1.1", "--http2-prior-knowledge"}) {
    for (const char* coding : {"zstd", "br", "gzip"}) {
      const Outcome got = run({"sh", "-c",
                               "curl -sN --compressed -H 'Accept-Encoding: " + std::string(coding) + "' " +
                                   protocol + " " + server.url("/timer?1000000") + " | head -n 3"});
      CHECK(got.out == "tick 1\ntick 2\ntick 3\n");
    }
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a file is coded once, and again when it has changed", "[e2e][compress]") {
  const Site site({"compress", "static_sendfile"});
  site.write("a.txt", text_of(50'000));
  ServerProcess server(site, {"--workers", "1", "--protocols", "h2c,http/1.1", "--filter",
                              "/=compress:variants_max=8M", "--mount", "/=static_sendfile"});
  for (const std::string& text : {text_of(50'000), text_of(60'000)}) {
    site.write("a.txt", text);
    HttpClient client(server.endpoint());
    CHECK(eventually([&] {  // once the file has a strong tag, and a thread has coded it
      return client.get("/a.txt", "Accept-Encoding: br\r\n").has("Content-Length");
    }));
    for (const char* protocol : {"--http1.1", "--http2-prior-knowledge"}) {
      const Outcome got =
          run({"curl", "-sS", "--compressed", "-H", "Accept-Encoding: br", protocol, server.url("/a.txt")});
      CHECK(got.code == 0);
      CHECK(got.out == text);
    }
    const HttpAnswer coded = client.get("/a.txt", "Accept-Encoding: br\r\n");
    CHECK(coded.field("Content-Encoding") == "br");
    CHECK(
        client.get("/a.txt", "Accept-Encoding: br\r\nIf-None-Match: " + coded.field("ETag") + "\r\n").status ==
        304);
    CHECK(client.get("/a.txt").body == text);
  }
  CHECK(server.stop() == 0);
}
