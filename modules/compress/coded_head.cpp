#include "compress/coded_head.h"

#include <algorithm>
#include <iterator>

#include "common/http/media_type.h"
#include "common/http/preconditions.h"
#include "common/http/text.h"
#include "compress/head_lists.h"

namespace sluice::compress {
namespace {

using files::Coding;
using files::equals_ignoring_case;

constexpr std::string_view kTypes[] = {
    "text/*",
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/postscript",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/vnd.apple.mpegurl",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "application/x-yaml",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "font/collection",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
};

// Structured syntaxes (RFC 6839): image/svg+xml, application/manifest+json.
constexpr std::string_view kSuffixes[] = {"+json", "+xml", "+yaml"};

// What is said of the plain content only: digests of it (RFC 9530), and that it has ranges.
constexpr const char* kPlainLines[] = {"Accept-Ranges", "Content-Digest", "Content-MD5", "Digest",
                                       "Repr-Digest"};

}  // namespace

bool is_compressible(std::string_view type) {
  type = files::without_parameters(type);
  const auto ends_so = [&](std::string_view suffix) {
    return type.size() > suffix.size() &&
           equals_ignoring_case(type.substr(type.size() - suffix.size()), suffix);
  };
  return std::any_of(std::begin(kTypes), std::end(kTypes),
                     [&](std::string_view pattern) { return files::fits_type(pattern, type); }) ||
         std::any_of(std::begin(kSuffixes), std::end(kSuffixes), ends_so);
}

std::string coded_tag(std::string_view tag, std::string_view mark) {
  std::string coded(tag);
  const std::size_t opening = coded.find('"');
  if (coded.size() < 2 || !coded.ends_with('"') || opening == coded.size() - 1) return coded;
  coded.insert(coded.size() - 1, "-" + std::string(mark));
  return coded.starts_with("W/") ? coded : "W/" + coded;
}

bool CodedHead::forbids_change() const {
  return any_member(head_, "Cache-Control",
                    [](std::string_view member) { return equals_ignoring_case(member, "no-transform"); });
}

bool CodedHead::is_codable() const {
  const std::string_view type = head_.field("Content-Type");
  if (type.empty() || head_.field("Content-Encoding").size > 0 || forbids_change()) return false;
  return is_compressible(type) ||
         std::any_of(wanted_.types.begin(), wanted_.types.end(),
                     [&](const std::string& pattern) { return files::fits_type(pattern, type); });
}

// A 304 has no type to go by, nor have parts of a file. What they say replaces or joins what a cache has kept
// of the 200, so they must not say less (RFC 9110 section 15.4.5, RFC 9111 section 4.3.4).
bool CodedHead::depends_on_coding() const {
  switch (head_.status()) {
    case 200:
      return is_codable() && (head_.size() == kUnknownSize || head_.size() >= wanted_.size_min);
    case 206:
      return is_codable() || std::string_view(head_.field("Content-Type")).starts_with("multipart/byteranges");
    case 304:
      return true;
    default:
      return false;
  }
}

Coding CodedHead::coding() const {
  if (head_.status() != 200) return Coding::identity;
  const files::Codings preferred = files::preferred_codings(request_, wanted_.codings);
  return preferred.empty() ? Coding::identity : *preferred.begin();
}

bool CodedHead::is_for_one_user() const {
  const Field* const end = request_.fields + request_.field_count;
  return head_.field("Set-Cookie").size > 0 ||
         std::any_of(request_.fields, end,
                     [](const Field& field) { return field.id == FieldId::authorization; }) ||
         any_member(head_, "Cache-Control", [](std::string_view member) {
           const std::string_view name = files::trimmed(member.substr(0, member.find('=')));
           return equals_ignoring_case(name, "private") || equals_ignoring_case(name, "no-store");
         });
}

// A strong tag stands for one sequence of bytes of one resource, which its URI names.
std::string CodedHead::key() const {
  const std::string_view tag = head_.field("ETag");
  const bool depends = any_member(
      head_, "Vary", [](std::string_view member) { return !equals_ignoring_case(member, "Accept-Encoding"); });
  if (depends || !files::equal_strongly(tag, tag) || !tag.starts_with('"') || !tag.ends_with('"') ||
      tag.size() < 3 || head_.size() == kUnknownSize || !reads() || is_for_one_user())
    return {};
  std::string key;
  for (const std::string_view part : {std::string_view(request_.scheme), std::string_view(request_.authority),
                                      std::string_view(request_.mount), std::string_view(request_.path),
                                      std::string_view(request_.query), tag})
    key.append(part).append(1, '\0');
  return key.append(std::to_string(head_.size()));
}

void CodedHead::vary(std::string_view name) {
  std::string names;
  const bool is_said = any_member(head_, "Vary", [&](std::string_view member) {
    names.append(member).append(", ");
    return member == "*" || equals_ignoring_case(member, name);
  });
  if (!is_said) head_.set("Vary", names.append(name));
}

bool CodedHead::is_known_as(std::string_view mark) const {
  const std::string tag = coded_tag(head_.field("ETag"), mark);
  return reads() && !tag.empty() && files::lists_tag(request_, FieldId::if_none_match, tag);
}

// By its date, whoever answers would continue coded content with bytes of the plain one (If-Range).
void CodedHead::set_tag(std::string_view mark) {
  const std::string_view tag = head_.field("ETag");
  if (tag.empty()) return;
  head_.set("ETag", coded_tag(tag, mark));
  head_.remove("Last-Modified");
}

void CodedHead::become_not_modified(std::string_view mark) {
  set_tag(mark);
  for (const char* name : kPlainLines) head_.remove(name);
  head_.remove("Content-Type");
  head_.set_status(304);
}

void CodedHead::become_coded(std::string_view coding, std::string_view mark) {
  set_tag(mark);
  for (const char* name : kPlainLines) head_.remove(name);
  head_.set("Content-Encoding", coding);
}

}  // namespace sluice::compress
