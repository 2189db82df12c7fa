// What a folder holds, as a page for people or as JSON for programs.
//
// For an offload thread: it reads the folder and asks about each entry. It touches nothing but its arguments,
// so any number may run at once; the descriptor stays the caller's, open until the call returns.
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

// From a query such as "sort=size&order=desc"; what it does not say, or says in other words, is by name and up.
ListingOrder listing_order(std::string_view query);

struct ListingPlan {
  int root = -1;                  // nothing outside this folder is opened or shown (Folder::fd)
  std::string path;               // of the folder to list, beneath `root`; empty for `root` itself
  std::string shown_path;         // what the page says that it lists: mount and path, decoded
  bool at_top = true;             // of the mount: no way up
  bool hidden = false;            // whether names that start with a dot are listed
  Links links = Links::followed;  // refused: no link is listed, nor followed on the way to the folder
  ListingFormat format = ListingFormat::html;
  ListingOrder order;
  std::shared_ptr<MemoryBudget> memory;             // that all listings share
  std::size_t entries_max = 100'000;                // more than this many names are not looked at
  std::size_t content_size_max = 32 * 1024 * 1024;  // about: the entry that exceeds it is the last
};

struct Listing {
  int error;           // of errno(3): status_of in open_beneath.h; 0 when there is content
  bool cut;            // a limit was reached. The page says so; JSON cannot
  TextBlocks content;  // UTF-8, whatever the bytes of the names
};

// Files and folders, and links that lead to one beneath `root`. The links on the page are relative: it must be
// answered for a path that ends in a slash.
Listing list_folder(const ListingPlan& plan);

// The Content-Type.
std::string_view listing_type(ListingFormat format);

}  // namespace sluice::files
