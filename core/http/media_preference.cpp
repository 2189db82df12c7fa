#include "http/media_preference.h"

#include <algorithm>
#include <optional>

#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr int kFullWeight = 1000;  // weights are counted in thousandths
constexpr int kPrecisionMax = 3;

// Takes the part before the next separator off the text. Separators inside quotes do not count.
std::string_view next_part(std::string_view& text, char separator) {
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

// qvalue of RFC 9110 section 12.4.2: 0 or 1, and at most three decimals, which are zeros behind a 1.
std::optional<int> parse_weight(std::string_view text) {
  constexpr std::size_t kWeightMax = 5;  // "0.123"
  if (text.empty() || text.size() > kWeightMax || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = text[0] == '1' ? kFullWeight : 0;
  int unit = kFullWeight / 10;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    weight += (text[i] - '0') * unit;
  }
  if (weight > kFullWeight) return std::nullopt;
  return weight;
}

// The weight among a range's parameters. nullopt if the range is malformed, or has a parameter other than
// charset: then it names other types than ours, which have no other parameter.
std::optional<int> weight_among(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = next_part(parameters, ';');
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    if (equals_ignoring_case(name, "q"))
      return parse_weight(parameter.substr(std::min(equals + 1, parameter.size())));
    if (!parameter.empty() && !equals_ignoring_case(name, "charset")) return std::nullopt;
  }
  return kFullWeight;
}

// How precisely a range names the type; 0 if it does not.
int precision_of(std::string_view range, std::string_view type) {
  if (equals_ignoring_case(range, type)) return kPrecisionMax;
  if (range == "*/*") return 1;
  const std::size_t slash = type.find('/') + 1;
  const bool any_subtype =
      range.ends_with("/*") && equals_ignoring_case(range.substr(0, range.size() - 1), type.substr(0, slash));
  return any_subtype ? 2 : 0;
}

// The most precise range decides. Of two equally precise ones the smaller weight counts, so that a type with
// weight 0 anywhere is ruled out.
int rank_of(const Request& request, std::string_view type) {
  int weight = 0;
  int precision = 0;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (request.fields[i].id != FieldId::accept) continue;
    for (std::string_view list = request.fields[i].value; !list.empty();) {
      std::string_view parameters = next_part(list, ',');
      const int found = precision_of(next_part(parameters, ';'), type);
      const std::optional<int> said = weight_among(parameters);
      if (found == 0 || found < precision || !said) continue;
      weight = found > precision ? *said : std::min(weight, *said);
      precision = found;
    }
  }
  return weight == 0 ? -precision : weight * (kPrecisionMax + 1) + precision;
}

}  // namespace

bool prefers_media_type(const Request& request, std::string_view type, std::string_view usual) {
  return rank_of(request, type) > rank_of(request, usual);
}

}  // namespace sluice
