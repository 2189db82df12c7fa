// Ends its worker in the way that the path names: in a call of the loop, or, below /thread-exit, of a thread
// of the server. Below /pipe SIGPIPE gets its default action, and below /fork a forked process crashes.
// Answers every other request.
#include <sluice/module.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

namespace {

class ExitingWork : public sluice::Work {
 public:
  void run() override { std::exit(6); }
  void done(bool) override {}
};

class WaitForEver : public sluice::Task {
 public:
  void resumed(sluice::Exchange&) override {}
};

void exit_quietly(int) {
  ::_exit(7);
}

void by_default(int signal) {
  ::signal(signal, SIG_DFL);
  std::raise(signal);
}

using WatchedPath = void (*)();
const std::map<std::string, WatchedPath> kWays = {
    {"exit", [] { std::exit(3); }},
    {"_exit", [] { ::_exit(0); }},
    {"quick_exit", [] { std::quick_exit(4); }},
    {"handler",
     [] {
       ::signal(SIGSEGV, exit_quietly);
       std::raise(SIGSEGV);
     }},
    {"trap", [] { std::raise(SIGTRAP); }},
    {"sys", [] { std::raise(SIGSYS); }},
    {"default-sys", [] { by_default(SIGSYS); }},
    {"default-usr1", [] { by_default(SIGUSR1); }},
    {"xcpu", [] { std::raise(SIGXCPU); }},
    {"kill", [] { std::raise(SIGKILL); }},
    {"exec", [] { ::execl("/bin/false", "false", nullptr); }},
};

void crash_in_child() {
  const pid_t child = ::fork();
  if (child == 0) std::abort();
  ::waitpid(child, nullptr, 0);
}

class Ender : public sluice::Handler {
 public:
  explicit Ender(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string path(std::string_view(exchange.request().path));
    if (const auto way = kWays.find(path); way != kWays.end()) way->second();
    if (path == "pipe") ::signal(SIGPIPE, SIG_DFL);
    if (path == "fork") crash_in_child();
    if (path == "thread-exit") {
      auto work = std::make_unique<ExitingWork>();
      if (host_.offload(work.get())) static_cast<void>(work.release());
      return exchange.defer(new WaitForEver);
    }
    exchange.send("unharmed\n");
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Ender, .name = "ender", .version = "1.0.0",
              .summary = "Ends its worker in the way that is asked for", .default_mount = "/ender/");
