// Answers: RFC 9113 sections 8.1 to 8.3, and the rules of HTTP for files.
#include "conformance/http2_case.h"

namespace sluice::conformance {
namespace {

using enum Level;
using test::Fields;
using test::Http2Wire;

std::function<std::string(Http2Wire&)> ask(std::string path, std::string method = "GET", Fields more = {}) {
  return [=](Http2Wire& wire) { return wire.headers(1, wire.ask(path, method, more)); };
}

constexpr const char* kWritten = "Thu, 29 Feb 2024 12:00:00 GMT";

}  // namespace

std::vector<Http2Case> http2_answer_cases() {
  return {
      {must, "9113 8.3.2", "a file", ask("/ten.txt"), "1: 200 | 1: size 10 | 1: content-length=10"},
      {must, "9113 8.2.2", "no field of connections", ask("/ten.txt"),
       "1: !connection | 1: !keep-alive | 1: !transfer-encoding | 1: !upgrade"},
      {must, "9113 8.2.1", "names in lower case", ask("/ten.txt"),
       "1: accept-ranges=bytes | 1: !Accept-Ranges"},
      {should, "9110 8.8.2", "its date", ask("/ten.txt"), std::string("1: last-modified=") + kWritten},
      {must, "9110 9.3.2", "HEAD", ask("/ten.txt", "HEAD"), "1: 200 | 1: size 0 | 1: content-length=10"},
      {must, "9110 9.3.2", "HEAD of nothing", ask("/nothing", "HEAD"), "1: 404 | 1: size 0"},
      {must, "9110 9.3.2", "HEAD that is refused", ask("/%g", "HEAD"), "1: 400 | 1: size 0"},
      {must, "9110 15.4.5", "304", ask("/ten.txt", "GET", {{"if-none-match", "*"}}),
       "1: 304 | 1: size 0 | 1: !content-length"},
      {must, "9110 13.1.3", "304 by its date", ask("/ten.txt", "GET", {{"if-modified-since", kWritten}}),
       "1: 304 | 1: size 0"},
      {must, "9110 13.1.1", "412", ask("/ten.txt", "GET", {{"if-match", "\"x\""}}), "1: 412"},
      {must, "9110 15.3.7", "a range", ask("/ten.txt", "GET", {{"range", "bytes=2-4"}}),
       "1: 206 | 1: size 3 | 1: content-range=bytes 2-4/10 | 1: content-length=3"},
      {must, "9110 15.5.17", "a range behind the end", ask("/ten.txt", "GET", {{"range", "bytes=10-"}}),
       "1: 416 | 1: content-range=bytes */10"},
      {must, "9110 14.6", "several ranges", ask("/ten.txt", "GET", {{"range", "bytes=0-0,9-9"}}), "1: 206"},
      {must, "9110 15.5.6", "a method that files do not have", ask("/ten.txt", "DELETE"),
       "1: 405 | 1: allow=GET, HEAD, OPTIONS"},
      {must, "9110 9.3.7", "OPTIONS of a file", ask("/ten.txt", "OPTIONS"),
       "1: 204 | 1: allow=GET, HEAD, OPTIONS"},
      {must, "9110 9.3.8", "TRACE", ask("/ten.txt", "TRACE"), "1: 405"},
      {must, "9113 8.1", "a large file", ask("/big.bin"), "1: 200 | 1: size 1048576"},
      {must, "9113 8.1", "several answers at once",
       [](Http2Wire& wire) {
         std::string all;
         for (std::uint32_t id = 1; id < 16; id += 2)
           all += wire.get(id, id % 4 == 1 ? "/ten.txt" : "/big.bin");
         return all;
       },
       "1: size 10 | 3: size 1048576 | 13: size 10 | 15: size 1048576"},
      {ours, "9110 10.2.4", "the server's name", ask("/ten.txt"), "1: server=sluice"},
      {ours, "9110 15.5.5", "a page for an error", ask("/nothing"),
       "1: 404 | 1: content-type=text/html; charset=utf-8"},
      {ours, "9110 12.5.1", "or text", ask("/nothing", "GET", {{"accept", "text/plain"}}),
       "1: 404 | 1: content-type=text/plain; charset=utf-8"},
      {must, "9110 9.3.3", "POST to a file", ask("/ten.txt", "POST"), "1: 405"},
      {must, "9110 8.3", "content without a length",
       [](Http2Wire& wire) {
         return wire.headers(1, wire.ask("/echo/", "POST"), false) + Http2Wire::data(1, "hello");
       },
       "1: 200 | 1: size 5 | 1: !content-length"},
  };
}

}  // namespace sluice::conformance
