// A regular file that is read whole: certificates, settings, pages. Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

class SmallFile {
 public:
  // `subject` begins the sentences of errors: "the certificate a.pem". A file that is no regular one, or
  // that has more than `size_max` bytes, is refused.
  static Result<SmallFile> open(const std::string& path, std::string subject, std::size_t size_max);

  std::size_t size() const { return size_; }
  // Whether all users may read it.
  bool is_for_all() const { return for_all_; }
  // REQUIRES: room for size() bytes.
  Result<void> read(char* to) const;
  Result<std::string> read() const;

 private:
  SmallFile(UniqueFd fd, std::string subject, std::size_t size, bool for_all)
      : fd_(std::move(fd)), subject_(std::move(subject)), size_(size), for_all_(for_all) {}

  UniqueFd fd_;
  std::string subject_;
  std::size_t size_;
  bool for_all_;
};

}  // namespace sluice
