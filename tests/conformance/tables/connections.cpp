// When a connection goes on and when it closes: RFC 9112 section 9, RFC 9110 section 7.6.1.
#include "conformance/tables/tables.h"

namespace sluice::conformance {
namespace {

using enum Level;

std::string with(std::string_view connection) {
  return get("/ten.txt", {std::string("Connection: ").append(connection)});
}
std::string old(Lines fields) {
  return "GET /ten.txt HTTP/1.0\r\n" + lines(fields);
}

}  // namespace

std::vector<Case> connection_cases() {
  return {
      {must, "9112 9.3", "HTTP/1.1 is kept", get("/ten.txt"), "200 | of /ten.txt | keeps"},
      {must, "9112 9.6", "close", with("close"), "200 | of /ten.txt | Connection: close | closes"},
      {must, "9112 9.6", "close has no case", with("Close"), "200 | of /ten.txt | closes"},
      {must, "9112 9.6", "close in a list", with("x-one, close"), "200 | of /ten.txt | closes"},
      {must, "9112 9.6", "close in a list without spaces", with("x-one,close,x-two"),
       "200 | of /ten.txt | closes"},
      {must, "9112 9.6", "close among empty members", with(", ,close, "), "200 | of /ten.txt | closes"},
      {must, "9112 9.6", "close in a second line", get("/ten.txt", {"Connection: x-one", "Connection: close"}),
       "200 | of /ten.txt | closes"},
      {must, "9112 9.3", "close wins over keep-alive", with("keep-alive, close"), "200 | of /ten.txt | closes"},
      {must, "9112 9.3", "a word that has close in it", with("closed"), "200 | of /ten.txt | keeps"},
      {must, "9112 9.3", "keep-alive in HTTP/1.1", with("keep-alive"), "200 | of /ten.txt | keeps"},
      {must, "9112 9.3", "a large file is kept, too", get("/big.bin"), "200 | of /big.bin | keeps"},
      {must, "9112 9.3", "a 404 is kept", get("/nothing"), "404 | keeps"},
      {must, "9112 9.3", "a 301 is kept", get("/folder"), "301 | keeps"},
      {must, "9112 9.3", "a 304 is kept", get("/ten.txt", {"If-None-Match: *"}), "304 | keeps"},
      {must, "9112 9.3", "a 412 is kept", get("/ten.txt", {"If-Match: \"x\""}), "412 | keeps"},
      {must, "9112 9.3", "a 416 is kept", get("/ten.txt", {"Range: bytes=99-"}), "416 | keeps"},
      {must, "9112 9.3", "a 206 is kept", get("/ten.txt", {"Range: bytes=1-2"}), "206 | of /ten.txt | keeps"},
      {must, "9112 9.6", "close on a 404", get("/nothing", {"Connection: close"}), "404 | closes"},
      {must, "9112 9.6", "close on HEAD", head("/ten.txt", {"Connection: close"}), "200 | closes"},
      {must, "9112 9.6", "close on a 304", get("/ten.txt", {"If-None-Match: *", "Connection: close"}),
       "304 | closes"},
      {must, "9112 9.6", "close on a large file", get("/big.bin", {"Connection: close"}),
       "200 | of /big.bin | closes"},
      {must, "9112 9.3", "HTTP/1.0 closes", old({}), "200 | of /ten.txt | closes"},
      {must, "9112 9.3", "HTTP/1.0 with a Host closes", old({"Host: test"}), "200 | of /ten.txt | closes"},
      {should, "9112 9.3", "HTTP/1.0 with keep-alive is kept", old({"Connection: keep-alive"}),
       "200 | of /ten.txt | Connection: keep-alive | keeps"},
      {should, "9112 9.3", "keep-alive has no case", old({"Connection: Keep-Alive"}),
       "200 | of /ten.txt | keeps"},
      {must, "9112 9.3", "HTTP/1.0 with keep-alive and close", old({"Connection: keep-alive, close"}),
       "200 | of /ten.txt | closes"},
      {must, "9112 6.1", "no chunks for HTTP/1.0", old({}), "200 | !Transfer-Encoding"},
      {must, "9112 9.3", "HTTP/1.0 and a 404", lines({"GET /nothing HTTP/1.0"}), "404 | closes"},
      {must, "9112 9.3", "HTTP/1.0 and a range", old({"Range: bytes=0-0"}), "200,206 | closes"},
      {must, "9110 7.6.1", "Proxy-Connection means nothing", get("/ten.txt", {"Proxy-Connection: close"}),
       "200 | of /ten.txt | keeps"},
      {ours, "9110 7.6.1", "Keep-Alive means nothing", get("/ten.txt", {"Keep-Alive: timeout=1, max=1"}),
       "200 | of /ten.txt | keeps"},
      {must, "9110 7.6.1", "an empty Connection", with(""), "200 | of /ten.txt | keeps"},
  };
}

}  // namespace sluice::conformance
