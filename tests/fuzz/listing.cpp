// Names in listings: whatever bytes a name has, the page and the JSON text are UTF-8, the name ends no tag,
// attribute or string, and the link leads to that very name.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/serving/listing_page.h"
#include "expect.h"

using namespace sluice::files;
using sluice::fuzz::expect;

namespace {

constexpr std::size_t kNameMax = 255;

// A slow judge of UTF-8 (RFC 3629): by the value of each character.
bool is_utf8(std::string_view text) {
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || text.size() - i < size) return false;
    std::uint32_t value = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0U) != 0x80) return false;
      value = value << 6 | (next & 0x3fU);
    }
    if (value < kLeast[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return false;
    i += size;
  }
  return true;
}

std::string between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  expect(from != std::string_view::npos, "the row has its parts");
  const std::size_t to = text.find(end, from + begin.size());
  expect(to != std::string_view::npos, "the row's parts end");
  return std::string(text.substr(from + begin.size(), to - from - begin.size()));
}

// As a browser reads a link: references of HTML, then percent signs.
std::string name_of_link(std::string link) {
  for (const auto& [reference, byte] : {std::pair("&#39;", '\''), std::pair("&amp;", '&')})
    for (std::size_t at; (at = link.find(reference)) != std::string::npos;)
      link.replace(at, std::string_view(reference).size(), 1, byte == '&' ? '\1' : byte);
  std::replace(link.begin(), link.end(), '\1', '&');
  std::string name;
  for (std::size_t i = 0; i < link.size(); ++i) {
    if (link[i] != '%') {
      name += link[i];
      continue;
    }
    expect(i + 2 < link.size(), "a percent sign has its digits");
    name += static_cast<char>(std::stoi(link.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return name;
}

void check_row(const std::string& page, const ListingEntry& entry) {
  expect(is_utf8(page), "a page is UTF-8");
  const std::string row = between(page, "<tbody>\n", "</tbody>");
  expect(std::count(row.begin(), row.end(), '<') == std::count(row.begin(), row.end(), '>'),
         "a name opens and ends no tag");
  const std::string link = between(row, "<a href=\"", "\"");
  expect(link.find(':') == std::string::npos, "a link has no scheme");
  expect(name_of_link(link) == entry.name + (entry.is_folder ? "/" : ""), "a link leads to its name");
  const std::string shown = between(row, "\">", "</a>");
  expect(shown.find_first_of("<>\"'") == std::string::npos, "a shown name has no markup");
}

void check_json(const std::string& json) {
  expect(is_utf8(json), "JSON is UTF-8");
  std::size_t quotes = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      ++quotes;
    } else {
      expect(static_cast<unsigned char>(json[i]) >= 0x20 || json[i] == '\n', "JSON has no control characters");
    }
  }
  // Keys, values, and nothing else: 4 keys, name, type and date.
  expect(quotes == 14, "a name ends no string");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ListingEntries entries(1);
  ListingEntry& entry = entries.front();
  entry.is_folder = data[0] % 2 == 0;
  entry.size = data[0];
  entry.name.assign(reinterpret_cast<const char*>(data) + 1, std::min(size - 1, kNameMax));
  if (entry.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) return 0;  // no file has it
  ListingPlan plan;
  plan.shown_path = "/" + entry.name;
  plan.memory = std::make_shared<MemoryBudget>(1 << 20);
  Listing page{0, false, TextBlocks(plan.memory)};
  render_html(plan, entries, page);
  expect(page.error == 0 && !page.cut, "a short page has room");
  check_row(page.content.str(), entry);
  Listing json{0, false, TextBlocks(plan.memory)};
  render_json(plan, entries, json);
  check_json(json.content.str());
  return 0;
}
