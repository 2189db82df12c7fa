#include "exchange/exchange_notes.h"

#include <algorithm>

namespace sluice {

bool ExchangeNotes::set(std::string_view name, std::string_view value) {
  std::size_t size = name.size() + value.size();
  for (const auto& [other, noted] : notes_) {
    if (other != name) size += other.size() + noted.size();
  }
  if (size > kSizeMax && !value.empty()) return false;
  const std::string own_name(name);  // both may lie in a note
  const std::string own_value(value);
  std::erase_if(notes_, [&](const auto& note) { return note.first == own_name; });
  if (!own_value.empty()) notes_.emplace_back(own_name, own_value);
  return true;
}

std::string_view ExchangeNotes::get(std::string_view name) const {
  for (const auto& [noted, value] : notes_) {
    if (noted == name) return value;
  }
  return {};
}

}  // namespace sluice
