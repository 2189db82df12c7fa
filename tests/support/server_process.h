// The real `sluice serve` in a process of its own, with a document root and a folder of modules made for one
// test.
//
// SLUICE_BINARY, SLUICE_TEST_PLUGINS (the product's modules) and SLUICE_TEST_MODULES (the tests') are
// definitions of the build; environment variables of the same names go before them. Every wait is bounded,
// everything that was started is killed and removed at the end. One thread.
//
// This and http_client.h are installed for the tests of authors (sluice_add_module_test), whose own modules are
// then SLUICE_TEST_PLUGINS: they include nothing of core/.
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

// Asks again and again until it is so; false when it was not in time.
bool eventually(const std::function<bool()>& is_so, int limit_ms = kWaitMs);

// A new folder that every user may read, removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }
  // Makes or overwrites it, and the folders above it.
  void write(const std::string& name, std::string_view content) const;
  std::string read(const std::string& name) const;
  void link(const std::string& name, const std::string& target) const;
  void make_folder(const std::string& name) const;

 private:
  std::string path_;
};

using Variables = std::map<std::string, std::string>;
// Done in the new process before it executes its program.
using BeforeExec = std::function<void()>;

// A program whose output goes to files. Killed when it is destroyed.
class Process {
 public:
  // `variables` are added to the environment, from which all SLUICE_ ones are taken. `folder`: where it starts.
  Process(const std::vector<std::string>& arguments, const Variables& variables = {},
          const std::string& folder = "", const BeforeExec& before_exec = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // The exit code, 128 + the signal that killed it, or -1 when it did not end in time.
  int wait(int limit_ms = kWaitMs);
  std::string out() const { return scratch_.read("out"); }
  std::string err() const { return scratch_.read("err"); }

 private:
  ScratchFolder scratch_;
  pid_t pid_ = -1;
  int code_ = -1;
  bool ended_ = false;
};

// What a program said and how it ended.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};
Outcome run(const std::vector<std::string>& arguments, const Variables& variables = {},
            const std::string& folder = "", int limit_ms = kWaitMs, const BeforeExec& before_exec = {});

std::string sluice_binary();
// The file of a module of the product or of the tests.
std::string module_file(const std::string& name);
bool has_module(const std::string& name);

// A folder to serve and a folder of modules: everything that a server is started with.
class Site {
 public:
  explicit Site(const std::vector<std::string>& modules = {});

  std::string root() const { return folder_.path("root"); }
  std::string plugins() const { return folder_.path("plugins.d"); }
  std::string path(const std::string& name) const { return folder_.path(name); }
  void add_module(const std::string& name) const;
  std::string read_plugin(const std::string& name) const { return folder_.read("plugins.d/" + name + ".so"); }
  // Below the document root.
  void write(const std::string& name, std::string_view content) const {
    folder_.write("root/" + name, content);
  }
  void link(const std::string& name, const std::string& target) const { folder_.link("root/" + name, target); }
  // Beside it.
  std::string write_beside(const std::string& name, std::string_view content) const;
  // {"sluice", "serve", "--root", ..., "--plugins", ...} and `more`.
  std::vector<std::string> command(const std::vector<std::string>& more) const;

 private:
  ScratchFolder folder_;
};

class ServerProcess {
 public:
  // Starts and waits until it serves. REQUIRES: site outlives it. Without a --listen, one at a free port is
  // added. Its control socket is in the folder "run" beside the document root.
  explicit ServerProcess(const Site& site, const std::vector<std::string>& more = {},
                         const Variables& variables = {}, const BeforeExec& before_exec = {});
  ~ServerProcess();

  const Endpoint& endpoint() const { return endpoint_; }
  std::string url(const std::string& target) const;
  pid_t pid() const { return process_.pid(); }
  std::vector<pid_t> workers() const;  // of this moment, in order
  std::string log() const { return process_.err(); }
  std::string out() const { return process_.out(); }
  bool logs(std::string_view text, int limit_ms = kWaitMs) const;
  std::size_t count_in_log(std::string_view text) const;
  void signal(int number) { process_.signal(number); }
  int wait(int limit_ms = kWaitMs) { return process_.wait(limit_ms); }
  bool running() { return process_.running(); }
  // TERM, and the exit code; kStoppedBroken when the log tells of a worker that crashed, or of what a sanitizer
  // found. The log is shown when that is not 0.
  int stop();
  // HUP, and waits until it has been followed. False when it was refused.
  bool reload();

 private:
  void find_endpoint();
  bool log_tells_of_trouble() const;

  Process process_;
  Endpoint endpoint_;
};

// Bytes that repeat nowhere near, the same for the same seed.
std::string random_bytes(std::size_t size, unsigned seed = 1);

}  // namespace sluice::test
