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

bool is_hex(char byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f');
}
bool is_upper(char byte) {
  return byte >= 'A' && byte <= 'Z';
}
bool is_lower(char byte) {
  return byte >= 'a' && byte <= 'z';
}
bool is_divider(char byte) {
  return byte == '-' || byte == '_';
}

// A word has no digits, and a date or a number no letters.
bool is_hex_hash(std::string_view text) {
  return text.size() >= kHashSize && std::all_of(text.begin(), text.end(), is_hex) &&
         std::any_of(text.begin(), text.end(), is_digit) && !std::all_of(text.begin(), text.end(), is_digit);
}

// How often capitals, other letters and digits follow each other in turn.
unsigned changes_of_kind(std::string_view text) {
  unsigned changes = 0;
  char before = 0;
  for (const char byte : text) {
    if (is_divider(byte)) continue;
    const char kind = is_digit(byte) ? '0' : is_upper(byte) ? 'A' : 'a';
    changes += before != 0 && before != kind ? 1 : 0;
    before = kind;
  }
  return changes;
}

// Some tools write eight characters of base64url at the end, whose '-' and '_' divide names, too:
// "index-B_x9-aQe.js". Words change from capitals to other letters or digits once.
bool ends_in_base64url(std::string_view stem) {
  if (stem.size() <= kHashSize) return false;
  const char before = stem[stem.size() - kHashSize - 1];
  const std::string_view hash = stem.substr(stem.size() - kHashSize);
  const bool is_divided = std::any_of(hash.begin(), hash.end(), is_divider);
  return (before == '-' || before == '.') &&
         std::all_of(hash.begin(), hash.end(),
                     [](char byte) {
                       return is_digit(byte) || is_upper(byte) || is_lower(byte) || is_divider(byte);
                     }) &&
         changes_of_kind(hash) >= (is_divided ? 3 : 2);
}

struct Release {
  std::int64_t mtime_s;
  std::uint32_t mtime_ns;
  std::string name;

  bool operator<(const Release& other) const {
    return std::tie(mtime_s, mtime_ns, name) < std::tie(other.mtime_s, other.mtime_ns, other.name);
  }
};

// The releases in the folder without this one, in no order.
std::vector<Release> other_releases(OwnedFd opened, std::string_view current) {
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
    if (name.starts_with('.') || name == current ||
        look_beneath(fd, found->d_name, Resolve::may_block, Links::refused, facts) != 0 || !facts.is_folder())
      continue;
    releases.push_back({facts.mtime_s, facts.mtime_ns, std::string(name)});
  }
  return releases;
}

}  // namespace

std::string_view hash_in_name(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  const std::string_view stem = name.substr(0, dot);
  if (ends_in_base64url(stem)) return stem.substr(stem.size() - kHashSize);
  for (std::string_view rest = stem; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of("-_."), rest.size());
    if (is_hex_hash(rest.substr(0, end))) return rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

std::string find_in_releases(int root, const std::string& prefix, std::string_view path,
                             std::uint64_t releases_max) {
  const Opened current = open_beneath(root, (prefix + std::string(kCurrentRelease)).c_str(), Resolve::may_block,
                                      Links::followed, O_DIRECTORY);
  if (current.error != 0) return {};
  const std::string top = real_path(root);
  const std::string folder = prefix + std::string(kReleases);
  const std::string beneath = (top == "/" ? top : top + "/") + folder;
  // "8", or "8/public" if what is served is a folder in each release.
  std::string at = real_path(current.fd.get());
  if (!at.starts_with(beneath)) return {};
  at.erase(0, beneath.size());
  const std::string name = at.substr(0, at.find('/'));
  const std::string inside = at.substr(name.size()) + "/" + std::string(path);
  Opened opened = open_beneath(root, folder.c_str(), Resolve::may_block, Links::followed, O_DIRECTORY);
  if (opened.error != 0) return {};
  std::vector<Release> releases = other_releases(std::move(opened.fd), name);
  std::sort(releases.rbegin(), releases.rend());
  if (releases.size() > releases_max) releases.resize(releases_max);
  // It may have become the current one after the path was looked for.
  releases.insert(releases.begin(), {0, 0, name});
  for (const Release& release : releases) {
    std::string found = folder;
    found.append(release.name).append(inside);
    FileFacts facts;
    if (look_beneath(root, found.c_str(), Resolve::may_block, Links::followed, facts) == 0 &&
        facts.is_regular())
      return found;
  }
  return {};
}

}  // namespace sluice::files
