#include "config_file.h"

#include <fmt/core.h>
#define TOML_EXCEPTIONS 0
// Some of its assertions fail for text that it refuses a moment later.
#define TOML_ASSERT(expression) static_assert(true)
// toml++ 3.3 takes for granted that its judges of characters have an answer, and has none for those before
// U+FEFF. There it is no: they are neither blanks nor letters that matter.
#include <toml++/impl/forward_declarations.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_unreachable()
#include <toml++/toml.h>
#include <algorithm>
#include <cctype>
#include <optional>

#include "base/small_file.h"
#include "base/text.h"
#include "unquoted_value.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::string_view kSite = "site";
constexpr std::string_view kMount = "mount";
constexpr std::string_view kFilter = "filter";

std::string_view line_of(std::string_view text, std::size_t number) {
  std::string_view line;
  for (std::size_t i = 0; i < number && !text.empty(); ++i) line = take_part(text, "\n");
  return trimmed(line, " \t\r");
}

// What the parser says, as the second part of a sentence.
std::string explained(const toml::parse_error& error, std::string_view line) {
  constexpr std::string_view kBeginning = "Error while parsing ";
  std::string what(error.description());
  if (line.starts_with(';')) return "a comment begins with '#' in place of ';'";
  if (what.find("cannot redefine existing") != std::string::npos && !line.starts_with('['))
    return "the key stands here a second time: write several values as one list, as in listen = [\"A\", \"B\"]";
  if (what.find("cannot redefine existing") != std::string::npos)
    return fmt::format("{} stands here a second time: sites and mounts have two brackets, as in [[site]]",
                       line);
  if (const auto meant = with_quotes(line)) return "a value that is no number needs quotes: write " + *meant;
  if (what.starts_with(kBeginning)) what = "this is not the TOML of a " + what.substr(kBeginning.size());
  return what;
}

// toml++ 3.3 takes for granted that a key begins behind the brackets of a table, and is undefined otherwise.
Result<void> check_headers(std::string_view text, const std::string& file) {
  constexpr std::string_view kBegins = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-\"']";
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view whole = take_part(text, "\n");
    const std::string_view line = trimmed(whole, " \t\r");
    if (!line.starts_with('[')) continue;
    const std::size_t brackets = line.starts_with("[[") ? 2 : 1;
    const std::size_t name = line.find_first_not_of(" \t", brackets);
    if (name == std::string_view::npos || kBegins.find(line[name]) == std::string_view::npos)
      return fail(fmt::format("{}:{}:{}: '{}' names no table: write [[site]], for example", file, number,
                              whole.find('[') + 1, line));
  }
  return {};
}

// The size of the quoted text or comment at the front; 0 if there is none. One without an end goes on to the
// end of the line, where the parser stops.
std::size_t quoted_size(std::string_view text, bool may_be_long) {
  const char quote = text.front();
  if (quote == '#') return std::min(text.find('\n'), text.size());
  if (quote != '"' && quote != '\'') return 0;
  const std::string triple(3, quote);
  const bool is_long = may_be_long && text.starts_with(triple);
  for (std::size_t at = is_long ? 3 : 1; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (is_long ? text.substr(at).starts_with(triple) : text[at] == quote) {
      return at + (is_long ? 3 : 1);
    } else if (text[at] == '\n' && !is_long) {
      return at;
    }
  }
  return text.size();
}

// Where the bytes that were read end: "LINE:COLUMN", both from 1. A column has one character of UTF-8.
std::string end_of(std::string_view read) {
  const auto line = std::count(read.begin(), read.end(), '\n') + 1;
  const std::string_view last = read.substr(read.rfind('\n') + 1);
  const auto is_first = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; };
  return fmt::format("{}:{}", line, std::count_if(last.begin(), last.end(), is_first) + 1);
}

// toml++ 3.3 is undefined for most other characters outside of quotes, where TOML has none.
Result<void> check_letters(std::string_view text, const std::string& file) {
  constexpr std::string_view kBeforeTexts = "\n=[,.{";
  const std::string_view all = text;
  char before = '\n';   // blanks left out
  unsigned arrays = 0;  // that are open
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) >= 0x80) {
      const std::string_view read = all.substr(0, all.size() - text.size());
      const std::string place = file + ":" + end_of(read);
      const auto number = static_cast<std::size_t>(std::count(read.begin(), read.end(), '\n')) + 1;
      const std::string_view line = line_of(all, number);
      if (const auto meant = with_quotes(line))
        return fail(fmt::format("{}: a value that is no number needs quotes: write {}", place, *meant));
      return fail(
          fmt::format("{}: '{}' has other letters than A to Z outside of quotes: write keys and values "
                      "with them in quotes",
                      place, line));
    }
    const bool may_begin = text.front() == '#' || kBeforeTexts.find(before) != std::string_view::npos;
    const bool may_be_long = before == '=' || before == ',' || arrays > 0;  // keys have one line
    if (text.front() == '[' && (before == '=' || arrays > 0)) ++arrays;
    if (text.front() == ']' && arrays > 0) --arrays;
    if (text.front() != ' ' && text.front() != '\t') before = text.front();
    text.remove_prefix(std::max<std::size_t>(may_begin ? quoted_size(text, may_be_long) : 0, 1));
  }
  return {};
}

