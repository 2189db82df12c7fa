// The grammar of rates: "10/s", "600/m", "1000/h". Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "limit/token_bucket.h"

namespace sluice::limit {

inline constexpr std::uint64_t kRateMax = 1'000'000;   // requests in one of the units
inline constexpr std::uint64_t kBurstMax = 1'000'000;  // so that no sum of times overflows

// With the burst of one second, or of one request if the rate is lower. Nothing for other texts.
std::optional<Rate> parse_rate(std::string_view text);

}  // namespace sluice::limit
