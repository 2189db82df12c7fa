#include "common/serving/listing_page.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include "common/http/http_text.h"

namespace sluice::files {
namespace {

// ---- text ----

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The size of the character at the front of a text that is not empty; 0 if its bytes are not well-formed
// UTF-8 (RFC 3629: nothing overlong, no surrogates, nothing above U+10FFFF).
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

// Appends HTML, with a replacement sign for each byte that cannot be shown.
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

// Appends a JSON string (RFC 8259 section 7).
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

// "0 B", "1.5 KiB", "12 MiB": at least two significant digits.
std::string human_size(std::uint64_t size) {
  constexpr std::array kUnits = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
  constexpr long long kOneDecimalBelow = 100;  // tenths
  if (size < 1024) return std::to_string(size) + kUnits[0];
  double amount = static_cast<double>(size);
  std::size_t unit = 0;
  // Rounds first: 1023.9 KiB are shown as 1.0 MiB.
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
    // Whatever markup a name might bring in, the page runs and loads nothing.
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'self'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:16px/1.4 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.3rem;overflow-wrap:anywhere}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "th,td{padding:.45rem .5rem;text-align:left;vertical-align:top;border-bottom:1px solid #8884}\n"
    "th:first-child,td:first-child{width:100%;padding-left:0;overflow-wrap:anywhere}\n"
    // A name that is written from right to left must not turn the row around.
    "td a{display:block;white-space:pre-wrap;unicode-bidi:plaintext;text-align:left}\n"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    "a{text-decoration:none}\na:hover,a:focus{text-decoration:underline}\n"
    "form{margin:0}\n"
    "button{font:inherit;font-weight:bold;color:LinkText;background:none;border:0;padding:0;cursor:pointer}\n"
    "button:hover,button:focus{text-decoration:underline}\n"
    "tbody tr:hover{background:#8882}\n"
    "p{opacity:.8}\n"
    "@media(max-width:32rem){body{padding:.6rem}time span,th span{display:none}}\n"
    "</style>\n";

// The largest row: a name of 255 bytes, twice, with each byte as a reference of six.
constexpr std::size_t kRowMax = 4096;

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

// The head of a column. A second click on it reverses the order.
void append_column(std::string& out, const ListingOrder& order, ListingKey key, std::string_view title) {
  const bool active = order.key == key;
  // At the first click names are sorted from A, sizes from the largest, dates from the latest.
  const bool descending = active ? !order.descending : key != ListingKey::name;
  out.append("<th").append(key == ListingKey::name ? "" : " class=\"n\"");
  if (active) out.append(" aria-sort=\"").append(order.descending ? "descending\"" : "ascending\"");
  out.append("><form><input type=\"hidden\" name=\"sort\" value=\"").append(key_name(key));
  out.append("\"><button name=\"order\" value=\"").append(descending ? "desc" : "asc").append("\">");
  out.append(title);
  if (active) out.append(order.descending ? " \xE2\x86\x93" : " \xE2\x86\x91");
  out.append("</button></form></th>");
}

// Appends a relative reference. A colon is encoded: as it stands it would make a scheme of the text before it
// (RFC 3986 section 4.2).
void append_link(std::string& out, std::string_view name) {
  std::string link;
  for (std::size_t colon; (colon = name.find(':')) != std::string_view::npos; name.remove_prefix(colon + 1)) {
    append_encoded_path(link, name.substr(0, colon));
    link += "%3A";
  }
  append_encoded_path(link, name);
  append_html(out, link);
}

void append_row(std::string& out, const ListingEntry& entry) {
  const std::string_view slash = entry.is_folder ? "/" : "";
  out += "<tr><td><a href=\"";
  append_link(out, entry.name);
  out.append(slash).append("\">");
  append_shown(out, entry.name);
  out.append(slash).append("</a></td><td class=\"n\"");
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

std::string head_of(const ListingPlan& plan) {
  std::string head(kHead);
  std::string title;
  append_shown(title, plan.shown_path);
  head.append("<title>Index of ").append(title).append("</title>\n</head>\n<body>\n<h1>Index of <bdi>");
  head.append(title).append("</bdi></h1>\n<table>\n<thead><tr>");
  append_column(head, plan.order, ListingKey::name, "Name");
  append_column(head, plan.order, ListingKey::size, "Size");
  append_column(head, plan.order, ListingKey::date, "Modified<span> (UTC)</span>");
  head += "</tr></thead>\n<tbody>\n";
  if (!plan.at_top)
    head += "<tr><td><a href=\"../\">../</a></td><td class=\"n\"></td><td class=\"n\"></td></tr>\n";
  return head;
}

// The string to append a row to. Null: the listing has been cut, or has failed.
std::string* room_for_row(const ListingPlan& plan, Listing& listing) {
  if (listing.content.size() > plan.content_size_max) {
    listing.cut = true;
    return nullptr;
  }
  std::string* const out = listing.content.room_for(kRowMax);
  if (out == nullptr) listing.error = ENOMEM;
  return out;
}

void append(Listing& listing, std::string_view text) {
  if (listing.error != 0) return;
  if (std::string* const out = listing.content.room_for(text.size())) {
    out->append(text);
  } else {
    listing.error = ENOMEM;
  }
}

}  // namespace

void render_html(const ListingPlan& plan, const ListingEntries& entries, Listing& listing) {
  append(listing, head_of(plan));
  std::size_t folders = 0;
  std::size_t files = 0;
  for (const ListingEntry& entry : entries) {
    std::string* const out = room_for_row(plan, listing);
    if (out == nullptr) break;
    append_row(*out, entry);
    ++(entry.is_folder ? folders : files);
  }
  std::string tail =
      "</tbody>\n</table>\n<p>" + count_of(folders, "folder") + ", " + count_of(files, "file") + "</p>\n";
  if (listing.cut)
    tail += "<p><strong>Not all entries are shown: this folder is too large to list.</strong></p>\n";
  append(listing, tail + "</body>\n</html>\n");
}

void render_json(const ListingPlan& plan, const ListingEntries& entries, Listing& listing) {
  append(listing, "[");
  bool first = true;
  for (const ListingEntry& entry : entries) {
    std::string* const out = room_for_row(plan, listing);
    if (out == nullptr) break;
    *out += std::exchange(first, false) ? "\n{\"name\":" : ",\n{\"name\":";
    append_json(*out, entry.name);
    *out += entry.is_folder ? ",\"type\":\"directory\",\"size\":null" : ",\"type\":\"file\",\"size\":";
    if (!entry.is_folder) *out += std::to_string(entry.size);
    const std::string date = iso_date(entry.mtime_s);
    *out += ",\"mtime\":";
    *out += date.empty() ? "null" : "\"" + date + "\"";
    *out += '}';
  }
  append(listing, "\n]\n");
}

}  // namespace sluice::files