Result<void> can_be_parsed(std::string_view text, const std::string& file) {
  return check_headers(text, file).and_then([&] { return check_letters(text, file); });
}

// The parser stops at the first mistake. Further values without quotes are found line by line.
std::string syntax_mistakes(const toml::parse_error& error, std::string_view text, const std::string& file) {
  const toml::source_position at = error.source().begin;
  const std::string_view first = line_of(text, at.line);
  std::string mistakes = fmt::format("{}:{}:{}: {}", file, at.line, at.column, explained(error, first));
  if (!with_quotes(first)) return mistakes;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view whole = take_part(text, "\n");
    const std::string_view line = trimmed(whole, " \t\r");
    if (number <= at.line || line.starts_with('#')) continue;
    if (const auto meant = with_quotes(line); meant && can_be_parsed(line, file) && !toml::parse(line)) {
      const std::size_t column = whole.find_first_not_of(" \t", whole.find('=') + 1) + 1;
      mistakes +=
          fmt::format("\n{}:{}:{}: this value needs quotes, too: write {}", file, number, column, *meant);
    }
  }
  return mistakes;
}

// Turns the tables into texts, and collects the mistakes.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  ConfigFile read(const toml::table& top) {
    ConfigFile config;
    config.server.place = file_;
    for (const auto& [key, node] : top) {
      if (key.str() == kSite) {
        each_table(kSite, node, [&](const toml::table& table) { config.sites.push_back(read_site(table)); });
      } else {
        read_key(key, node, config.server);
      }
    }
    return config;
  }

  Result<void> mistakes() const { return mistakes_.empty() ? Result<void>() : fail(mistakes_); }

 private:
  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}:{}", file_, source.begin.line, source.begin.column);
  }

  void refuse(const toml::source_region& source, const std::string& why) {
    mistakes_ += (mistakes_.empty() ? "" : "\n") + place(source) + ": " + why;
  }

  template <typename Read>
  void each_table(std::string_view name, const toml::node& node, Read&& read) {
    const toml::array* tables = node.as_array();
    if (tables == nullptr || !tables->is_array_of_tables())
      return refuse(node.source(), fmt::format("'{0}' is a table with two brackets: write [[{0}]]", name));
    for (const toml::node& table : *tables) read(*table.as_table());
  }

  ConfigSite read_site(const toml::table& table) {
    ConfigSite site;
    site.place = place(table.source());
    for (const auto& [key, node] : table) read_key(key, node, site);
    return site;
  }

  // `mount` and `filter` may have the texts of the command line, too.
  void read_key(const toml::key& key, const toml::node& node, ConfigSite& site) {
    const toml::array* list = node.as_array();
    const bool is_filter = key.str() == kFilter;
    if ((key.str() != kMount && !is_filter) || (list != nullptr && !list->is_array_of_tables()))
      return take(key, node, site.entries);
    if (list == nullptr && !node.is_table()) return take(key, node, site.entries);
    each_table(key.str(), node, [&](const toml::table& table) {
      site.mounts.push_back(read_mount(table));
      site.mounts.back().filter = is_filter;
    });
  }

  ConfigMount read_mount(const toml::table& table) {
    ConfigMount mount;
    mount.place = place(table.source());
    for (const auto& [key, node] : table) take(key, node, mount.entries);
    return mount;
  }

  void take(const toml::key& key, const toml::node& node, std::vector<ConfigEntry>& entries) {
    ConfigEntry entry{std::string(key.str()), {}, {}, node.is_array(), place(key.source())};
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& item : *list) add(key, item, entry);
    } else {
      add(key, node, entry);
    }
    entries.push_back(std::move(entry));
  }

  void add(const toml::key& key, const toml::node& node, ConfigEntry& entry) {
    std::vector<std::string>& values = entry.values;
    if (const auto* text = node.as_string()) {
      values.push_back(text->get());
    } else if (const auto* number = node.as_integer()) {
      values.push_back(std::to_string(number->get()));
    } else if (const auto* flag = node.as_boolean()) {
      values.emplace_back(flag->get() ? "on" : "off");
    } else if (node.is_table()) {
      refuse(
          node.source(),
          fmt::format(
              "there is no table [{}]: the tables are [[site]], and [[mount]] and [[filter]] in it or above it",
              key.str()));
    } else {
      refuse(node.source(),
             fmt::format("'{}' is a text, a whole number, true, false, or a list of texts: put it in quotes",
                         key.str()));
    }
    entry.places.resize(values.size(), place(node.source()));
  }

  const std::string& file_;
  std::string mistakes_;
};

}  // namespace

Result<ConfigFile> parse_config(std::string_view text, const std::string& file) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return fail(file + " is written in UTF-16: save it as UTF-8");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (const auto checked = can_be_parsed(text, file); !checked) return Unexpected(checked.error());
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) return fail(syntax_mistakes(parsed.error(), text, file));
  Reader reader(file);
  ConfigFile config = reader.read(parsed.table());
  return reader.mistakes().map([&] { return std::move(config); });
}

Result<ConfigFile> read_config_file(const std::string& file) {
  return SmallFile::open(file, "the configuration file '" + file + "'", kFileBytesMax)
      .and_then([](const SmallFile& opened) { return opened.read(); })
      .and_then([&](const std::string& text) { return parse_config(text, file); });
}

}  // namespace sluice::cli
