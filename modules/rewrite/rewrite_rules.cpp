#include "rewrite/rewrite_rules.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "common/http/http_text.h"
#include "common/http/text.h"

namespace sluice::rewrite {
namespace {

constexpr int kGroupsMax = 10;                       // the whole match, and those of \1 to \9
constexpr std::int64_t kPatternMemoryMax = 1 << 20;  // a pattern of more is a mistake
constexpr std::string_view kRedirects[] = {"301", "302", "303", "307", "308"};

[[noreturn]] void refuse(std::string_view rule, const std::string& why) {
  throw std::runtime_error("the rule '" + std::string(rule) + "' " + why);
}

std::string_view take_word(std::string_view& text) {
  text = files::trimmed(text);
  return files::take_part(text, ' ');
}

bool is_group(char mark, char digit) {
  return (mark == '\\' || mark == '$') && files::is_digit(digit);
}

// The number of the highest group that the target names.
int highest_group(std::string_view target) {
  int highest = 0;
  for (std::size_t i = 0; i + 1 < target.size(); ++i) {
    if (is_group(target[i], target[i + 1])) highest = std::max(highest, target[i + 1] - '0');
  }
  return highest;
}

bool has_valid_encoding(std::string_view target) {
  const auto is_hex = [](char byte) {
    return files::is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
  };
  for (std::size_t i = target.find('%'); i != std::string_view::npos; i = target.find('%', i + 1)) {
    if (i + 2 >= target.size() || !is_hex(target[i + 1]) || !is_hex(target[i + 2])) return false;
  }
  return true;
}

// Encodes all but unreserved bytes (RFC 3986 section 2.3): a value of a query ends at a '&', and '+' is a
// blank.
void append_encoded_value(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char byte : text) {
    const bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    if (is_letter || files::is_digit(byte) || std::string_view("-._~").find(byte) != std::string_view::npos) {
      out += byte;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(byte) >> 4];
      out += kDigits[static_cast<unsigned char>(byte) & 15];
    }
  }
}

bool has_dot_segment(std::string_view target) {
  std::string_view path = target.substr(0, target.find_first_of("?#"));
  while (!path.empty()) {
    const std::string_view segment = files::take_part(path, '/');
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

std::string_view without_usual_port(std::string_view scheme, std::string_view authority) {
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

bool is_sendable(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char byte) { return byte > ' ' && byte < '\x7f'; });
}

}  // namespace

RewriteRule::RewriteRule(std::string_view text) {
  std::string_view rest = text;
  const std::string pattern(take_word(rest));
  target_ = take_word(rest);
  const std::string_view status = take_word(rest);
  if (target_.empty() || !files::trimmed(rest).empty())
    refuse(text, "is no 'PATTERN TARGET [STATUS]': write \\s for a blank in a pattern");
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryMax);
  // A path has any bytes, and no rule should miss it for one of them.
  options.set_dot_nl(true);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  pattern_ = std::make_unique<re2::RE2>(pattern, options);
  if (!pattern_->ok()) refuse(text, "has a pattern that RE2 does not understand: " + pattern_->error());
  if (highest_group(target_) > pattern_->NumberOfCapturingGroups())
    refuse(text, "names a group that its pattern does not have: put parentheses around it");
  if (!status.empty()) {
    if (std::find(std::begin(kRedirects), std::end(kRedirects), status) == std::end(kRedirects))
      refuse(text, "has a status that is no redirect: write 301, 302, 303, 307 or 308");
    std::from_chars(status.data(), status.data() + status.size(), status_);
  }
  if (!is_sendable(target_)) refuse(text, "has a target with bytes that no URL has: encode them as %XX");
  check_target(text);
  if (target_.ends_with('?')) {
    target_.pop_back();
    keeps_query_ = false;
  }
}

void RewriteRule::check_target(std::string_view rule) const {
  const bool is_path = target_.starts_with('/');
  const std::size_t scheme = target_.find("://");
  if (!is_path && scheme == std::string::npos)
    refuse(rule, "has a target that begins neither with '/' nor with a scheme");
  if (status_ == 0 && !is_path) refuse(rule, "leads to another server: add a status, as in 301");
  if (status_ == 0 && target_.find('#') != std::string::npos)
    refuse(rule, "has a '#' in its target, which only a redirect can have");
  if (!has_valid_encoding(target_))
    refuse(rule, "has a '%' in its target without two digits: write %25 for the sign itself");
  // What a client asks for must not name the server that it is sent to.
  const std::string_view server = std::string_view(target_).substr(is_path ? 0 : scheme + 3);
  if (!is_path && highest_group(server.substr(0, server.find('/'))) > 0)
    refuse(rule, "has a group in the name of a server: write the name, and a '/' before the group");
}

// What a group has matched is encoded, so that it cannot begin a query, or add to one. A path that would begin
// with two slashes, which names a server, begins with one.
std::string RewriteRule::expand(const re2::StringPiece* groups) const {
  std::string out;
  for (std::size_t i = 0; i < target_.size(); ++i) {
    if (i + 1 >= target_.size() || !is_group(target_[i], target_[i + 1])) {
      out.push_back(target_[i]);
      continue;
    }
    const re2::StringPiece& group = groups[target_[++i] - '0'];
    const std::string_view matched(group.data(), group.size());
    if (out.find('?') == std::string::npos) {
      files::append_encoded_path(out, matched);
    } else {
      append_encoded_value(out, matched);
    }
  }
  const std::size_t first = std::min(out.find_first_not_of('/'), out.size());
  if (first > 1) out.erase(0, first - 1);
  return out;
}

std::optional<Destination> RewriteRule::apply(std::string_view path, std::string_view query) const {
  re2::StringPiece groups[kGroupsMax];
  const int wanted = std::min(pattern_->NumberOfCapturingGroups() + 1, kGroupsMax);
  const re2::StringPiece text(path.data(), path.size());
  if (!pattern_->Match(text, 0, path.size(), re2::RE2::UNANCHORED, groups, wanted)) return std::nullopt;
  Destination to{expand(groups), status_};
  // A group could lead out of the folder that its rule names.
  if (has_dot_segment(to.target)) return std::nullopt;
  if (!keeps_query_ || query.empty()) return to;
  const std::size_t end = std::min(to.target.find('#'), to.target.size());
  const bool has_query = to.target.find('?') < end;
  to.target.insert(end, (has_query ? "&" : "?") + std::string(query));
  return to;
}

std::optional<std::string> canonical_address(std::string_view canonical, std::string_view scheme,
                                             std::string_view authority, std::string_view target) {
  if (authority.empty()) return std::nullopt;
  std::string here(scheme);
  here.append("://").append(without_usual_port(scheme, authority));
  if (files::equals_ignoring_case(here, canonical)) return std::nullopt;
  if (!target.starts_with('/')) {
    const std::size_t begin = target.find("://");  // of the absolute form; "*" has none
    target.remove_prefix(begin == std::string_view::npos
                             ? target.size()
                             : std::min(target.find_first_of("/?", begin + 3), target.size()));
  }
  std::string address(canonical);
  if (!target.starts_with('/')) address += '/';
  return address.append(target);
}

}  // namespace sluice::rewrite
