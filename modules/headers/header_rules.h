// What the module headers does to the lines of an answer's head, by its options. Plain values; any thread.
#pragma once

#include <sluice/filter.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::headers {

using Line = std::pair<std::string, std::string>;  // name and value

// Which answers the lines are for. An empty list is no condition.
struct Condition {
  // Patterns of fnmatch(3), in which * matches a '/', too: for the whole path if they begin with a slash, else
  // for what follows the filter's prefix.
  std::vector<std::string> paths;
  std::vector<std::string> types;     // "text/html", "image/*" or "*"
  std::vector<std::string> statuses;  // "404" or "4xx"

  bool holds_for(const Request& request) const;
  bool holds_for(const AnswerHead& head) const;
};

// A value of Cache-Control for answers of a type.
struct CacheRule {
  std::string type;
  std::string value;
};

struct HeaderRules {
  Condition condition;
  std::vector<Line> set;
  std::vector<Line> add;
  std::vector<std::string> remove;
  std::vector<CacheRule> cache;  // the first that fits counts
  bool hashed = false;           // names with a hash of their content are kept for ever
  bool security = false;

  void apply(const Request& request, AnswerHead& head) const;

 private:
  void say_how_long(std::string_view path, AnswerHead& head) const;
};

// "Name: value" in two. Nothing without a colon or a name.
std::optional<Line> parse_line(std::string_view text);

// Whether tools that build sites have put a hash of the content into the name of the file: app.3f9a2b1c.js,
// index-BxYz12Qq.css. Such a part stands before the extension, and has 8 letters and digits or more:
// hexadecimal ones with both, or digits and letters in upper and lower case. Words with a number are none.
bool has_content_hash(std::string_view path);

}  // namespace sluice::headers
