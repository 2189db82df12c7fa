// A new folder below TMPDIR. It is removed with everything in it when its owner ends, or when a signal ends
// the process before that.
//
// For a process of one thread. A forked copy of it waits until the process and all its other children have
// ended.
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

  // Without symbolic links, as in /proc/self/maps.
  const std::string& path() const { return path_; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
  UniqueFd life_;       // closed when the process ends
  pid_t remover_ = -1;  // the child that waits for it
};

}  // namespace sluice::cli
