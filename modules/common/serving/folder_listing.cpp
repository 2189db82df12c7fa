#include "common/serving/folder_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/http/text.h"
#include "common/serving/listing_page.h"

namespace sluice::files {
namespace {

// ---- reading ----

// False for entries that are not served: devices, sockets, broken links, and names that have gone meanwhile.
bool look_at(const ListingPlan& plan, int folder, ListingEntry& entry) {
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

// The entries of a folder, within the memory that listings may take.
class EntryList {
 public:
  explicit EntryList(std::shared_ptr<MemoryBudget> memory) : share_(std::move(memory)) {}
  ListingEntries& all() { return entries_; }
  // False when there is no memory for the entry.
  bool add(ListingEntry entry) {
    needed_ += sizeof(ListingEntry) + entry.name.size() + kOverhead;
    if (needed_ > share_.size() && !share_.grow(needed_ - share_.size() + kStep)) return false;
    entries_.push_back(std::move(entry));
    return true;
  }

 private:
  static constexpr std::size_t kStep = 64 * 1024;
  static constexpr std::size_t kOverhead = 32;  // of the allocator and the deque, for each entry

  MemoryShare share_;
  std::size_t needed_ = 0;
  ListingEntries entries_;
};

// 0, or an error of errno(3).
int read_entries(const ListingPlan& plan, EntryList& entries, bool& cut) {
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
    // Hidden names count, too: the limit is on the work.
    if (looked_at++ == plan.entries_max) {
      cut = true;
      return 0;
    }
    if (!plan.hidden && name.starts_with('.')) continue;
    ListingEntry entry;
    entry.name = name;
    if (look_at(plan, fd, entry) && !entries.add(std::move(entry))) return ENOMEM;
  }
}

// ---- order ----

// Takes the digits off the front of a text. Returns them without leading zeros.
std::string_view take_number(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// Compares as people do: numbers by value, so that 2 stands before 10, and letters without regard to case.
// Names that are equal so are compared by their bytes.
int compare_names(const ListingEntry& left, const ListingEntry& right) {
  std::string_view a = left.name;
  std::string_view b = right.name;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view first = take_number(a);
      const std::string_view second = take_number(b);
      if (first.size() != second.size()) return first.size() < second.size() ? -1 : 1;
      if (const int difference = first.compare(second); difference != 0) return difference;
    } else {
      const auto first = static_cast<unsigned char>(lower(a.front()));
      const auto second = static_cast<unsigned char>(lower(b.front()));
      if (first != second) return first < second ? -1 : 1;
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty() ? -1 : 1;
  return left.name.compare(right.name);
}

void sort_entries(ListingEntries& entries, const ListingOrder& order) {
  std::sort(entries.begin(), entries.end(), [&order](const ListingEntry& left, const ListingEntry& right) {
    if (left.is_folder != right.is_folder) return left.is_folder;
    const ListingEntry& low = order.descending ? right : left;
    const ListingEntry& high = order.descending ? left : right;
    if (order.key == ListingKey::size && low.size != high.size) return low.size < high.size;
    if (order.key == ListingKey::date && low.mtime_s != high.mtime_s) return low.mtime_s < high.mtime_s;
    // Equal sizes and dates are ordered by ascending names. The names themselves are ordered as asked for.
    return order.key == ListingKey::name ? compare_names(low, high) < 0 : compare_names(left, right) < 0;
  });
}

}  // namespace

ListingOrder listing_order(std::string_view query) {
  ListingOrder order;
  while (!query.empty()) {
    const std::string_view pair = take_part(query, '&');
    if (pair == "sort=name") order.key = ListingKey::name;
    if (pair == "sort=size") order.key = ListingKey::size;
    if (pair == "sort=date") order.key = ListingKey::date;
    if (pair == "order=asc") order.descending = false;
    if (pair == "order=desc") order.descending = true;
  }
  return order;
}

Listing list_folder(const ListingPlan& plan) {
  Listing listing{0, false, TextBlocks(plan.memory)};
  EntryList entries(plan.memory);
  listing.error = read_entries(plan, entries, listing.cut);
  if (listing.error != 0) return listing;
  sort_entries(entries.all(), plan.order);
  if (plan.format == ListingFormat::json) {
    render_json(plan, entries.all(), listing);
  } else {
    render_html(plan, entries.all(), listing);
  }
  return listing;
}

std::string_view listing_type(ListingFormat format) {
  return format == ListingFormat::json ? "application/json" : "text/html; charset=utf-8";
}

}  // namespace sluice::files
