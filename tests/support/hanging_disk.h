// A file system that can hang: FUSE, served by a child process, with one file in it. While it hangs, every
// call on it waits until the file system is gone. Needs root and /dev/fuse.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

namespace sluice::test {

class HangingDisk {
 public:
  static constexpr const char* kFile = "a.txt";

  // Mounts it at an existing folder. `content` is the content of the file.
  HangingDisk(const std::string& folder, const std::string& content);
  ~HangingDisk();
  HangingDisk(const HangingDisk&) = delete;
  HangingDisk& operator=(const HangingDisk&) = delete;

  // False when it could not be mounted. A test that skips says so by WARN.
  bool mounted() const { return mounted_; }
  // From now on it answers nothing.
  void hang();
  // The number of requests that wait for an answer.
  unsigned unanswered() const;
  // Ends the file system: all waiting calls fail.
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
