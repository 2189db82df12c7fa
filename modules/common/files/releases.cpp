#include "common/files/releases.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "common/files/owned_fd.h"
#include "common/http/text.h"

namespace sluice::files {
namespace {

constexpr std::size_t kHashSize = 8;
// Further entries of the folder of releases are not looked at.
constexpr std::size_t kEntriesMax = 1000;

bool is_upper(char byte) {
  return byte >= 'A' && byte <= 'Z';
}
bool is_lower(char byte) {
  return byte >= 'a' && byte <= 'z';
}
bool is_of_hash(char byte) {
  return is_digit(byte) || is_upper(byte) || is_lower(byte);
}

// "20260131"
bool is_date(std::string_view text) {
  if (text.size() != 8 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  const std::string_view month = text.substr(4, 2);
  const std::string_view day = text.substr(6, 2);
  return (text.starts_with("19") || text.starts_with("20")) && month >= "01" && month <= "12" && day >= "01" &&
         day <= "31";
}

// REQUIRES: it has the bytes of one.
bool looks_random(std::string_view text) {
  if (is_date(text)) return false;
  const bool is_mixed =
      std::any_of(text.begin() + 1, text.end(), is_upper) && std::any_of(text.begin(), text.end(), is_lower);
  return is_mixed || std::any_of(text.begin(), text.end(), is_digit) ||
         std::all_of(text.begin(), text.end(), [](char byte) { return byte >= 'a' && byte <= 'f'; });
}

// Some tools write the hash in base64url, whose letters '-' and '_' divide names, too: "index-B_x9-aQe.js".
bool ends_in_base64url(std::string_view stem) {
  if (stem.size() <= kHashSize) return false;
  const char before = stem[stem.size() - kHashSize - 1];
  const std::string_view hash = stem.substr(stem.size() - kHashSize);
  return (before == '-' || before == '.') &&
         std::all_of(hash.begin(), hash.end(),
                     [](char byte) { return is_of_hash(byte) || byte == '-' || byte == '_'; }) &&
         std::any_of(hash.begin(), hash.end(), [](char byte) { return is_digit(byte) || is_upper(byte); }) &&
         looks_random(hash);
}

struct Release {
  std::int64_t mtime_s;
  std::uint32_t mtime_ns;
  std::string name;

  bool operator<(const Release& other) const {
    return std::tie(mtime_s, mtime_ns, name) < std::tie(other.mtime_s, other.mtime_ns, other.name);
  }
};

// The other releases in the folder, in no order.
std::vector<Release> other_releases(OwnedFd opened, const FileFacts& current) {
  std::vector<Release> releases;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(opened.get()), closedir);
  if (folder == nullptr) return releases;
  const int fd = opened.release();  // closed with the DIR
  for (std::size_t seen = 0; seen < kEntriesMax; ++seen) {
    const dirent* found = readdir(folder.get());
    if (found == nullptr) break;
    FileFacts facts;
    const std::string_view name = found->d_name;
    // A link is not a release of its own.
    if (name.starts_with('.') ||
        look_beneath(fd, found->d_name, Resolve::may_block, Links::refused, facts) != 0 || !facts.is_folder() ||
        facts.same_file(current))
      continue;
    releases.push_back({facts.mtime_s, facts.mtime_ns, std::string(name)});
  }
  return releases;
}

}  // namespace

bool has_hash_in_name(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view stem = name.substr(0, dot);
  if (ends_in_base64url(stem)) return true;
  for (std::size_t begin = 0; begin < stem.size();) {
    const auto end = static_cast<std::size_t>(
        std::find_if_not(stem.begin() + static_cast<std::ptrdiff_t>(begin), stem.end(), is_of_hash) -
        stem.begin());
    if (end - begin >= kHashSize && looks_random(stem.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

std::string find_in_releases(int root, const std::string& prefix, std::string_view path,
                             std::uint64_t releases_max) {
  const Opened current = open_beneath(root, (prefix + std::string(kCurrentRelease)).c_str(), Resolve::may_block,
                                      Links::followed, O_DIRECTORY);
  if (current.error != 0) return {};
  const std::string top = real_path(root);
  const std::string beneath = top == "/" ? top : top + "/";
  const std::string at = real_path(current.fd.get());
  if (!at.starts_with(beneath)) return {};
  std::string folder = at.substr(beneath.size());
  folder.erase(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/') + 1);
  Opened opened = open_beneath(root, folder.empty() ? "." : folder.c_str(), Resolve::may_block, Links::followed,
                               O_DIRECTORY);
  if (opened.error != 0) return {};
  std::vector<Release> releases = other_releases(std::move(opened.fd), current.facts);
  std::sort(releases.rbegin(), releases.rend());
  for (std::size_t i = 0; i < releases.size() && i < releases_max; ++i) {
    std::string found = folder + releases[i].name + "/";
    found.append(path);
    FileFacts facts;
    if (look_beneath(root, found.c_str(), Resolve::may_block, Links::followed, facts) == 0 &&
        facts.is_regular())
      return found;
  }
  return {};
}

}  // namespace sluice::files
