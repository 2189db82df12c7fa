// What a client would rather have, as its lists of preferences say (RFC 9110 section 12). Pure, any thread;
// owns nothing. By the same rule as the server's own pages.
#pragma once

#include <sluice/abi.h>

#include <optional>
#include <string_view>

namespace sluice::files {

inline constexpr unsigned kFullWeight = 1000;  // weights are counted in thousandths

// `name` is in lower case.
bool same_name(std::string_view sent, std::string_view name);

// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);

// Takes what stands before the next separator off the text, trimmed. Inside quotes there is none.
std::string_view next_part(std::string_view& text, char separator);

// qvalue of section 12.4.2: 0 or 1, and at most three decimals, which behind 1 are zeros.
std::optional<unsigned> parse_weight(std::string_view text);

// Whether the Accept of the request speaks for the media type more than for `usual`, both in lower case: by
// weight, among equals by how precisely it is named. What is ruled out comes last.
bool prefers(const Request& request, std::string_view type, std::string_view usual);

}  // namespace sluice::files
