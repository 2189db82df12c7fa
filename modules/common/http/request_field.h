// Finds a field of a request by its name. Pure, any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string_view>

#include "common/http/text.h"

namespace sluice::files {

// The value of the first line with this name, in any case of letters; empty without one.
inline std::string_view field_of(const Request& request, std::string_view name) {
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (equals_ignoring_case(request.fields[i].name, name)) return request.fields[i].value;
  }
  return {};
}

}  // namespace sluice::files
