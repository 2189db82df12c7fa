// A site's own pages for answers that report errors, read when the server starts or reloads. Read-only
// afterwards; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/error.h"

namespace sluice {

class ErrorPages {
 public:
  // Reads the pages of a folder: a file for each status, as 404.html. The error is one sentence.
  static Result<ErrorPages> read(const std::string& folder);

  // The page's HTML; null for a status without a page.
  const std::string* find(std::uint32_t status) const;
  const std::map<std::uint32_t, std::string>& all() const { return pages_; }

 private:
  std::map<std::uint32_t, std::string> pages_;
};

}  // namespace sluice
