// The files that the tables ask for, equal for every server, and sluice's mounts for them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::conformance {

// "Thu, 29 Feb 2024 12:00:00 GMT": the time of every file, except those named after their time.
inline constexpr std::int64_t kWritten = 1'709'208'000;
inline constexpr std::uint64_t kBigSize = 1024 * 1024;
inline constexpr std::uint64_t kHugeSize = 5ULL * 1024 * 1024 * 1024;

class Site {
 public:
  // Makes the files below `root`, an empty folder that exists.
  explicit Site(std::string root);

  const std::string& root() const { return root_; }
  // Bytes [first, last] of the file for a URL's path. Throws when there is none.
  std::string part(const std::string& path, std::uint64_t first, std::uint64_t last) const;
  std::uint64_t size(const std::string& path) const;

 private:
  void write(const std::string& name, std::string_view content, std::int64_t written = kWritten);
  void link(const std::string& name, const std::string& target) const;
  void make_plain_files();
  void make_named_files();
  void make_special_files();
  void make_mounts();

  std::string root_;
  std::map<std::string, std::string> contents_;  // by path of a URL
};

// "--mount", "/=MODULE:…", … for each part of the site.
std::vector<std::string> sluice_mounts(const std::string& module);

}  // namespace sluice::conformance
