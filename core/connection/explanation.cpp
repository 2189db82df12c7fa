#include "connection/explanation.h"

#include <sluice/kit/json.h>

#include <fmt/core.h>

#include "base/text.h"

namespace sluice {
namespace {

// The lines of a head without its end.
std::vector<std::string_view> lines_of(std::string_view head) {
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    const std::string_view line = trimmed(take_part(head, "\n"), "\r");
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// No byte of a name may control a terminal.
std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string shown;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x20 && code != 0x7f) {
      shown += byte;
    } else {
      shown.append("\\x").append(1, kHex[code >> 4]).append(1, kHex[code & 15]);
    }
  }
  return shown;
}

std::string url_of(const ExplainQuery& query) {
  return fmt::format("{}://{}{}", query.secure ? "https" : "http", query.host, query.target);
}

std::string as_text(const Explanation& told) {
  std::string text =
      printable(fmt::format("{} {} from {}", told.query.method, url_of(told.query), told.query.client));
  text += "\n\n";
  std::string_view by;
  for (const ExplainedDecision& decision : told.decisions) {
    if (decision.by != by) text += printable(decision.by) + "\n";
    by = decision.by;
    text += "    " + printable(decision.what) + "\n";
  }
  text += "\n";
  for (const std::string_view line : lines_of(told.head)) text += printable(line) + "\n";
  if (!told.ending.empty()) text += told.ending + "\n";
  return text;
}

std::string as_json(const Explanation& told) {
  kit::JsonText json;
  json.object().member("method", told.query.method).member("url", url_of(told.query));
  json.member("client", told.query.client).member("status", told.status);
  json.key("decisions").array();
  for (const ExplainedDecision& decision : told.decisions)
    json.object().member("by", decision.by).member("what", decision.what).end();
  json.end().key("head").array();
  for (const std::string_view line : lines_of(told.head)) json.value(line);
  json.end().member("ending", told.ending);
  return json.end().dump() + "\n";
}

}  // namespace

std::string Explanation::text() const {
  return query.json ? as_json(*this) : as_text(*this);
}

}  // namespace sluice
