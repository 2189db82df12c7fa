#include "common/folder_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "common/http_text.h"

namespace sluice::files {
namespace {

struct Entry {
  std::string name;
  std::uint64_t size = 0;
  std::int64_t mtime_s = 0;
  bool is_folder = false;
};

// ---- reading ----

// False for what is not served: devices, sockets, broken links, and what has gone meanwhile.
bool look_at(const ListingPlan& plan, int folder, Entry& entry) {
  struct stat status;
  if (fstatat(folder, entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  FileFacts facts = facts_of(status);
  if (S_ISLNK(facts.mode)) {
    if (plan.links == Links::refused) return false;
    const bool apart = !plan.path.empty() && !plan.path.ends_with('/');
    const std::string target = plan.path + (apart ? "/" : "") + entry.name;
    if (look_beneath(plan.root, target.c_str(), Resolve::may_block, plan.links, facts) != 0) return false;
  }
  if (!facts.is_regular() && !facts.is_folder()) return false;
  entry.is_folder = facts.is_folder();
  entry.size = entry.is_folder ? 0 : facts.size;
  entry.mtime_s = facts.mtime_s;
  return true;
}

// 0, or an error of errno(3).
int read_entries(const ListingPlan& plan, std::vector<Entry>& entries, bool& cut) {
  const char* path = plan.path.empty() ? "." : plan.path.c_str();
  Opened opened = open_beneath(plan.root, path, Resolve::may_block, plan.links, O_DIRECTORY);
  if (opened.error != 0) return opened.error;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(opened.fd.get()), closedir);
  if (folder == nullptr) return errno;
  const int fd = opened.fd.release();  // closed with the DIR
  for (std::size_t looked_at = 0;;) {
    errno = 0;
    const dirent* found = readdir(folder.get());
    if (found == nullptr) return errno;
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    // Hidden names count: the limit is on the work, too.
    if (looked_at++ == plan.entries_max) {
      cut = true;
      return 0;
    }
    if (!plan.hidden && name.starts_with('.')) continue;
    Entry entry;
    entry.name = name;
    if (look_at(plan, fd, entry)) entries.push_back(std::move(entry));
  }
}

// ---- order ----

int compare_names(const Entry& left, const Entry& right) {
  const auto lower = [](char c) {
    return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  };
  const std::size_t size = std::min(left.name.size(), right.name.size());
  for (std::size_t i = 0; i < size; ++i) {
    const int difference = lower(left.name[i]) - lower(right.name[i]);
    if (difference != 0) return difference;
  }
  if (left.name.size() != right.name.size()) return left.name.size() < right.name.size() ? -1 : 1;
  return left.name.compare(right.name);
}

void sort_entries(std::vector<Entry>& entries, const ListingOrder& order) {
  std::sort(entries.begin(), entries.end(), [&order](const Entry& left, const Entry& right) {
    if (left.is_folder != right.is_folder) return left.is_folder;
    const Entry& low = order.descending ? right : left;
    const Entry& high = order.descending ? left : right;
    if (order.key == ListingKey::size && low.size != high.size) return low.size < high.size;
    if (order.key == ListingKey::date && low.mtime_s != high.mtime_s) return low.mtime_s < high.mtime_s;
    // Equals are by name and up, unless it is the name that was asked for.
    return order.key == ListingKey::name ? compare_names(low, high) < 0 : compare_names(left, right) < 0;
  });
}

// ---- text ----

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The bytes of the character at the front of a text that is not empty, or 0 when they are not well-formed UTF-8
// (RFC 3629: nothing overlong, no surrogates, nothing above U+10FFFF).
std::size_t character_size(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&byte](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool misused = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f);
    return continues(1) && continues(2) && !misused ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool misused = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return continues(1) && continues(2) && continues(3) && !misused ? 4 : 0;
  }
  return 0;
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character.front());
  return byte < 0x20 || byte == 0x7f;
}

