#include "common/http/content_coding.h"

#include <algorithm>
#include <optional>

namespace sluice::files {
namespace {

constexpr unsigned kFullWeight = 1000;  // weights are counted in thousandths

constexpr std::array<std::string_view, kCodingCount> kNames = {"zstd", "br", "gzip", "identity"};
constexpr std::array<std::string_view, kCodingCount> kSuffixes = {".zst", ".br", ".gz", ""};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view sent, std::string_view name) {
  return std::equal(sent.begin(), sent.end(), name.begin(), name.end(),
                    [](char left, char right) { return lower(left) == right; });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The qvalue of section 12.4.2: 0 or 1, and at most three decimals, which are zeros after a 1.
std::optional<unsigned> parse_weight(std::string_view text) {
  constexpr std::size_t kSizeMax = 5;  // "0.123"
  if (text.empty() || text.size() > kSizeMax || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned weight = text[0] == '1' ? kFullWeight : 0;
  unsigned unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    weight += static_cast<unsigned>(text[i] - '0') * unit;
  }
  if (weight > kFullWeight) return std::nullopt;
  return weight;
}

// The weight that the list gives to each coding, and to all that it does not name.
struct Weights {
  std::array<std::optional<unsigned>, kCodingCount> named;
  std::optional<unsigned> others;
};

// The smaller of two weights for one coding counts: what the list rules out anywhere is not sent.
void lessen(std::optional<unsigned>& slot, unsigned weight) {
  slot = std::min(slot.value_or(kFullWeight), weight);
}

// codings [ OWS ";" OWS "q=" qvalue ]. A malformed member is ignored: it neither allows nor forbids.
void take_member(std::string_view member, Weights& weights) {
  const std::size_t semicolon = member.find(';');
  std::optional<unsigned> weight = kFullWeight;
  if (semicolon != std::string_view::npos) {
    const std::string_view parameter = trim(member.substr(semicolon + 1));
    if (!same_name(parameter.substr(0, 2), "q=")) return;
    weight = parse_weight(parameter.substr(2));
  }
  if (!weight) return;
  const std::string_view name = trim(member.substr(0, semicolon));
  if (name == "*") return lessen(weights.others, *weight);
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    if (same_name(name, kNames[i])) return lessen(weights.named[i], *weight);
  }
  // Section 8.4.1.3: x-gzip is the old name of gzip.
  if (same_name(name, "x-gzip")) lessen(weights.named[static_cast<std::size_t>(Coding::gzip)], *weight);
}

void take_list(std::string_view list, Weights& weights) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    take_member(trim(list.substr(0, comma)), weights);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

struct Ranked {
  Coding coding;
  unsigned weight;
};

}  // namespace

std::string_view coding_name(Coding coding) {
  return kNames[static_cast<std::size_t>(coding)];
}

std::string_view coding_suffix(Coding coding) {
  return kSuffixes[static_cast<std::size_t>(coding)];
}

Codings preferred_codings(const Request& request) {
  // Several lines of one list field are one list.
  Weights weights;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (request.fields[i].id == FieldId::accept_encoding) take_list(request.fields[i].value, weights);
  }
  std::array<Ranked, kCodingCount> ranked;
  std::size_t count = 0;
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    const auto coding = static_cast<Coding>(i);
    const std::optional<unsigned> weight = weights.named[i] ? weights.named[i] : weights.others;
    if (weight.value_or(0) > 0) {
      ranked[count++] = {coding, *weight};
    } else if (!weight && coding == Coding::identity) {
      // If not mentioned, it is acceptable, but comes after all that was asked for.
      ranked[count++] = {coding, 0};
    }
  }
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(count);
  std::stable_sort(ranked.begin(), end, [](const Ranked& a, const Ranked& b) { return a.weight > b.weight; });
  Codings result;
  std::for_each(ranked.begin(), end, [&](const Ranked& item) { result.push_back(item.coding); });
  return result;
}

}  // namespace sluice::files
