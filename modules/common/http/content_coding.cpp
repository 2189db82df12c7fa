#include "common/http/content_coding.h"

#include <algorithm>
#include <optional>

#include "common/http/quality_list.h"
#include "common/http/text.h"

namespace sluice::files {
namespace {

constexpr std::array<std::string_view, kCodingCount> kNames = {"zstd", "br", "gzip", "identity"};
constexpr std::array<std::string_view, kCodingCount> kSuffixes = {".zst", ".br", ".gz", ""};

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
void take_member(const WeightedMember& member, Weights& weights) {
  if (!member.weight || member.has_parameters) return;
  if (member.name == "*") return lessen(weights.others, *member.weight);
  for (std::size_t i = 0; i < kCodingCount; ++i) {
    if (equals_ignoring_case(member.name, kNames[i])) return lessen(weights.named[i], *member.weight);
  }
  // Section 8.4.1.3: x-gzip is the old name of gzip.
  if (equals_ignoring_case(member.name, "x-gzip"))
    lessen(weights.named[static_cast<std::size_t>(Coding::gzip)], *member.weight);
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
  Codings offered;
  for (const Coding coding : {Coding::zstd, Coding::br, Coding::gzip}) offered.push_back(coding);
  return preferred_codings(request, offered);
}

Codings preferred_codings(const Request& request, const Codings& offered) {
  Weights weights;
  for_each_weighted(request, FieldId::accept_encoding,
                    [&](const WeightedMember& member) { take_member(member, weights); });
  std::array<Ranked, kCodingCount> ranked;
  std::size_t count = 0;
  const auto rank = [&](Coding coding) {
    const std::optional<unsigned> named = weights.named[static_cast<std::size_t>(coding)];
    const std::optional<unsigned> weight = named ? named : weights.others;
    if (weight.value_or(0) > 0) {
      ranked[count++] = {coding, *weight};
    } else if (!weight && coding == Coding::identity) {
      // If not mentioned, it is acceptable, but comes after all that was asked for.
      ranked[count++] = {coding, 0};
    }
  };
  std::for_each(offered.begin(), offered.end(), rank);
  rank(Coding::identity);
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(count);
  std::stable_sort(ranked.begin(), end, [](const Ranked& a, const Ranked& b) { return a.weight > b.weight; });
  Codings result;
  std::for_each(ranked.begin(), end, [&](const Ranked& item) { result.push_back(item.coding); });
  return result;
}

}  // namespace sluice::files
