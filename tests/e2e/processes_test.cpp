// Supervisor and workers: death, draining, signals, users and sockets.
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/processor_time.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

bool alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  const std::size_t close = text.rfind(')');
  return close != std::string::npos && text.substr(close, 3) != ") Z";
}

uid_t user_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Uid:", 0) == 0) return static_cast<uid_t>(std::stoul(line.substr(4)));
  }
  return static_cast<uid_t>(-1);
}

// A download that has begun. It ends when the test reads its bytes.
class SlowDownload {
 public:
  explicit SlowDownload(const ServerProcess& server, std::size_t size)
      : client_(server.endpoint(), kClientTimeoutMs, 16 * 1024), size_(size) {
    client_.request("GET", "/static/large.dat");
    REQUIRE(client_.read_head().status == 200);
    got_ = client_.read_some(1000);
  }
  std::string finish() { return got_ + client_.read_some(size_ - got_.size()); }

 private:
  HttpClient client_;
  std::size_t size_;
  std::string got_;
};

// New clients are refused or cut at once; they do not wait for a server that is gone.
bool turns_away(const Endpoint& endpoint) {
  try {
    HttpClient client(endpoint, 500);
    client.get("/");
    return false;
  } catch (const std::runtime_error& error) {
    return std::string(error.what()).find("nothing came in time") == std::string::npos;
  }
}

constexpr std::size_t kLarge = 16 * 1024 * 1024;

}  // namespace

TEST_CASE("a killed worker is replaced, and the others' connections live on", "[e2e][processes]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  const std::vector<pid_t> before = server.workers();
  REQUIRE(before.size() == 2);
  std::vector<HttpClient> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back(server.endpoint());
    REQUIRE(clients.back().get("/hello/").status == 200);
  }
  ::kill(before[0], SIGKILL);
  CHECK(server.logs("was killed by SIGKILL"));
  CHECK(eventually([&] { return server.workers().size() == 2 && !alive(before[0]); }));
  int kept = 0;
  for (HttpClient& client : clients) {
    if (!client.try_send("GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n")) continue;
    try {
      kept += client.read_answer().status == 200 ? 1 : 0;
    } catch (const std::runtime_error&) {  // the connection was the killed worker's
    }
  }
  CHECK(kept > 0);
  CHECK(kept < 40);
  for (int i = 0; i < 40; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("under load, a worker that is killed again and again costs only its own requests",
          "[e2e][processes]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  std::atomic<bool> over{false};
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!over) {
        try {
          HttpClient client(server.endpoint());
          try {
            for (int n = 0; n < 20; ++n) {
              if (client.get("/hello/").status == 200) ++answered;
            }
          } catch (const std::runtime_error&) {  // its worker was killed
          }
        } catch (const std::runtime_error&) {
          ++refused;  // no worker accepts
        }
      }
    });
  }
  for (int round = 0; round < 5; ++round) {
    const std::vector<pid_t> workers = server.workers();
    const int before = answered;
    if (!workers.empty()) ::kill(workers[static_cast<std::size_t>(round) % workers.size()], SIGKILL);
    eventually(
        [&] { return server.workers().size() == 2 && server.workers() != workers && answered > before + 50; });
  }
  over = true;
  for (std::thread& client : clients) client.join();
  CHECK(refused == 0);  // the supervisor holds the listening sockets
  CHECK(answered > 250);
  CHECK(server.workers().size() == 2);
  CHECK(server.stop() == 0);
}

TEST_CASE("after TERM a download under way ends, and idle connections are closed", "[e2e][processes]") {
  const Site site({"static_sendfile"});
  const std::string content = random_bytes(kLarge);
  site.write("static/large.dat", content);
  ServerProcess server(site, {"--workers", "2"});
  HttpClient idle(server.endpoint());
  CHECK(idle.get("/static/large.dat").complete);
  SlowDownload download(server, kLarge);
  server.signal(SIGTERM);
  CHECK(server.logs("stopping"));
  CHECK(idle.ends());
  CHECK(server.running());
  CHECK(eventually([&] { return turns_away(server.endpoint()); }));
  CHECK((download.finish() == content));
  CHECK(server.wait() == 0);
}

TEST_CASE("QUIT drains as TERM does, and signals without a meaning end no process", "[e2e][processes]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  const std::vector<pid_t> workers = server.workers();
  REQUIRE(workers.size() == 2);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGPROF, SIGPIPE, SIGIO, SIGRTMIN, SIGRTMAX}) {
    server.signal(signal);
    for (const pid_t worker : workers) ::kill(worker, signal);
  }
  for (const pid_t worker : workers) ::kill(worker, SIGQUIT);  // as a terminal sends it to all of them
  for (int i = 0; i < 20; ++i) CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.workers() == workers);
  server.signal(SIGQUIT);
  CHECK(server.wait() == 0);
}

