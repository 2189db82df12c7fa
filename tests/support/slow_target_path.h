// Judges a target in origin-form in a slow and plain way: it splits the target at its slashes, decodes each
// segment, and folds the dots.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "http/target_path.h"

namespace sluice::test {

struct SlowTargetPath {
  std::set<std::uint32_t> refusals;  // each of them alone is enough
  std::string path;

  bool agrees_with(const TargetPath& judged) const {
    if (refusals.empty()) return !judged.refusal && judged.path == path;
    return refusals.count(judged.refusal.status) == 1;
  }
};

inline int slow_digit(char c) {
  const std::string digits = "0123456789abcdef";
  const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t at = digits.find(low);
  return at == std::string::npos ? -1 : static_cast<int>(at);
}

inline std::string slow_decode(const std::string& segment, std::set<std::uint32_t>& refusals) {
  std::string decoded;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      decoded += segment[i];
      continue;
    }
    if (i + 2 >= segment.size() || slow_digit(segment[i + 1]) < 0 || slow_digit(segment[i + 2]) < 0) {
      refusals.insert(400);
      return "undecodable";
    }
    const int byte = slow_digit(segment[i + 1]) * 16 + slow_digit(segment[i + 2]);
    if (byte == 0) refusals.insert(400);
    if (byte == '/') refusals.insert(404);
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

// REQUIRES: the target begins with a slash.
inline SlowTargetPath judge_slowly(const std::string& target) {
  SlowTargetPath result;
  const std::string path = target.substr(0, target.find('?'));
  std::vector<std::string> raw(1);
  for (const char c : path.substr(1)) {
    if (c == '/') {
      raw.emplace_back();
    } else {
      raw.back() += c;
    }
  }
  std::vector<std::string> kept;
  bool folder = false;
  for (const std::string& part : raw) {
    const std::string segment = slow_decode(part, result.refusals);
    folder = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      if (kept.empty()) {
        result.refusals.insert(404);
      } else {
        kept.pop_back();
      }
    } else if (!folder) {
      kept.push_back(segment);
    }
  }
  for (const std::string& segment : kept) result.path += "/" + segment;
  if (folder || kept.empty()) result.path += "/";
  return result;
}

}  // namespace sluice::test
