// A log that is read too slowly, or not at all.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/processor_time.h"
#include "support/server_process.h"

using namespace sluice::test;

namespace {

// A server whose standard error is a pipe. The test decides when it reads.
class UnreadLog {
 public:
  explicit UnreadLog(const Site& site) : endpoint_{0, site.path("s.sock")} {
    const std::string fifo = site.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0666) == 0);
    fd_ = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    config_ = site.write_beside("sluice.conf", "workers = 1\n");
    const std::string command = "exec 2<>" + fifo + "; exec " + sluice_binary() + " serve --root " +
                                site.root() + " --plugins " + site.plugins() +
                                " --listen unix:" + site.path("s.sock") + " --config " + config_;
    process_ = std::make_unique<Process>(std::vector<std::string>{"/bin/sh", "-c", command});
    REQUIRE(eventually([&] { return process_->out().find("; stop with") != std::string::npos; }));
    HttpClient client(endpoint_);
    for (int i = 0; i < 3000; ++i) REQUIRE(client.get("/never/").status == 500);
  }
  ~UnreadLog() { ::close(fd_); }
  UnreadLog(const UnreadLog&) = delete;
  UnreadLog& operator=(const UnreadLog&) = delete;

  void read_a_little() const {
    char some[4096];
    REQUIRE(::read(fd_, some, sizeof(some)) > 0);
  }
  Process& process() { return *process_; }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint endpoint_;
  int fd_ = -1;
  std::string config_;
  std::unique_ptr<Process> process_;
};

}  // namespace

TEST_CASE("an unread log loses lines, and uses no processor time", "[e2e][log]") {
  const Site site({"never", "hello"});
  UnreadLog server(site);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  const double before = processor_seconds(server.process().pid());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  CHECK(processor_seconds(server.process().pid()) - before < 0.5);  // the supervisor waits, it does not spin
  server.process().signal(SIGTERM);
  CHECK(server.process().wait() == 0);
}

TEST_CASE("a log that is read too slowly does not hold up the supervisor", "[e2e][log]") {
  const Site site({"never", "hello"});
  UnreadLog server(site);
  server.read_a_little();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the server may fill the freed room
  site.write_beside("sluice.conf", std::string(3000, 'k') + " = 1\n");
  for (int i = 0; i < 3; ++i) {
    server.process().signal(SIGHUP);  // the refusal is a long line
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  server.process().signal(SIGTERM);
  CHECK(server.process().wait() == 0);
}
