#include "conformance/judge.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace sluice::conformance {
namespace {

using test::HttpAnswer;

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 120;
  return "'" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…'" : "'");
}

// Parses "bytes 0-4/10" for a file of that size.
bool parse_content_range(std::string_view text, std::uint64_t& first, std::uint64_t& last,
                         std::uint64_t& size) {
  if (!take_prefix(text, "bytes ")) return false;
  const auto number = [&text](std::uint64_t& value, char behind) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (behind == '\0') return text.empty();
    if (text.empty() || text.front() != behind) return false;
    text.remove_prefix(1);
    return true;
  };
  return number(first, '-') && number(last, '/') && number(size, '\0') && first <= last && last < size;
}

std::string judge_part(std::string_view range, std::string_view content, const std::string& path,
                       const Site& site) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size = 0;
  if (!parse_content_range(range, first, last, size))
    return "the content range " + quoted(range) + " is malformed";
  if (size != site.size(path)) return "the content range " + quoted(range) + " tells a wrong size";
  if (content != site.part(path, first, last))
    return "the part " + quoted(range) + " is not what the file has there";
  return "";
}

struct Part {
  std::string range;  // the value of Content-Range
  std::string content;
};

// RFC 9110 section 14.6, RFC 2046 section 5.1. Throws with a sentence when the body is malformed.
std::vector<Part> split_multipart(const HttpAnswer& answer) {
  std::string type = answer.field("Content-Type");
  std::string_view boundary = type;
  if (!take_prefix(boundary, "multipart/byteranges; boundary=")) {
    throw std::runtime_error("the Content-Type is " + quoted(type));
  }
  const std::string delimiter = "--" + std::string(boundary);
  std::string_view rest = answer.body;
  take_prefix(rest, "\r\n");
  std::vector<Part> parts;
  for (;;) {
    if (!take_prefix(rest, delimiter)) throw std::runtime_error("a part does not begin with the boundary");
    if (take_prefix(rest, "--")) break;
    if (!take_prefix(rest, "\r\n")) throw std::runtime_error("a boundary has something behind it");
    const std::size_t head_end = rest.find("\r\n\r\n");
    const std::size_t end = rest.find("\r\n" + delimiter);
    if (head_end == std::string_view::npos || end == std::string_view::npos || end < head_end + 4) {
      throw std::runtime_error("a part does not end");
    }
    Part part;
    for (const std::string& line : split(rest.substr(0, head_end), "\r\n")) {
      std::string_view field = line;
      constexpr std::string_view kName = "content-range: ";
      if (field.size() > kName.size() && ::strncasecmp(field.data(), kName.data(), kName.size()) == 0) {
        part.range = field.substr(kName.size());
      }
    }
    part.content = rest.substr(head_end + 4, end - head_end - 4);
    parts.push_back(std::move(part));
    rest.remove_prefix(end + 2);
  }
  if (!rest.empty() && rest != "\r\n") throw std::runtime_error("something follows the last boundary");
  return parts;
}

