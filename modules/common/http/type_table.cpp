#include "common/http/type_table.h"

#include <algorithm>
#include <stdexcept>

#include "common/http/mime_types.h"
#include "common/http/text.h"

namespace sluice::files {
namespace {

// A name of at most 255 bytes could have a longer extension, but no real one does.
constexpr std::size_t kExtensionMax = 32;

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    if ((lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c)) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

// The text comes from a configuration and ends up on a terminal, so control bytes are left out.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return result + '"';
}

// Takes what comes before the next blanks, and the blanks.
std::string_view take_word(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return word;
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error("types: " + why);
}

bool is_text(std::string_view type) {
  return lower_text(type).starts_with("text/");
}

}  // namespace

TypeTable::TypeTable(std::string_view text, std::string_view charset, std::string_view file) {
  if (!is_token(charset))
    throw std::runtime_error("charset: " + quoted(charset) +
                             " is not a charset such as utf-8; write none for none");
  while (!text.empty()) {
    const std::string_view piece = trimmed(take_part(text, ';'));
    if (piece.empty()) continue;
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) {
      refuse(quoted(piece) + " is not a pair: write extension=type/subtype, with ';' between pairs");
    }
    const std::string_view name = trimmed(piece.substr(0, equals));
    const std::string_view value = trimmed(piece.substr(equals + 1));
    if (equals_ignoring_case(name, "charset")) {
      add_charset(value);
    } else {
      add_pair(name, value);
    }
  }
  finish(charset);
  add_file(file, charset);
  if (!equals_ignoring_case(charset, kUsualCharset)) add_usual(charset);
}

void TypeTable::add_pair(std::string_view extension, std::string_view type) {
  if (extension.find('.') != std::string_view::npos) {
    refuse(quoted(extension) +
           " is not an extension: write what follows the last dot of a name, without the dot");
  }
  if (!is_token(extension) || extension.size() > kExtensionMax) {
    refuse(quoted(extension) + " is not an extension: write at most " + std::to_string(kExtensionMax) +
           " letters, digits and signs such as - and _");
  }
  if (!is_media_type(type)) {
    refuse(quoted(type) + ", given for " + quoted(extension) + ", is not a media type such as text/plain");
  }
  if (types_.size() == kTypesMax) refuse("there are more than " + std::to_string(kTypesMax) + " pairs");
  types_.push_back({lower_text(extension), std::string(type)});
}

void TypeTable::add_charset(std::string_view charset) {
  if (types_.empty()) refuse("a charset follows a type, as in log=text/plain;charset=iso-8859-1");
  Type& type = types_.back();
  if (!is_token(charset)) refuse(quoted(charset) + " is not a charset such as utf-8");
  if (type.has_charset) refuse(quoted(type.extension) + " has two charsets");
  type.type.append("; charset=").append(charset);
  type.has_charset = true;
}

// Such files have extensions with dots, and some extensions twice. The first type of one counts.
void TypeTable::add_file(std::string_view file, std::string_view charset) {
  for (int line = 1; !file.empty(); ++line) {
    std::string_view rest = take_part(file, '\n');
    rest = trimmed(rest.substr(0, rest.find('#')));
    const std::string_view type = take_word(rest);
    if (type.empty()) continue;
    if (!is_media_type(type))
      throw std::runtime_error("types_file: line " + std::to_string(line) + ": " + quoted(type) +
                               " is not a media type: write lines such as text/html html htm");
    std::string known(type);
    if (is_text(type) && charset != kNoCharset) known.append("; charset=").append(charset);
    for (std::string_view extension = take_word(rest); !extension.empty(); extension = take_word(rest)) {
      const bool is_usable = is_token(extension) && extension.find('.') == std::string_view::npos &&
                             extension.size() <= kExtensionMax;
      if (!is_usable) continue;
      if (types_.size() == kFileTypesMax)
        throw std::runtime_error("types_file: it has more than " + std::to_string(kFileTypesMax) +
                                 " extensions: leave out those that are not served");
      types_.push_back({lower_text(extension), known});
    }
  }
  std::stable_sort(types_.begin(), types_.end(),
                   [](const Type& a, const Type& b) { return a.extension < b.extension; });
  const auto is_same = [](const Type& a, const Type& b) { return a.extension == b.extension; };
  types_.erase(std::unique(types_.begin(), types_.end(), is_same), types_.end());
}

// The usual types that have a charset, as the user wants them.
void TypeTable::add_usual(std::string_view charset) {
  constexpr std::string_view kParameter = "; charset=utf-8";
  for (const UsualType& usual : usual_types()) {
    if (!usual.type.ends_with(kParameter)) continue;
    const auto place =
        std::lower_bound(types_.begin(), types_.end(), usual.extension,
                         [](const Type& type, std::string_view wanted) { return type.extension < wanted; });
    if (place != types_.end() && place->extension == usual.extension) continue;
    std::string type(usual.type.substr(0, usual.type.size() - kParameter.size()));
    if (is_text(type) && charset != kNoCharset) type.append("; charset=").append(charset);
    types_.insert(place, {std::string(usual.extension), std::move(type)});
  }
}

void TypeTable::finish(std::string_view charset) {
  for (Type& type : types_) {
    if (!type.has_charset && is_text(type.type) && charset != kNoCharset)
      type.type.append("; charset=").append(charset);
  }
  std::sort(types_.begin(), types_.end(),
            [](const Type& a, const Type& b) { return a.extension < b.extension; });
  const auto twice = std::adjacent_find(
      types_.begin(), types_.end(), [](const Type& a, const Type& b) { return a.extension == b.extension; });
  if (twice != types_.end()) refuse(quoted(twice->extension) + " has two types");
}

std::string_view TypeTable::type_of(std::string_view path, std::string_view fallback) const {
  if (types_.empty()) return mime_type(path, fallback);
  // The extension as mime_type sees it: behind the last dot of the name, unless the name starts there.
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && dot > 0 && name.size() - dot - 1 <= kExtensionMax;
  if (!has_extension) return mime_type(path, fallback);
  const std::string extension = lower_text(name.substr(dot + 1));
  const auto found =
      std::lower_bound(types_.begin(), types_.end(), extension,
                       [](const Type& type, const std::string& wanted) { return type.extension < wanted; });
  if (found != types_.end() && found->extension == extension) return found->type;
  return mime_type(path, fallback);
}

}  // namespace sluice::files
