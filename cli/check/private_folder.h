// A new folder below TMPDIR that is removed with everything in it: at the end of its owner, and of the process
// when a signal ends that first.
//
// For a process of one thread, of which a copy waits for its end, and for that of its other children.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice::cli {

class PrivateFolder {
 public:
  // The error is one sentence.
  static Result<std::unique_ptr<PrivateFolder>> create();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  // Without symbolic links, as /proc/self/maps has it.
  const std::string& path() const { return path_; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
  UniqueFd life_;       // closed by the end of the process
  pid_t remover_ = -1;  // waits for that
};

}  // namespace sluice::cli
