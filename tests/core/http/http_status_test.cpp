// Status codes by name, and the server's own pages.
#include "http/http_status.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("every status that the server uses has a name, and a page in two forms", "[http_status]") {
  for (const std::uint32_t status : {200u, 206u, 301u, 304u, 400u, 403u, 404u, 405u, 408u, 412u,
                                     414u, 416u, 417u, 421u, 431u, 500u, 501u, 503u, 504u, 505u}) {
    CHECK(reason_phrase(status) != "Unknown");
  }
  CHECK(reason_phrase(299) == "Unknown");
  CHECK(error_page(404, {}, true).content == "404 Not Found\n");
  CHECK(error_page(400, "No Host.", true).content == "400 Bad Request\nNo Host.\n");
  CHECK(has(error_page(404, {}, false).content, "<h1>404 Not Found</h1>\n</html>"));
  CHECK(has(error_page(400, "No Host.", false).content, "<h1>400 Bad Request</h1>\n<p>No Host.</p>\n</html>"));
  CHECK(has_no_content(204));
  CHECK_FALSE(has_no_content(200));
}
