// The members of a field that is a list with weights: Accept, Accept-Encoding (RFC 9110 section 12.4.2). Pure
// functions, any thread. Views are of the request.
//
// core/http/media_preference reads Accept for Exchange::prefers: modules see the interface only, and what it
// answers is less than what they ask here.
#pragma once

#include <sluice/abi.h>

#include <optional>
#include <string_view>

namespace sluice::files {

inline constexpr unsigned kFullWeight = 1000;  // weights are counted in thousandths

struct WeightedMember {
  std::string_view name;           // in whatever case it was sent
  std::optional<unsigned> weight;  // nothing: it is malformed
  bool has_parameters = false;     // others than the weight, or empty ones
};

// Takes the next member off the front of the list. Separators inside quotes are none.
WeightedMember take_weighted_member(std::string_view& list);

// Calls `visit(member)` for each member. Several lines of one list field are one list.
template <typename Visit>
void for_each_weighted(const Request& request, FieldId id, Visit visit) {
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (request.fields[i].id != id) continue;
    for (std::string_view list = request.fields[i].value; !list.empty();) visit(take_weighted_member(list));
  }
}

}  // namespace sluice::files
