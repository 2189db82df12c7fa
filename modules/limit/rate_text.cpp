#include "limit/rate_text.h"

#include <algorithm>
#include <charconv>

namespace sluice::limit {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

// 0 for other texts.
std::uint64_t unit_ns(std::string_view unit) {
  if (unit == "s") return kSecondNs;
  if (unit == "m") return 60 * kSecondNs;
  return unit == "h" ? 3600 * kSecondNs : 0;
}

}  // namespace

std::optional<Rate> parse_rate(std::string_view text) {
  const char* const last = text.data() + text.size();
  std::uint64_t requests = 0;
  const auto [end, error] = std::from_chars(text.data(), last, requests);
  if (error != std::errc() || end == last || *end != '/') return std::nullopt;
  const std::uint64_t unit = unit_ns({end + 1, static_cast<std::size_t>(last - end - 1)});
  if (unit == 0 || requests == 0 || requests > kRateMax) return std::nullopt;
  Rate rate;
  rate.interval_ns = unit / requests;
  rate.burst = std::max<std::uint64_t>(kSecondNs / rate.interval_ns, 1);
  return rate;
}

}  // namespace sluice::limit
