// What filters and handlers note on an exchange, for those that see it later. Loop thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class ExchangeNotes {
 public:
  // Of all names and values together.
  static constexpr std::size_t kSizeMax = 4 * 1024;

  // An empty value removes the note. false if there is no room for it.
  bool set(std::string_view name, std::string_view value);
  // Empty if nothing was noted under the name. Valid until the next change.
  std::string_view get(std::string_view name) const;
  void clear() { notes_.clear(); }

 private:
  std::vector<std::pair<std::string, std::string>> notes_;
};

}  // namespace sluice
