// The content of a folder, as a page for people or as JSON for programs.
//
// For an offload thread: it reads the folder and asks for the facts of each entry. It touches nothing but its
// arguments, so any number may run at once. The caller keeps the descriptor open until the call returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/files/open_beneath.h"
#include "common/files/text_blocks.h"

namespace sluice::files {

enum class ListingFormat : std::uint8_t { html, json };
enum class ListingKey : std::uint8_t { name, size, date };

// Folders come first in any order.
struct ListingOrder {
  ListingKey key = ListingKey::name;
  bool descending = false;
  bool operator==(const ListingOrder&) const = default;
};

// Reads a query such as "sort=size&order=desc". Missing or unknown values mean: by name, ascending.
ListingOrder listing_order(std::string_view query);

struct ListingPlan {
  int root = -1;                  // nothing outside this folder is opened or shown (Folder::fd)
  std::string path;               // of the folder to list, beneath `root`; empty for `root` itself
  std::string shown_path;         // the title of the page: mount and path, decoded
  bool at_top = true;             // the folder is the mount's own: no way up
  bool hidden = false;            // whether names that start with a dot are listed
  Links links = Links::followed;  // refused: no link is listed, nor followed on the way to the folder
  ListingFormat format = ListingFormat::html;
  ListingOrder order;
  std::shared_ptr<MemoryBudget> memory;             // shared by all listings
  std::size_t entries_max = 100'000;                // more names than this are not looked at
  std::size_t content_size_max = 32 * 1024 * 1024;  // about: the entry that exceeds it is the last one
};

struct Listing {
  int error;           // of errno(3): status_of in open_beneath.h; 0 when there is content
  bool cut;            // a limit was reached. The page says so; JSON has no place for it
  TextBlocks content;  // UTF-8, whatever bytes the names have
};

// Lists files, folders, and links that lead to one beneath `root`. The page's links are relative, so it has
// to answer for a path that ends in a slash.
Listing list_folder(const ListingPlan& plan);

// The Content-Type.
std::string_view listing_type(ListingFormat format);

}  // namespace sluice::files
