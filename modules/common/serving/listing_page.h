// Writes a folder's entries, as a page for people or as JSON for programs. Pure; any thread.
//
// Programs that scrape the page look for href="name" and the bare name as the link's text. The page links to
// nothing but the entries and the folder above, so that a program that mirrors it gets each listing once. The
// buttons that sort are forms, which only people use.
#pragma once

#include <deque>
#include <string>

#include "common/serving/folder_listing.h"

namespace sluice::files {

struct ListingEntry {
  std::string name;
  std::uint64_t size = 0;
  std::int64_t mtime_s = 0;
  bool is_folder = false;
};
using ListingEntries = std::deque<ListingEntry>;  // a deque moves nothing when it grows

// Fill `listing`: its content, whether it was cut, and ENOMEM if there was no memory for it.
void render_html(const ListingPlan& plan, const ListingEntries& entries, Listing& listing);
void render_json(const ListingPlan& plan, const ListingEntries& entries, Listing& listing);

}  // namespace sluice::files
