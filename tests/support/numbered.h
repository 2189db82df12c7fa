// What the test module "numbered" has made and destroyed, and who waits for a resume. Its option `account` has
// the address of one of these.
#pragma once

#include <sluice/abi.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

struct NumberedAccount {
  int made = 0;
  int destroyed = 0;
  std::vector<Ticket> waiting;
};

// `size` bytes of the content of the request with this number, from `from` on: "[17][17][17]..."
inline std::string numbered_content(std::string_view number, std::size_t from, std::size_t size) {
  const std::string unit = "[" + std::string(number) + "]";
  std::string content = unit.substr(from % unit.size());
  content.reserve(size + unit.size());
  while (content.size() < size) content += unit;
  content.resize(size);
  return content;
}

}  // namespace sluice::test
