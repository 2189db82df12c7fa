#include "dynamic_aio/processors.h"

#include <algorithm>

#include "common/http/text.h"

namespace sluice {
namespace {

constexpr unsigned kTabWidth = 8;
constexpr std::string_view kMarkerBegin = "<!--#";
constexpr std::string_view kMarkerEnd = "-->";

bool may_become_marker(std::string_view held) {
  const std::size_t known = std::min(held.size(), kMarkerBegin.size());
  return held.substr(0, known) == kMarkerBegin.substr(0, known);
}

bool is_whole_marker(std::string_view held) {
  return held.size() >= kMarkerBegin.size() + kMarkerEnd.size() && held.ends_with(kMarkerEnd);
}

}  // namespace

std::size_t UpperProcessor::feed(std::string_view input, std::string& output) {
  std::size_t used = 0;
  for (; used < input.size() && output.size() < kOutputMax; ++used) {
    const char c = input[used];
    if (c == '\t') {
      output.append(kTabWidth - column_, ' ');
      column_ = 0;
      continue;
    }
    output += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    column_ = c == '\n' ? 0 : (column_ + 1) % kTabWidth;
  }
  return used;
}

std::size_t MarkersProcessor::feed(std::string_view input, std::string& output) {
  std::size_t used = 0;
  while (used < input.size() && output.size() < kOutputMax) {
    if (!held_.empty() || input[used] == '<') {
      take(input[used++], output);
      continue;
    }
    const std::size_t space = kOutputMax - output.size();
    const std::size_t end = std::min(input.find('<', used), std::min(input.size(), used + space));
    output.append(input.substr(used, end - used));
    used = end;
  }
  return used;
}

// Takes a byte that may belong to a marker. REQUIRES: it is '<', or something is held.
void MarkersProcessor::take(char c, std::string& output) {
  if (c == '<') {  // a marker can only begin here
    output += held_;
    held_ = c;
    return;
  }
  held_ += c;
  if (is_whole_marker(held_)) {
    const std::string* value = value_of(held_);
    output += value != nullptr ? *value : held_;
    held_.clear();
  } else if (!may_become_marker(held_) || held_.size() == kMarkerMax) {
    output += held_;
    held_.clear();
  }
}

const std::string* MarkersProcessor::value_of(std::string_view marker) const {
  marker.remove_prefix(kMarkerBegin.size());
  marker.remove_suffix(kMarkerEnd.size());
  const std::string_view name = files::trimmed(marker, " \t\r\n");
  if (name == "date") return &values_.date;
  if (name == "path") return &values_.path;
  if (name == "mtime") return &values_.mtime;
  return nullptr;
}

void MarkersProcessor::finish(std::string& output) {
  output += held_;
  held_.clear();
}

}  // namespace sluice
