// What a listing says of a folder's entries, as a page for people or as JSON for programs. Pure; any thread.
//
// A row of the page is made for programs, too: href="name" and the name alone as the link's text, which is what
// clients that scrape look for. It links to nothing but the entries and the folder above, so that whoever
// mirrors the folder gets each listing once; the buttons that sort are forms, which only people use.
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
using ListingEntries = std::deque<ListingEntry>;  // which moves nothing when it grows

// Fill `listing`: content, whether it was cut, and ENOMEM where there was no memory for it.
void render_html(const ListingPlan& plan, const ListingEntries& entries, Listing& listing);
void render_json(const ListingPlan& plan, const ListingEntries& entries, Listing& listing);

}  // namespace sluice::files
