#include "common/http/html_wish.h"

#include <algorithm>
#include <string_view>

namespace sluice::files {
namespace {

constexpr int kNamed = 3;

std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  const std::size_t first = std::min(part.find_first_not_of(" \t"), part.size());
  return part.substr(first, part.find_last_not_of(" \t") + 1 - first);
}

bool same_name(std::string_view sent, std::string_view name) {
  return std::equal(sent.begin(), sent.end(), name.begin(), name.end(), [](char left, char right) {
    return (left >= 'A' && left <= 'Z' ? left - 'A' + 'a' : left) == right;
  });
}

// How precisely a media range names HTML; 0 if it does not.
int precision_of(std::string_view range) {
  if (same_name(range, "text/html") || same_name(range, "application/xhtml+xml")) return kNamed;
  if (same_name(range, "text/*")) return 2;
  return range == "*/*" ? 1 : 0;
}

// Whether "q=0", "q=0.000" or the like is among the parameters.
bool rules_out(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = take_until(parameters, ';');
    if (!same_name(value.substr(0, 2), "q=")) continue;
    value.remove_prefix(2);
    return value.starts_with('0') && value.find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

}  // namespace

HtmlWish html_wish(const Request& request) {
  bool sent = false;
  bool ruled_out = false;
  int precision = 0;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (request.fields[i].id != FieldId::accept) continue;
    for (std::string_view list = request.fields[i].value; !list.empty();) {
      std::string_view parameters = take_until(list, ',');
      const std::string_view range = take_until(parameters, ';');
      if (range.empty()) continue;
      sent = true;
      const int found = precision_of(range);
      if (found == 0 || found < precision) continue;
      ruled_out = rules_out(parameters) || (ruled_out && found == precision);
      precision = found;
    }
  }
  if (!sent) return HtmlWish::allowed;
  if (precision == 0 || ruled_out) return HtmlWish::refused;
  return precision == kNamed ? HtmlWish::named : HtmlWish::allowed;
}

}  // namespace sluice::files