// As HTML, with a sign for each byte that cannot be shown.
void append_shown(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0 || is_control(character)) {
      out += kReplacement;
    } else {
      append_html(out, character);
    }
    text.remove_prefix(character.size());
  }
}

// As a JSON string (RFC 8259 section 7).
void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0) {
      out += "\\ufffd";
    } else if (is_control(character)) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(character.front()));
      out += escape;
    } else {
      if (character == "\"" || character == "\\") out += '\\';
      out += character;
    }
    text.remove_prefix(character.size());
  }
  out += '"';
}

// "0 B", "1.5 KiB", "12 MiB": two digits or more of what matters.
std::string human_size(std::uint64_t size) {
  constexpr std::array kUnits = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
  constexpr long long kOneDecimalBelow = 100;  // tenths
  if (size < 1024) return std::to_string(size) + kUnits[0];
  double amount = static_cast<double>(size);
  std::size_t unit = 0;
  // By what would be shown: 1023.9 KiB are 1.0 MiB.
  while (std::llround(amount) >= 1024) {
    amount /= 1024;
    ++unit;
  }
  const long long tenths = std::llround(amount * 10);
  if (tenths >= kOneDecimalBelow) return std::to_string(std::llround(amount)) + kUnits[unit];
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + kUnits[unit];
}

// ---- the page ----

constexpr std::string_view kHead =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    // Whatever a name might smuggle in: the page runs nothing and loads nothing.
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:16px/1.4 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.3rem;overflow-wrap:anywhere}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "th,td{padding:.45rem .5rem;text-align:left;vertical-align:top;border-bottom:1px solid #8884}\n"
    "th:first-child,td:first-child{width:100%;padding-left:0;overflow-wrap:anywhere}\n"
    "td a{display:block;white-space:pre-wrap}\n"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    "a{text-decoration:none}\na:hover,a:focus{text-decoration:underline}\n"
    "tbody tr:hover{background:#8882}\n"
    "p{opacity:.8}\n"
    "@media(max-width:32rem){body{padding:.6rem}time span,th span{display:none}}\n"
    "</style>\n";

std::string_view key_name(ListingKey key) {
  switch (key) {
    case ListingKey::size:
      return "size";
    case ListingKey::date:
      return "date";
    default:
      return "name";
  }
}

// The query that asks for an order, ready for an attribute; "./" where it is the order of a page without one.
std::string order_query(const ListingOrder& order, std::string_view without) {
  if (order == ListingOrder{}) return std::string(without);
  return std::string("?sort=").append(key_name(order.key)).append(order.descending ? "&amp;order=desc" : "");
}

// A column's head: a second use of it turns the order around.
void append_column(std::string& out, const ListingOrder& order, ListingKey key, std::string_view title) {
  const bool active = order.key == key;
  // Names are looked for from A, sizes and dates from the largest and the latest.
  const bool descending = active ? !order.descending : key != ListingKey::name;
  out.append("<th").append(key == ListingKey::name ? "" : " class=\"n\"");
  if (active) out.append(" aria-sort=\"").append(order.descending ? "descending\"" : "ascending\"");
  out.append("><a href=\"").append(order_query({key, descending}, "./")).append("\">").append(title);
  if (active) out.append(order.descending ? " \xE2\x86\x93" : " \xE2\x86\x91");
  out.append("</a></th>");
}

void append_row(std::string& out, const Entry& entry, std::string_view query) {
  std::string link;
  // Without "./", what stands before a colon would be taken for a scheme.
  append_encoded_path(link.append("./"), entry.name);
  out += "<tr><td><a href=\"";
  append_html(out, link);
  if (entry.is_folder) out.append("/").append(query);
  out += "\"><bdi>";  // a name written from right to left must not turn the row around
  append_shown(out, entry.name);
  out.append("</bdi>").append(entry.is_folder ? "/" : "").append("</a></td><td class=\"n\"");
  if (!entry.is_folder) {
    out.append(" title=\"")
        .append(std::to_string(entry.size))
        .append(" bytes\">")
        .append(human_size(entry.size));
  } else {
    out += '>';
  }
  out += "</td><td class=\"n\">";
  if (const std::string date = iso_date(entry.mtime_s); !date.empty()) {
    const std::string_view text = date;
    out.append("<time datetime=\"").append(date).append("\">").append(text.substr(0, 10));
    out.append("<span> ").append(text.substr(11, 5)).append("</span></time>");
  }
  out += "</td></tr>\n";
}

