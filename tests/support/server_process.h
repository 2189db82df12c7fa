// Runs the real `sluice serve` in a process of its own, with a document root and a folder of modules for one
// test.
//
// The build defines SLUICE_BINARY, SLUICE_TEST_PLUGINS (the product's modules) and SLUICE_TEST_MODULES (the
// tests'). Environment variables of the same names come before them. Every wait is bounded, and at the end
// everything is killed and removed. One thread.
//
// This file and http_client.h are also installed for the tests of authors (sluice_add_module_test), so they
// include nothing of core/. There SLUICE_TEST_PLUGINS has the author's modules.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_client.h"

namespace sluice::test {

inline constexpr int kWaitMs = 20'000;
inline constexpr int kStoppedBroken = -2;

// Asks again and again until `is_so`. False when it did not become so in time.
bool eventually(const std::function<bool()>& is_so, int limit_ms = kWaitMs);

// A new folder that every user may read. It is removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }
  // Makes or overwrites a file, and makes the folders above it.
  void write(const std::string& name, std::string_view content) const;
  std::string read(const std::string& name) const;
  void link(const std::string& name, const std::string& target) const;
  void make_folder(const std::string& name) const;

 private:
  std::string path_;
};

using Variables = std::map<std::string, std::string>;
// Called in the new process before it executes its program.
using BeforeExec = std::function<void()>;

// A program whose output goes to files. Killed when it is destroyed.
class Process {
 public:
  // `variables` are added to the environment; all SLUICE_ ones are removed from it first. `folder` is the
  // current folder.
  Process(const std::vector<std::string>& arguments, const Variables& variables = {},
          const std::string& folder = "", const BeforeExec& before_exec = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // The exit code, or 128 + the signal that killed it, or -1 when it did not end in time.
  int wait(int limit_ms = kWaitMs);
  std::string out() const { return scratch_.read("out"); }
  std::string err() const { return scratch_.read("err"); }

 private:
  ScratchFolder scratch_;
  pid_t pid_ = -1;
  int code_ = -1;
  bool ended_ = false;
};

// The output of a program, and how it ended.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};
Outcome run(const std::vector<std::string>& arguments, const Variables& variables = {},
            const std::string& folder = "", int limit_ms = kWaitMs, const BeforeExec& before_exec = {});

std::string sluice_binary();
// The path of a module of the product or of the tests.
std::string module_file(const std::string& name);
bool has_module(const std::string& name);

// A folder to serve and a folder of modules, to start a server with.
class Site {
 public:
  explicit Site(const std::vector<std::string>& modules = {});

  std::string root() const { return folder_.path("root"); }
  std::string plugins() const { return folder_.path("plugins.d"); }
  std::string path(const std::string& name) const { return folder_.path(name); }
  void add_module(const std::string& name) const;
  std::string read_plugin(const std::string& name) const { return folder_.read("plugins.d/" + name + ".so"); }
  // Writes a file below the document root.
  void write(const std::string& name, std::string_view content) const {
    folder_.write("root/" + name, content);
  }
  void link(const std::string& name, const std::string& target) const { folder_.link("root/" + name, target); }
  // Writes a file beside the document root.
  std::string write_beside(const std::string& name, std::string_view content) const;
  // Returns {"sluice", "serve", "--root", ..., "--plugins", ...} and `more`.
  std::vector<std::string> command(const std::vector<std::string>& more) const;

 private:
  ScratchFolder folder_;
};

class ServerProcess {
 public:
  // Starts the server and waits until it serves. REQUIRES: `site` lives longer. If no --listen is given, it
  // listens at a free port. Its control socket is in the folder "run" beside the document root.
  explicit ServerProcess(const Site& site, const std::vector<std::string>& more = {},
                         const Variables& variables = {}, const BeforeExec& before_exec = {});
  ~ServerProcess();

  const Endpoint& endpoint() const { return endpoint_; }
  std::string url(const std::string& target) const;
  pid_t pid() const { return process_.pid(); }
  std::vector<pid_t> workers() const;  // those that run now, in order
  std::string log() const { return process_.err(); }
  std::string out() const { return process_.out(); }
  bool logs(std::string_view text, int limit_ms = kWaitMs) const;
  std::size_t count_in_log(std::string_view text) const;
  void signal(int number) { process_.signal(number); }
  int wait(int limit_ms = kWaitMs) { return process_.wait(limit_ms); }
  bool running() { return process_.running(); }
  // Sends TERM and returns the exit code, or kStoppedBroken if the log tells of a crash of a worker or a
  // sanitizer's finding. Shows the log unless it returns 0.
  int stop();
  // Sends HUP and waits until the server has followed it. False when it refused.
  bool reload();

 private:
  void find_endpoint();
  bool log_tells_of_trouble() const;

  Process process_;
  Endpoint endpoint_;
};

// Bytes without repetition; equal for equal seeds.
std::string random_bytes(std::size_t size, unsigned seed = 1);

}  // namespace sluice::test
