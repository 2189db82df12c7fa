// A file system that hangs when it is told to: FUSE, spoken by a child of its own, with one file in it. What is
// asked of it meanwhile waits until it is gone. Needs root and /dev/fuse.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

namespace sluice::test {

class HangingDisk {
 public:
  static constexpr const char* kFile = "a.txt";

  // Mounts it at a folder that exists. `content` is the file's.
  HangingDisk(const std::string& folder, const std::string& content);
  ~HangingDisk();
  HangingDisk(const HangingDisk&) = delete;
  HangingDisk& operator=(const HangingDisk&) = delete;

  // False where none can be mounted; the reason is WARNed of by whoever skips.
  bool mounted() const { return mounted_; }
  // From now on nothing is answered.
  void hang();
  // How many requests it has left without an answer.
  unsigned unanswered() const;
  // Whoever waits is told that it is gone.
  void end();

 private:
  struct State {
    std::atomic<bool> hangs{false};
    std::atomic<unsigned> unanswered{0};
  };

  const std::string folder_;
  State* state_ = nullptr;  // shared with the child
  pid_t child_ = -1;
  bool mounted_ = false;
};

}  // namespace sluice::test
