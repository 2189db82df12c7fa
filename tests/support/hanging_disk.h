// A file system that can hang, fail and lie: FUSE, served by a child process, with one file in it. While it
// hangs, every call on it waits until the file system is gone. Needs root and /dev/fuse.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

namespace sluice::test {

enum class DiskFault {
  none,
  opens_fail,   // with EIO
  reads_fail,   // with EIO
  reads_short,  // at most kShortRead bytes at a time
  larger,       // the file says that it is larger than it is
  smaller,      // or that it is half as large
};

class HangingDisk {
 public:
  static constexpr const char* kFile = "a.txt";
  static constexpr unsigned kShortRead = 1000;

  // Mounts it at an existing folder. `content` is the content of the file.
  HangingDisk(const std::string& folder, const std::string& content);
  ~HangingDisk();
  HangingDisk(const HangingDisk&) = delete;
  HangingDisk& operator=(const HangingDisk&) = delete;

  // False when it could not be mounted. A test that skips says so by WARN.
  bool mounted() const { return mounted_; }
  // From now on it answers nothing.
  void hang();
  // From now on it has this fault alone.
  void have(DiskFault fault);
  // The number of requests that wait for an answer.
  unsigned unanswered() const;
  // Ends the file system: all waiting calls fail.
  void end();

 private:
  struct State {
    std::atomic<bool> hangs{false};
    std::atomic<unsigned> unanswered{0};
    std::atomic<DiskFault> fault{DiskFault::none};
  };

  const std::string folder_;
  State* state_ = nullptr;  // shared with the child
  pid_t child_ = -1;
  bool mounted_ = false;
};

}  // namespace sluice::test