TEST_CASE("a second TERM ends at once with exit code 2", "[e2e][processes]") {
  const Site site({"static_sendfile"});
  site.write("static/large.dat", random_bytes(kLarge));
  ServerProcess server(site);
  const std::vector<pid_t> workers = server.workers();
  SlowDownload download(server, kLarge);
  server.signal(SIGTERM);
  CHECK(server.logs("stopping"));
  server.signal(SIGINT);
  CHECK(server.wait() == 2);
  CHECK(download.finish().size() < kLarge);
  for (const pid_t worker : workers) CHECK_FALSE(alive(worker));
}

TEST_CASE("endless streams do not use up the drain limit", "[e2e][processes]") {
  const Site site({"ticker", "defer"});
  ServerProcess server(site, {"--workers", "1", "--stream-grace", "100ms", "--mount", "/quiet/=ticker:every=1h",
                              "--mount", "/ticker/=ticker", "--mount", "/later/=defer:delay=1s"});
  HttpClient quiet(server.endpoint());
  quiet.request("GET", "/quiet/timer?9");
  CHECK(quiet.read_head().status == 200);
  HttpClient busy(server.endpoint());
  busy.request("GET", "/ticker/timer?1000000");
  CHECK(busy.read_head().status == 200);
  HttpClient later(server.endpoint());
  later.request("GET", "/later/");
  CHECK(server.stop() == 0);
  CHECK(later.read_answer().status == 200);
  for (HttpClient* client : {&quiet, &busy}) CHECK_THAT(client->read_to_end(), !Contains("\r\n0\r\n"));
  CHECK(server.count_in_log("the drain limit is over") == 0);
}

TEST_CASE("connections that do not end within the drain limit are cut", "[e2e][processes]") {
  const Site site({"static_sendfile"});
  site.write("static/large.dat", random_bytes(kLarge));
  ServerProcess server(site, {"--drain-timeout", "300ms"});
  SlowDownload download(server, kLarge);
  server.signal(SIGINT);
  CHECK(server.wait() == 0);
  CHECK(server.logs("the drain limit is over"));
}

TEST_CASE("workers end by themselves when their supervisor is killed", "[e2e][processes]") {
  const Site site({"static_sendfile"});
  const std::string content = random_bytes(kLarge);
  site.write("static/large.dat", content);
  ServerProcess server(site, {"--workers", "2"});
  const std::vector<pid_t> workers = server.workers();
  REQUIRE(workers.size() == 2);
  SlowDownload download(server, kLarge);
  server.signal(SIGKILL);
  CHECK(server.wait() == 128 + SIGKILL);
  // Workers that still drain do not keep the address: a new server can take it at once.
  const std::string address = "127.0.0.1:" + std::to_string(server.endpoint().port);
  CHECK(eventually([&] {
    Process next(site.command({"--listen", address}));
    eventually([&] { return !next.running() || next.out().find("; stop with") != std::string::npos; });
    return next.running();
  }));
  CHECK((download.finish() == content));
  CHECK(eventually([&] { return std::none_of(workers.begin(), workers.end(), alive); }));
}

TEST_CASE("started as root, workers are www-data", "[e2e][processes]") {
  const Site site({"hello", "static_sendfile"});
  site.write("static/a.txt", "a");
  ServerProcess server(site);
  const passwd* entry = ::getpwnam("www-data");
  const uid_t wanted = ::geteuid() == 0 && entry != nullptr ? entry->pw_uid : ::geteuid();
  for (const pid_t worker : server.workers()) CHECK(user_of(worker) == wanted);
  CHECK(user_of(server.pid()) == ::geteuid());
  CHECK(fetch(server.endpoint(), "/static/a.txt").body == "a");
}

TEST_CASE("workers that are slow to start cost time, not the processor", "[e2e][processes]") {
  const Site site({"slow_start"});
  const ServerProcess server(site, {"--workers", "1"});
  CHECK(processor_seconds(server.pid()) < 1);  // the supervisor waits, it does not spin
  CHECK(fetch(server.endpoint(), "/slow_start/").status == 200);
}

