// Status codes by name, and the server's own pages.
#include "http/http_status.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace sluice;

namespace {

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("every registered status has its name, and a page in two forms", "[http_status]") {
  // From 200 to 599, the codes of IANA's "HTTP Status Code Registry" that are neither unused nor obsolete.
  const std::set<std::uint32_t> registered = {
      200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400,
      401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422,
      423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 511};
  for (std::uint32_t status = 200; status < 600; ++status) {
    CAPTURE(status);
    CHECK((reason_phrase(status) != "Unknown") == registered.contains(status));
  }
  CHECK(reason_phrase(205) == "Reset Content");
  CHECK(reason_phrase(425) == "Too Early");
  CHECK(reason_phrase(511) == "Network Authentication Required");
  CHECK(error_page(404, {}, true).content == "404 Not Found\n");
  CHECK(error_page(400, "No Host.", true).content == "400 Bad Request\nNo Host.\n");
  CHECK(has(error_page(404, {}, false).content, "<h1>404 Not Found</h1>\n</html>"));
  CHECK(has(error_page(400, "No Host.", false).content, "<h1>400 Bad Request</h1>\n<p>No Host.</p>\n</html>"));
  CHECK(has_no_content(204));
  CHECK_FALSE(has_no_content(200));
  CHECK_FALSE(has_no_content(205));
  for (const std::uint32_t status : {204u, 205u, 304u}) CHECK(forbids_content(status));
  CHECK_FALSE(forbids_content(200));
}
