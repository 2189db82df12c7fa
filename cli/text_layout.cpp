#include "text_layout.h"

#include <algorithm>

#include "base/text.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kTextMin = 24;  // a narrower text than this overflows the width instead

}  // namespace

std::string printable(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x20 && code != 0x7f) {
      out.push_back(byte);
    } else {
      out += {'\\', 'x', kHex[code >> 4], kHex[code & 15]};
    }
  }
  return out;
}

std::string hanging(std::string head, std::size_t column, std::string_view text) {
  const std::size_t width = std::max(kTextMin, kTextWidth - std::min(column, kTextWidth));
  std::string out = std::move(head);
  if (text.empty()) return out + '\n';
  if (out.size() >= column && !out.empty()) {
    out.push_back('\n');
    out.append(column, ' ');
  } else {
    out.append(column - out.size(), ' ');
  }
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = take_part(text, " ");
    if (word.empty()) continue;
    if (used > 0 && used + 1 + word.size() > width) {
      out.push_back('\n');
      out.append(column, ' ');
      used = 0;
    } else if (used > 0) {
      out.push_back(' ');
      ++used;
    }
    out.append(word);
    used += word.size();
  }
  return out + '\n';
}

}  // namespace sluice::cli
