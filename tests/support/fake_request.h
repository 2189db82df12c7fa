// What a FakeExchange's request has as the server gives it: names of methods, and numbers of fields.
#pragma once

#include <sluice/abi.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace sluice::test {

// The known fields among those that tests send.
inline FieldId known_field(std::string_view name) {
  constexpr std::pair<std::string_view, FieldId> kKnown[] = {
      {"Accept", FieldId::accept},
      {"Accept-Encoding", FieldId::accept_encoding},
      {"Authorization", FieldId::authorization},
      {"Content-Type", FieldId::content_type},
      {"Cookie", FieldId::cookie},
      {"If-Match", FieldId::if_match},
      {"If-None-Match", FieldId::if_none_match},
      {"If-Modified-Since", FieldId::if_modified_since},
      {"If-Unmodified-Since", FieldId::if_unmodified_since},
      {"If-Range", FieldId::if_range},
      {"Range", FieldId::range},
  };
  for (const auto& [known, id] : kKnown) {
    if (known == name) return id;
  }
  return FieldId::other;
}

inline std::string_view method_name(Method method) {
  constexpr std::string_view kNames[] = {"OTHER", "GET",    "HEAD",    "POST",  "PUT",
                                         "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"};
  return kNames[static_cast<std::size_t>(method)];
}

}  // namespace sluice::test
