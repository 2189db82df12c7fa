#include "http/http_status.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice {
namespace {

struct Status {
  std::uint32_t code;
  std::string_view reason;
};
constexpr Status kStatuses[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},      // RFC 4918
    {208, "Already Reported"},  // RFC 5842
    {226, "IM Used"},           // RFC 3229
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},             // RFC 4918
    {424, "Failed Dependency"},  // RFC 4918
    {425, "Too Early"},          // RFC 8470
    {426, "Upgrade Required"},
    {428, "Precondition Required"},            // RFC 6585
    {429, "Too Many Requests"},                // RFC 6585
    {431, "Request Header Fields Too Large"},  // RFC 6585
    {451, "Unavailable For Legal Reasons"},    // RFC 7725
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},          // RFC 2295
    {507, "Insufficient Storage"},             // RFC 4918
    {508, "Loop Detected"},                    // RFC 5842
    {511, "Network Authentication Required"},  // RFC 6585
};

}  // namespace

std::string_view reason_phrase(std::uint32_t status) {
  const auto* found = std::find_if(std::begin(kStatuses), std::end(kStatuses),
                                   [status](const Status& known) { return known.code == status; });
  return found == std::end(kStatuses) ? "Unknown" : found->reason;
}

ErrorPage error_page(std::uint32_t status, std::string_view reason, bool as_text) {
  const std::string title = std::to_string(status) + " " + std::string(reason_phrase(status));
  if (as_text) {
    std::string text = title + "\n";
    if (!reason.empty()) text.append(reason).append("\n");
    return {"text/plain; charset=utf-8", std::move(text)};
  }
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      title + "</title>\n<h1>" + title + "</h1>\n";
  if (!reason.empty()) page.append("<p>").append(reason).append("</p>\n");
  return {"text/html; charset=utf-8", page + "</html>\n"};
}

}  // namespace sluice
