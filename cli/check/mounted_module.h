// A stand with the module mounted on it, and what to ask there. For a child process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "check/test_worker.h"

namespace sluice::cli {

class MountedModule {
 public:
  // `step` is the check under which it is told why the module cannot be served. Null then.
  static std::unique_ptr<MountedModule> create(const ModuleUnderCheck& subject, std::string_view step,
                                               Findings& findings);

  // As at a swap the module retires first, so that it can give threads what is slow to close.
  ~MountedModule();
  MountedModule(const MountedModule&) = delete;
  MountedModule& operator=(const MountedModule&) = delete;

  TestWorker& worker() { return *worker_; }
  Generation& generation() { return generation_; }
  // What to ask for: the samples, something that is not there, and what the person named.
  const std::vector<std::string>& targets() const { return targets_; }
  // The same without large files, which would only take time.
  std::vector<std::string> small_targets();
  // That of the longest answer, and the answer. None when not one is answered.
  struct Reference {
    std::string target;
    ClientAnswer answer;
    bool stable = false;  // it is the same each time
  };
  std::optional<Reference> longest();

 private:
  MountedModule() = default;

  std::unique_ptr<TestWorker> worker_;
  Generation generation_;
  std::vector<std::string> targets_;
};

}  // namespace sluice::cli
