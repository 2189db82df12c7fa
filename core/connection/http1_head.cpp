#include "connection/http1_head.h"

#include <charconv>

#include "http/http_status.h"

namespace sluice {
namespace {

constexpr std::size_t kFixedLinesMax = 256;

void append_upgrade(std::string_view protocol, Output& out) {
  out.append("Upgrade: ");
  out.append(protocol);
  out.append("\r\nConnection: Upgrade\r\n\r\n");
}

std::string_view connection_line(const ResponseHead& head) {
  if (!head.keep_alive) return "Connection: close\r\n";
  return head.request_version == 10 ? "Connection: keep-alive\r\n" : "";
}

void append_number(Output& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append({digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace

std::size_t response_head_size_max(const ResponseHead& head) {
  return kFixedLinesMax + head.upgrade.size() + head.required_upgrade.size() + head.site_fields.size() +
         head.fields.size();
}

void write_response_head(const ResponseHead& head, Output& out) {
  out.append("HTTP/1.1 ");
  append_number(out, head.status);
  out.append(" ");
  out.append(reason_phrase(head.status));
  out.append(head.hides_server ? "\r\nDate: " : "\r\nServer: sluice\r\nDate: ");
  out.append(head.date);
  out.append("\r\n");
  out.append(head.site_fields);
  out.append(head.fields);
  if (!head.upgrade.empty()) return append_upgrade(head.upgrade, out);
  // An answer to HEAD has the same fields as one to GET (RFC 9110 section 9.3.2).
  if (!has_no_content(head.status)) {
    if (head.size != kUnknownSize) {
      out.append("Content-Length: ");
      append_number(out, head.size);
      out.append("\r\n");
    } else if (head.request_version != 10) {
      out.append("Transfer-Encoding: chunked\r\n");
    }
  }
  out.append(connection_line(head));
  if (!head.required_upgrade.empty()) return append_upgrade(head.required_upgrade, out);
  out.append("\r\n");
}

}  // namespace sluice