std::string judge_content(const HttpAnswer& answer, const std::string& path, const Site& site) {
  if (answer.status != 206) {
    if (site.size(path) != answer.body.size())
      return "the content has " + std::to_string(answer.body.size()) + " bytes";
    return site.size(path) == 0 || answer.body == site.part(path, 0, site.size(path) - 1)
               ? ""
               : "the content is not the file's";
  }
  if (answer.has("Content-Range")) return judge_part(answer.field("Content-Range"), answer.body, path, site);
  for (const Part& part : split_multipart(answer)) {
    const std::string wrong = judge_part(part.range, part.content, path, site);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string judge_ranges(const HttpAnswer& answer, const std::string& expected) {
  std::string found;
  for (const Part& part : split_multipart(answer)) {
    std::string_view range = part.range;
    take_prefix(range, "bytes ");
    if (!found.empty()) found += ",";
    found += range.substr(0, range.find('/'));
  }
  return found == expected ? "" : "its parts are " + quoted(found);
}

// "Name", "Name: value" or "Name ~ text".
bool field_fits(const HttpAnswer& answer, std::string_view expected) {
  const std::size_t colon = expected.find(": ");
  const std::size_t tilde = expected.find(" ~ ");
  const std::string name(expected.substr(0, std::min(colon, tilde)));
  if (tilde < colon) return answer.field(name).find(expected.substr(tilde + 3)) != std::string::npos;
  if (colon == std::string_view::npos) return answer.has(name);
  return answer.count(name) == 1 && answer.field(name) == expected.substr(colon + 2);
}

std::string judge_field(const HttpAnswer& answer, std::string_view expected) {
  const bool unwanted = take_prefix(expected, "!");
  if (field_fits(answer, expected) != unwanted) return "";
  const std::string name(expected.substr(0, expected.find_first_of(": ")));
  return answer.has(name) ? name + " is " + quoted(answer.field(name)) : name + " is missing";
}

std::string judge_expected(const std::string& part, const HttpAnswer& answer, bool to_head, const Site& site) {
  std::string_view rest = part;
  if (take_prefix(rest, "of ")) return to_head ? "" : judge_content(answer, std::string(rest), site);
  if (take_prefix(rest, "parts ")) return judge_ranges(answer, std::string(rest));
  if (take_prefix(rest, "text ")) return answer.body == rest ? "" : "the content is " + quoted(answer.body);
  if (take_prefix(rest, "begins "))
    return answer.body.starts_with(rest) ? "" : "the content is " + quoted(answer.body);
  if (take_prefix(rest, "has ")) {
    return answer.body.find(rest) != std::string::npos ? "" : "the content is " + quoted(answer.body);
  }
  if (take_prefix(rest, "!has ")) {
    return answer.body.find(rest) == std::string::npos ? "" : "the content has " + quoted(rest);
  }
  if (take_prefix(rest, "version ")) return answer.version == rest ? "" : "the version is " + answer.version;
  if (rest == "empty") return answer.body.empty() ? "" : "the content is " + quoted(answer.body);
  return judge_field(answer, rest);
}

// IMF-fixdate (RFC 9110 section 5.6.7): "Thu, 29 Feb 2024 12:00:00 GMT".
bool is_date(std::string_view text) {
  constexpr std::string_view kShape = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    const bool upper = text[i] >= 'A' && text[i] <= 'Z';
    const bool lower = text[i] >= 'a' && text[i] <= 'z';
    const bool fits = kShape[i] == '0'   ? digit
                      : kShape[i] == 'A' ? upper
                      : kShape[i] == 'a' ? lower
                                         : text[i] == kShape[i];
    if (!fits && i < 25) return false;
  }
  return text.substr(25) == " GMT";
}

// Judges by the rules that hold for every answer.
std::string judge_always(const HttpAnswer& answer, bool to_head) {
  if (answer.version != "HTTP/1.1" && answer.version != "HTTP/1.0") return "the version is " + answer.version;
  if (answer.status < 100 || answer.status > 599) return "the status is none";
  for (const char* name :
       {"Date", "Content-Length", "Transfer-Encoding", "Content-Type", "ETag", "Last-Modified", "Location",
        "Content-Range", "Accept-Ranges", "Connection", "Allow"}) {
    if (answer.count(name) > 1) return std::string(name) + " is there twice";
  }
  // 9110 6.6.1
  if (!is_date(answer.field("Date"))) return "Date is " + quoted(answer.field("Date"));
  if (answer.has("Last-Modified") && !is_date(answer.field("Last-Modified")))
    return "Last-Modified is malformed";
  const bool bodiless = answer.status / 100 == 1 || answer.status == 204 || answer.status == 304;
  // 9112 6.1, 9110 8.6
  if (bodiless && answer.has("Transfer-Encoding")) return "Transfer-Encoding stands where no content can be";
  if (answer.status == 204 && answer.has("Content-Length")) return "Content-Length stands in a 204";
  if (!bodiless && !to_head && !answer.complete) return "the content is not complete";
  if (answer.status == 405 && !answer.has("Allow")) return "Allow is missing in a 405";  // 9110 15.5.6
  if (answer.status >= 400 && answer.has("Content-Encoding"))
    return "an error's page is coded as the file is";  // 9110 8.4
  // 9110 15.3.7
  if (answer.status == 206 && !answer.has("Content-Range") &&
      answer.field("Content-Type").find("multipart/byteranges") == std::string::npos) {
    return "a 206 says nothing of its range";
  }
  if (answer.status == 206 && answer.has("Content-Range") &&
      answer.field("Content-Type").find("multipart/byteranges") != std::string::npos) {
    return "a multipart answer has a Content-Range of its own";
  }
  if (answer.status / 100 == 3 && answer.status != 304 && !answer.has("Location")) return "Location is missing";
  for (const auto& [name, value] : answer.fields) {
    if (std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return name + " has a control byte";  // 9110 5.5
    }
  }
  return "";
}

}  // namespace

Expectation::Expectation(const std::string& text) {
  const std::vector<std::string> all = split(text, " | ");
  for (const std::string& status : split(all.front(), ",")) {
    int number = 0;
    const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), number);
    if (status != "none" && (error != std::errc() || end != status.data() + status.size())) {
      throw std::runtime_error("'" + status + "' is no status");
    }
    statuses.push_back(number);
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i] == "keeps") {
      afterwards = Afterwards::keeps;
    } else if (all[i] == "closes") {
      afterwards = Afterwards::closes;
    } else {
      parts.push_back(all[i]);
    }
  }
}

bool Expectation::allows(int status) const {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

std::string judge_answer(const Expectation& expected, const HttpAnswer& answer, bool to_head,
                         const Site& site) {
  if (!expected.allows(answer.status)) return "the status is " + std::to_string(answer.status);
  try {
    for (const std::string& part : expected.parts) {
      const std::string wrong = judge_expected(part, answer, to_head, site);
      if (!wrong.empty()) return wrong;
    }
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return judge_always(answer, to_head);
}

}  // namespace sluice::conformance
