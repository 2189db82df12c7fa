#include "common/http/preconditions.h"

#include <algorithm>
#include <optional>

#include "common/http/http_time.h"

namespace sluice::files {
namespace {

bool is_weak(std::string_view tag) {
  return tag.starts_with("W/");
}

std::string_view opaque(std::string_view tag) {
  if (is_weak(tag)) tag.remove_prefix(2);
  return tag;
}

// etagc: any visible byte but a quote, and obs-text (RFC 9110 section 8.8.3).
bool is_tag_byte(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code == 0x21 || (code >= 0x23 && code != 0x7f);
}

// Takes the tag at the front of a list, with the comma behind it. Empty when the list has ended, or is
// malformed from here on.
std::string_view take_tag(std::string_view& list) {
  const std::size_t start = list.find_first_not_of(" \t,");
  if (start == std::string_view::npos) return {};
  list.remove_prefix(start);
  const std::size_t quote = is_weak(list) ? 2 : 0;
  if (list.size() <= quote || list[quote] != '"') return {};
  const auto end =
      std::find_if_not(list.begin() + static_cast<std::ptrdiff_t>(quote) + 1, list.end(), is_tag_byte);
  if (end == list.end() || *end != '"') return {};
  const auto size = static_cast<std::size_t>(end - list.begin()) + 1;
  const std::string_view tag = list.substr(0, size);
  list.remove_prefix(size);
  const std::size_t next = list.find_first_not_of(" \t");
  if (next != std::string_view::npos && list[next] != ',') return {};
  return tag;
}

template <typename Equal>
bool list_names(std::string_view list, std::string_view etag, Equal equal) {
  while (true) {
    const std::string_view tag = take_tag(list);
    if (tag.empty()) return false;
    if (equal(tag, etag)) return true;
  }
}

// Several lines of one list field are one list.
template <typename Matches>
bool any_line(const Request& request, FieldId id, Matches matches) {
  const Field* end = request.fields + request.field_count;
  return std::any_of(request.fields, end,
                     [&](const Field& field) { return field.id == id && matches(field.value); });
}

template <typename Equal>
bool any_matches(const Request& request, FieldId id, std::string_view etag, Equal equal) {
  return any_line(request, id, [&](std::string_view list) {
    return list == "*" || list_names(list, etag, equal);  // there is a representation
  });
}

// The fields that matter, found in one pass.
struct Found {
  bool if_match = false;
  bool if_none_match = false;
  // Each has one date; a repeated field has no valid one.
  std::optional<std::string_view> if_modified_since;
  std::optional<std::string_view> if_unmodified_since;
  std::optional<std::string_view> if_range;
};

void take_once(std::optional<std::string_view>& slot, std::string_view value) {
  slot = slot.has_value() ? std::string_view() : value;
}

Found find_conditions(const Request& request) {
  Found found;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    const Field& field = request.fields[i];
    switch (field.id) {
      case FieldId::if_match:
        found.if_match = true;
        break;
      case FieldId::if_none_match:
        found.if_none_match = true;
        break;
      case FieldId::if_modified_since:
        take_once(found.if_modified_since, field.value);
        break;
      case FieldId::if_unmodified_since:
        take_once(found.if_unmodified_since, field.value);
        break;
      case FieldId::if_range:
        take_once(found.if_range, field.value);
        break;
      default:
        break;
    }
  }
  return found;
}

std::optional<std::int64_t> date_of(const std::optional<std::string_view>& value, const Representation& what) {
  if (!value || !what.has_mtime) return std::nullopt;
  return parse_http_date(*value, what.now_s);
}

// Section 13.1.5: the condition is a strong tag, or the exact date if that is a strong validator.
bool range_condition_holds(std::string_view value, const Representation& what) {
  if (value.starts_with('"') || is_weak(value)) return equal_strongly(value, what.etag);
  // The file may change once more within the second of its mtime (section 8.8.2.2).
  constexpr std::int64_t kStrongAfterSeconds = 2;
  const auto date = date_of(value, what);
  return date && *date == what.mtime_s && what.mtime_s + kStrongAfterSeconds <= what.now_s;
}

}  // namespace

bool equal_weakly(std::string_view left, std::string_view right) {
  return !left.empty() && opaque(left) == opaque(right);
}

bool equal_strongly(std::string_view left, std::string_view right) {
  return !left.empty() && left == right && !is_weak(left);
}

bool lists_tag(const Request& request, FieldId id, std::string_view etag) {
  return any_line(request, id, [&](std::string_view list) { return list_names(list, etag, equal_weakly); });
}

Conditions judge_conditions(const Request& request, const Representation& what) {
  const Found found = find_conditions(request);
  const bool reads = request.method == Method::get || request.method == Method::head;
  Conditions result;
  if (found.if_match) {
    if (!any_matches(request, FieldId::if_match, what.etag, equal_strongly)) return {Verdict::failed, false};
  } else if (const auto date = date_of(found.if_unmodified_since, what); date && what.mtime_s > *date) {
    return {Verdict::failed, false};
  }
  if (found.if_none_match) {
    if (any_matches(request, FieldId::if_none_match, what.etag, equal_weakly)) {
      return {reads ? Verdict::not_modified : Verdict::failed, false};
    }
  } else if (const auto date = date_of(found.if_modified_since, what); reads && date && what.mtime_s <= *date) {
    return {Verdict::not_modified, false};
  }
  if (found.if_range) result.range_applies = range_condition_holds(*found.if_range, what);
  return result;
}

}  // namespace sluice::files
