// Runs a function in a short-lived child process, so that crashes, hangs and leaks of a module's code do not
// harm this process. The child is killed when its parent ends. For a process of one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

// A child at work, for a caller that does something else meanwhile. It is killed when this is destroyed. Code
// that reaps all children reaps it, too.
class Child {
 public:
  static Result<std::unique_ptr<Child>> start(const std::function<std::string()>& task);
  // The descriptor to which this process reports, for a task that closes others; -1 in a process that is no
  // child.
  static int own_report_fd();
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // Readable when `hear` will not block.
  int fd() const { return report_fd_.get(); }
  // Reads a piece of the child's report; blocks if there is none yet. False at its end, or when it is too
  // long.
  bool hear();
  // Whether the report has not ended yet.
  bool reports() const { return !ended_; }
  void kill() const;
  // Kills it, and waits for its end until that time: until then it holds what its parent had open.
  void end(std::uint64_t until_ms);
  // For another forked process, which does not use this child.
  void close_for_child() { report_fd_.reset(); }
  // The child's result. `status` is from waitpid.
  Result<std::string> result(int status);

 private:
  Child(pid_t pid, UniqueFd report_fd) : pid_(pid), report_fd_(std::move(report_fd)) {}

  pid_t pid_;
  UniqueFd report_fd_;
  std::string report_;
  bool ended_ = false;  // of the report
  bool reaped_ = false;
};

// Blocks until the child is done or killed. Returns what `task` returned in the child, or an error that says
// how the child ended: "crashed (SIGSEGV)", "did not finish within 10 s". A child that cannot be killed,
// because a disk holds it in the kernel, is left alone.
Result<std::string> run_in_child(const std::function<std::string()>& task, int timeout_ms);
// The same for a child that is at work. Blocks.
Result<std::string> wait_for(Child& child, int timeout_ms);

// Waits for a child's end, at most until that time. Returns its status, or nothing when it has not ended.
std::optional<int> reap_until(pid_t pid, std::uint64_t until_ms);

// "SIGSEGV".
std::string signal_name(int signal);

}  // namespace sluice
