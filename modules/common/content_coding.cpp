#include "common/content_coding.h"

#include <algorithm>
#include <optional>

#include "common/preferences.h"

namespace sluice::files {
namespace {

constexpr std::array<std::string_view, kCodingCount> kNames = {"zstd", "br", "gzip", "identity"};
constexpr std::array<std::string_view, kCodingCount> kSuffixes = {".zst", ".br", ".gz", ""};

// What the list says of each coding, and of all that it does not name.
struct Weights {
  std::array<std::optional<unsigned>, kCodingCount> named;
  std::optional<unsigned> others;
};

// Of two weights for one coding the smaller counts: nobody is sent what was ruled out anywhere in the list.
void lessen(std::optional<unsigned>& slot, unsigned weight) {
  slot = std::min(slot.value_or(kFullWeight), weight);
}

// codings [ OWS ";" OWS "q=" qvalue ]. Anything else is ignored, so that it neither allows nor forbids.
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
  // Section 8.4.1.3: the old name of the same thing.
  if (same_name(name, "x-gzip")) lessen(weights.named[static_cast<std::size_t>(Coding::gzip)], *weight);
}

void take_list(std::string_view list, Weights& weights) {
  while (!list.empty()) take_member(next_part(list, ','), weights);
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
      // Not mentioned, it is acceptable, but behind all that was asked for.
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