std::string count_of(std::size_t count, std::string_view what) {
  return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}

void render_html(const ListingPlan& plan, const std::vector<Entry>& entries, Listing& listing) {
  std::string& out = listing.content;
  std::string title;
  append_shown(title, plan.shown_path);
  out.append(kHead)
      .append("<title>Index of ")
      .append(title)
      .append("</title>\n</head>\n<body>\n<h1>Index of <bdi>");
  out.append(title).append("</bdi></h1>\n<table>\n<thead><tr>");
  append_column(out, plan.order, ListingKey::name, "Name");
  append_column(out, plan.order, ListingKey::size, "Size");
  append_column(out, plan.order, ListingKey::date, "Modified<span> (UTC)</span>");
  out += "</tr></thead>\n<tbody>\n";
  const std::string query = order_query(plan.order, "");
  if (!plan.at_top) {
    out.append("<tr><td><a href=\"../").append(query);
    out.append("\">../</a></td><td class=\"n\"></td><td class=\"n\"></td></tr>\n");
  }
  std::size_t folders = 0;
  std::size_t files = 0;
  for (const Entry& entry : entries) {
    if (out.size() > plan.content_size_max) {
      listing.cut = true;
      break;
    }
    append_row(out, entry, query);
    ++(entry.is_folder ? folders : files);
  }
  out.append("</tbody>\n</table>\n<p>").append(count_of(folders, "folder")).append(", ");
  out.append(count_of(files, "file")).append("</p>\n");
  if (listing.cut)
    out += "<p><strong>There is more here than is shown: this folder is too large to list.</strong></p>\n";
  out += "</body>\n</html>\n";
}

void render_json(const ListingPlan& plan, const std::vector<Entry>& entries, Listing& listing) {
  std::string& out = listing.content;
  out = "[";
  for (const Entry& entry : entries) {
    if (out.size() > plan.content_size_max) {
      listing.cut = true;
      break;
    }
    out += out.size() == 1 ? "\n{\"name\":" : ",\n{\"name\":";
    append_json(out, entry.name);
    out += entry.is_folder ? ",\"type\":\"directory\",\"size\":null" : ",\"type\":\"file\",\"size\":";
    if (!entry.is_folder) out += std::to_string(entry.size);
    const std::string date = iso_date(entry.mtime_s);
    out += ",\"mtime\":";
    out += date.empty() ? "null" : "\"" + date + "\"";
    out += '}';
  }
  out += "\n]\n";
}

}  // namespace

ListingOrder listing_order(std::string_view query) {
  ListingOrder order;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair == "sort=name") order.key = ListingKey::name;
    if (pair == "sort=size") order.key = ListingKey::size;
    if (pair == "sort=date") order.key = ListingKey::date;
    if (pair == "order=asc") order.descending = false;
    if (pair == "order=desc") order.descending = true;
  }
  return order;
}

Listing list_folder(const ListingPlan& plan) {
  Listing listing;
  std::vector<Entry> entries;
  listing.error = read_entries(plan, entries, listing.cut);
  if (listing.error != 0) return listing;
  sort_entries(entries, plan.order);
  if (plan.format == ListingFormat::json) {
    render_json(plan, entries, listing);
  } else {
    render_html(plan, entries, listing);
  }
  return listing;
}

std::string_view listing_type(ListingFormat format) {
  return format == ListingFormat::json ? "application/json" : "text/html; charset=utf-8";
}

}  // namespace sluice::files