TEST_CASE("a worker inherits no descriptor that only its supervisor needs", "[e2e][processes]") {
  const Site site({"hello"});
  const Site other({"hello"});
  const std::string config =
      site.write_beside("sluice.conf", "mount = \"/a/=hello:root=" + other.root() + "\"\n");
  ServerProcess server(site, {"--workers", "1", "--config", config});
  const auto opened = [&] {
    std::string all;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(server.workers().at(0)) + "/fd")) {
      std::error_code ignored;
      all += std::filesystem::read_symlink(entry.path(), ignored).string() + "\n";
    }
    return all;
  };
  // It has a loop of its own, and not the supervisor's.
  const auto has_one_loop = [&] {
    const std::string all = opened();
    const std::size_t first = all.find("anon_inode:[eventpoll]");
    return first != std::string::npos && first == all.rfind("anon_inode:[eventpoll]");
  };
  CHECK_THAT(opened(), Contains(other.root()) && !Contains("anon_inode:inotify"));
  CHECK(has_one_loop());
  site.write_beside("sluice.conf", "");
  REQUIRE(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 1; }));
  CHECK_THAT(opened(), Contains(site.root()) && !Contains(other.root()));
  CHECK(has_one_loop());
  ::kill(server.workers().at(0), SIGKILL);
  CHECK(server.logs("was killed by SIGKILL"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK_THAT(opened(), Contains(site.root()) && !Contains("anon_inode:inotify"));
  CHECK(has_one_loop());
  CHECK(server.stop() == 0);
}

TEST_CASE("a unix socket serves, and its file is removed at the end", "[e2e][processes]") {
  const Site site({"hello"});
  const std::string path = site.path("sluice.sock");
  {
    ServerProcess server(site, {"--workers", "2", "--listen", "unix:" + path});
    CHECK(server.endpoint().unix_path == path);
    for (int i = 0; i < 20; ++i) CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    const Outcome second = run(site.command({"--listen", "unix:" + path}));
    CHECK(second.code == 1);
    CHECK_THAT(second.err, Contains("in use"));
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    const std::vector<pid_t> workers = server.workers();
    server.signal(SIGKILL);  // its file stays
    CHECK(server.wait() == 128 + SIGKILL);
    CHECK(eventually([&] { return std::none_of(workers.begin(), workers.end(), alive); }));
  }
  CHECK(std::filesystem::exists(path));
  ServerProcess again(site, {"--listen", "unix:" + path});
  CHECK(fetch(again.endpoint(), "/hello/").status == 200);
  CHECK(again.stop() == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("several addresses serve the same", "[e2e][processes]") {
  const Site site({"hello"});
  const std::string path = site.path("sluice.sock");
  ServerProcess server(site, {"--listen", "127.0.0.1:0", "--listen", "unix:" + path});
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(fetch(Endpoint{0, path}, "/hello/").status == 200);
}

TEST_CASE("a worker that is held up does not outlive its supervisor", "[e2e][processes]") {
  const Site site({"sleeper"});
  ServerProcess server(site, {"--workers", "1", "--hang-limit", "0"});
  const pid_t worker = server.workers().at(0);
  HttpClient client(server.endpoint());
  client.request("GET", "/sleeper/600000");
  REQUIRE(server.logs("has been held up for"));
  server.signal(SIGKILL);
  CHECK(server.wait() == 128 + SIGKILL);
  CHECK(eventually([&] { return !alive(worker); }));
}

TEST_CASE("a stopped worker is continued, and ends with its supervisor", "[e2e][processes]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  const std::vector<pid_t> workers = server.workers();
  REQUIRE(workers.size() == 2);
  ::kill(workers[0], SIGSTOP);
  CHECK(server.logs("is stopped by a signal: others accept in its place"));
  for (int i = 0; i < 40; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  ::kill(workers[0], SIGCONT);
  CHECK(server.logs("worker 1 (process " + std::to_string(workers[0]) + ") goes on"));
  for (int i = 0; i < 40; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.workers() == workers);
  ::kill(workers[0], SIGSTOP);
  server.signal(SIGKILL);
  CHECK(server.wait() == 128 + SIGKILL);
  CHECK(eventually([&] { return std::none_of(workers.begin(), workers.end(), alive); }));
}

TEST_CASE("workers that end again and again are replaced ever more slowly", "[e2e][processes]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1"});
  pid_t last = 0;
  CHECK(eventually([&] {
    const std::vector<pid_t> workers = server.workers();
    if (!workers.empty() && workers[0] != last && fetch(server.endpoint(), "/hello/").status == 200)
      ::kill(last = workers[0], SIGKILL);
    return server.log().find("workers end again and again (10 times): the next one starts in 1 s") !=
           std::string::npos;
  }));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}
