#include "common/http/quality_list.h"

#include <algorithm>

#include "common/http/text.h"

namespace sluice::files {
namespace {

// Takes what stands before the next separator off the text, without the blanks around it.
std::string_view take_unquoted_part(std::string_view& text, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size() && (quoted || text[end] != separator); ++end) {
    if (text[end] == '"') quoted = !quoted;
    if (text[end] == '\\' && quoted) ++end;
  }
  end = std::min(end, text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(part);
}

// The qvalue: 0 or 1, and at most three decimals, which are zeros after a 1.
std::optional<unsigned> parse_weight(std::string_view text) {
  constexpr std::size_t kSizeMax = 5;  // "0.123"
  if (text.empty() || text.size() > kSizeMax || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned weight = text[0] == '1' ? kFullWeight : 0;
  unsigned unit = kFullWeight / 10;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (!is_digit(text[i])) return std::nullopt;
    weight += static_cast<unsigned>(text[i] - '0') * unit;
  }
  if (weight > kFullWeight) return std::nullopt;
  return weight;
}

}  // namespace

WeightedMember take_weighted_member(std::string_view& list) {
  std::string_view parameters = take_unquoted_part(list, ',');
  const bool ends_with_none = parameters.ends_with(';');
  WeightedMember member{take_unquoted_part(parameters, ';'), kFullWeight, ends_with_none};
  bool weighted = false;
  while (!parameters.empty()) {
    const std::string_view parameter = take_unquoted_part(parameters, ';');
    if (weighted || !equals_ignoring_case(parameter.substr(0, 2), "q=")) {
      member.has_parameters = true;
    } else {
      member.weight = parse_weight(parameter.substr(2));
      weighted = true;
    }
  }
  return member;
}

}  // namespace sluice::files
