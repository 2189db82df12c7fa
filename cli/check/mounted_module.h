// A test worker with the module mounted on it, and the targets to ask for. For a child process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "check/test_worker.h"

namespace sluice::cli {

class MountedModule {
 public:
  // Null when the module cannot be served; the reason is a finding under the check `step`.
  static std::unique_ptr<MountedModule> create(const ModuleUnderCheck& subject, std::string_view step,
                                               Findings& findings);

  // The module retires first, as at a swap, so that it can let threads close what is slow to close.
  ~MountedModule();
  MountedModule(const MountedModule&) = delete;
  MountedModule& operator=(const MountedModule&) = delete;

  TestWorker& worker() { return *worker_; }
  Generation& generation() { return generation_; }
  // The targets to ask for: the samples, one that does not exist, and those that the person named.
  const std::vector<std::string>& targets() const { return targets_; }
  // Those without large files, which would only take time.
  std::vector<std::string> small_targets();
  // The target with the longest answer, and that answer. Nothing if no target is answered.
  struct Reference {
    std::string target;
    ClientAnswer answer;
    bool stable = false;  // the answer is the same each time
  };
  std::optional<Reference> longest();

 private:
  MountedModule() = default;

  std::unique_ptr<TestWorker> worker_;
  Generation generation_;
  std::vector<std::string> targets_;
};

}  // namespace sluice::cli
