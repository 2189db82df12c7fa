#include "config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "base/text.h"
#include "base/unique_fd.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::string_view kSpace = " \t";
constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";  // some editors write it at the beginning of a file

bool is_comment(std::string_view text) {
  return !text.empty() && (text.front() == '#' || text.front() == ';');
}

// Cuts a bare value before a '#' that follows white space.
std::string_view without_comment(std::string_view text) {
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if (at > 0 && kSpace.find(text[at - 1]) != std::string_view::npos) return trimmed(text.substr(0, at));
  }
  return trimmed(text);
}

// "[::1]:8080" is not a list: a bare IPv6 address begins with a bracket as well.
bool is_list(std::string_view text) {
  if (text.empty() || text.front() != '[') return false;
  const std::string_view inside = trimmed(text.substr(1));
  return inside.substr(0, 1) == "\"" || without_comment(text).back() == ']';
}

// Takes a text in double quotes from the front.
Result<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest = trimmed(rest.substr(i + 1));
      return value;
    }
    const bool escape = rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
    if (escape) ++i;
    value.push_back(rest[i]);
  }
  return fail("a value that begins with a double quote must end with one on the same line");
}

// Takes ["a", "b"] from the front; items without quotes end at ',' or ']'.
Result<std::vector<std::string>> take_list(std::string_view& rest) {
  std::vector<std::string> values;
  rest = trimmed(rest.substr(1));
  while (!rest.empty() && rest.front() != ']') {
    if (rest.front() == '"') {
      auto value = take_quoted(rest);
      if (!value) return Unexpected(value.error());
      values.push_back(std::move(*value));
    } else {
      const std::size_t end = std::min(rest.find_first_of(",]"), rest.size());
      values.emplace_back(trimmed(rest.substr(0, end)));
      rest = rest.substr(end);
      if (values.back().empty()) return fail("a list has an empty value: write [\"a\", \"b\"]");
    }
    if (rest.empty() || rest.front() == ']') break;
    if (rest.front() != ',') return fail("the values of a list need ',' between them: write [\"a\", \"b\"]");
    rest = trimmed(rest.substr(1));
  }
  if (rest.empty()) return fail("a list must end with ']' on the same line; repeat the key for a long one");
  rest = trimmed(rest.substr(1));
  return values;
}

Result<std::vector<std::string>> parse_value(std::string_view text) {
  std::vector<std::string> values;
  std::string_view rest = text;
  if (is_list(text)) {
    auto list = take_list(rest);
    if (!list) return list;
    values = std::move(*list);
  } else if (text.front() == '"') {
    auto value = take_quoted(rest);
    if (!value) return Unexpected(value.error());
    values.push_back(std::move(*value));
  } else {
    values.emplace_back(without_comment(text));
    rest = {};
  }
  if (!rest.empty() && !is_comment(rest))
    return fail(fmt::format("'{}' stands behind the end of the value: remove it", rest));
  return values;
}

Result<ConfigLine> parse_line(std::string_view text) {
  if (std::any_of(text.begin(), text.end(),
                  [](char byte) { return static_cast<unsigned char>(byte) < 0x20 && byte != '\t'; })) {
    return fail("the line has a control character: a configuration file is plain text");
  }
  if (text.front() == '[')
    return fail(
        fmt::format("'{}' begins a section, but this file has none: write all keys at top level", text));
  const std::size_t equals = text.find('=');
  const std::string_view key = trimmed(text.substr(0, equals));
  if (equals == std::string_view::npos || key.empty())
    return fail(fmt::format("'{}' is not of the form: key = value", text));
  const std::string_view value = trimmed(text.substr(equals + 1));
  if (value.empty() || value.front() == '#')
    return fail(fmt::format("'{}' has no value: write {} = VALUE, or remove the line", key, key));
  auto values = parse_value(value);
  if (!values) return Unexpected(values.error());
  return ConfigLine{0, std::string(key), std::move(*values)};
}

}  // namespace

std::string place(const std::string& file, std::size_t line) {
  return file + ":" + std::to_string(line);
}

Result<std::vector<ConfigLine>> parse_config(std::string_view text, const std::string& file) {
  std::vector<ConfigLine> lines;
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return fail(file + " is written in UTF-16: save it as UTF-8");
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view content = take_part(text, "\n");
    if (!content.empty() && content.back() == '\r') content.remove_suffix(1);
    content = trimmed(content);
    if (content.empty() || is_comment(content)) continue;
    auto line = parse_line(content);
    if (!line) return fail(place(file, number) + ": " + line.error().message);
    line->number = number;
    lines.push_back(std::move(*line));
  }
  return lines;
}

Result<std::vector<ConfigLine>> read_config_file(const std::string& file) {
  const std::string subject = fmt::format("the configuration file '{}' cannot be read", file);
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return fail_errno(subject, errno);
  struct stat about {};
  if (fstat(fd.get(), &about) != 0) return fail_errno(subject, errno);
  if (!S_ISREG(about.st_mode)) return fail(subject + ": it is not a regular file");
  std::string text(kFileBytesMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(fd.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(subject, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > kFileBytesMax) return fail(subject + ": it is larger than 1 MiB");
  text.resize(size);
  return parse_config(text, file);
}

}  // namespace sluice::cli
