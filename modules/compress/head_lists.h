// The members of fields of an answer's head that are lists. Pure, any thread.
#pragma once

#include <sluice/filter.h>

#include <cstdint>
#include <string_view>

#include "common/http/text.h"

namespace sluice::compress {

// Calls `visit(member)` for each member of a list field, and stops when it returns true.
template <typename Visit>
bool any_member(const AnswerHead& head, std::string_view name, Visit visit) {
  for (std::uint32_t i = 0, count = head.field_count(); i < count; ++i) {
    const Field field = head.field_at(i);
    if (!files::equals_ignoring_case(field.name, name)) continue;
    for (std::string_view list = field.value; !list.empty();) {
      const std::string_view member = files::trimmed(files::take_part(list, ','));
      if (!member.empty() && visit(member)) return true;
    }
  }
  return false;
}

}  // namespace sluice::compress
