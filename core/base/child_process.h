// Runs a function in a short-lived child process, so that whatever it does stays there: code of modules
// crashes, hangs and leaks on its own account. It is killed when its parent ends. For a process of one thread.
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

// A child at work, for who has something else to do meanwhile. Killed when it is destroyed; whoever reaps
// children reaps it, too.
class Child {
 public:
  static Result<std::unique_ptr<Child>> start(const std::function<std::string()>& task);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // Readable when there is something for `hear`.
  int fd() const { return report_fd_.get(); }
  // Takes in a piece of what the child reports, blocking where there is none; false at its end, or when it is
  // too long.
  bool hear();
  // Not yet at the end.
  bool reports() const { return !ended_; }
  // In another forked process, which has nothing to do with this one.
  void close_for_child() { report_fd_.reset(); }
  // What it came to. `status` is waitpid's, by whoever has reaped it.
  Result<std::string> result(int status);

 private:
  Child(pid_t pid, UniqueFd report_fd) : pid_(pid), report_fd_(std::move(report_fd)) {}

  pid_t pid_;
  UniqueFd report_fd_;
  std::string report_;
  bool ended_ = false;  // the report
  bool reaped_ = false;
};

// Blocks until the child is done or killed. Returns what `task` returned in the child. The error says how the
// child ended instead: "crashed (SIGSEGV)", "did not finish within 10 s". One that cannot even be killed, since
// a disk holds it in the kernel, is left to itself.
Result<std::string> run_in_child(const std::function<std::string()>& task, int timeout_ms);
// The same of a child that is at work. Blocks.
Result<std::string> wait_for(Child& child, int timeout_ms);

// Waits until that time at most for a child's end: its status, or nothing when it has not ended.
std::optional<int> reap_until(pid_t pid, std::uint64_t until_ms);

// "SIGSEGV".
std::string signal_name(int signal);

}  // namespace sluice
