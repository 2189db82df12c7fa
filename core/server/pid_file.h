// The file that names the process of a server, for scripts and service managers. Supervisor's thread.
#pragma once

#include <string>

#include "base/error.h"

namespace sluice {

class PidFile {
 public:
  PidFile() = default;
  // Removes the file, if it still names this process.
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  // Writes this process' number there, in place of the one that stands there. The error is one sentence.
  Result<void> write(const std::string& path);

 private:
  std::string path_;
};

}  // namespace sluice
