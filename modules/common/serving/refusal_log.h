// Logs that a user may not read a file or enter a folder, once for each of them. One a mount, loop thread; a
// thread finds out which file or folder it is.
//
// INVARIANT: at most kNamesMax lines in kForgetMs, and one search a second, whatever the clients ask for.
#pragma once

#include <sluice/handler.h>

#include <set>
#include <string>

#include "common/files/open_beneath.h"

namespace sluice::files {

class RefusalLog {
 public:
  static constexpr std::size_t kNamesMax = 16;
  static constexpr std::uint64_t kForgetMs = 3'600'000;
  static constexpr std::uint64_t kSearchEveryMs = 1'000;

  RefusalLog(Host& host, int folder_fd, Links links) : host_(host), folder_fd_(folder_fd), links_(links) {}

  // `path`, beneath the mount's folder, could not be opened because rights are missing.
  void note(const std::string& path);

 private:
  class Search;
  void found(std::string name, const std::string& sentence);

  Host& host_;
  const int folder_fd_;
  const Links links_;
  std::set<std::string> told_;
  std::string last_path_;
  std::uint64_t search_at_ms_ = 0;
  std::uint64_t forget_at_ms_ = 0;
};

}  // namespace sluice::files
