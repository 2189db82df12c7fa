#include "common/preferences.h"

#include <algorithm>

namespace sluice::files {
namespace {

constexpr int kPrecisionMax = 3;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool same_name(std::string_view sent, std::string_view name) {
  return std::equal(sent.begin(), sent.end(), name.begin(), name.end(),
                    [](char left, char right) { return lower(left) == right; });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

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
  return trim(part);
}

std::optional<unsigned> parse_weight(std::string_view text) {
  constexpr std::size_t kSizeMax = 5;  // "0.123"
  if (text.empty() || text.size() > kSizeMax || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned weight = text[0] == '1' ? kFullWeight : 0;
  unsigned unit = kFullWeight / 10;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    weight += static_cast<unsigned>(text[i] - '0') * unit;
  }
  if (weight > kFullWeight) return std::nullopt;
  return weight;
}

namespace {

// The weight among a range's parameters. None when the range is of no use here: it is malformed, or has a
// parameter, and so means other types than ours, which have none but a charset.
std::optional<unsigned> weight_among(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = next_part(parameters, ';');
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    if (same_name(name, "q")) return parse_weight(parameter.substr(std::min(equals + 1, parameter.size())));
    if (!parameter.empty() && !same_name(name, "charset")) return std::nullopt;
  }
  return kFullWeight;
}

// How precisely a range names the type; 0 for not at all.
int precision_of(std::string_view range, std::string_view type) {
  if (same_name(range, type)) return kPrecisionMax;
  if (range == "*/*") return 1;
  const std::size_t slash = type.find('/') + 1;
  const bool any_subtype =
      range.ends_with("/*") && same_name(range.substr(0, range.size() - 1), type.substr(0, slash));
  return any_subtype ? 2 : 0;
}

// The most precise range decides; of two alike the smaller weight, so that nobody is sent what was ruled out
// anywhere.
int rank_of(const Request& request, std::string_view type) {
  unsigned weight = 0;
  int precision = 0;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (request.fields[i].id != FieldId::accept) continue;
    for (std::string_view list = request.fields[i].value; !list.empty();) {
      std::string_view parameters = next_part(list, ',');
      const int found = precision_of(next_part(parameters, ';'), type);
      const std::optional<unsigned> said = weight_among(parameters);
      if (found == 0 || found < precision || !said) continue;
      weight = found > precision ? *said : std::min(weight, *said);
      precision = found;
    }
  }
  return weight == 0 ? -precision : static_cast<int>(weight) * (kPrecisionMax + 1) + precision;
}

}  // namespace

bool prefers(const Request& request, std::string_view type, std::string_view usual) {
  return rank_of(request, type) > rank_of(request, usual);
}

}  // namespace sluice::files
