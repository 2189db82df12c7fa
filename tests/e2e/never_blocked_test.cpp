// Nothing holds a loop up: neither a disk that hangs, nor slow clients, nor a large folder. The tests assert
// the order of events and the counts of the loop's audit, never a time.
#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kOneAudited{"--workers", "1", "--loop-audit", "on"};

// A thread that loses its processor while it holds the queue's lock, or the kernel's lock of the memory map,
// makes the loop sleep. This is less often than once per request, or per entry of a folder.
constexpr unsigned long kSleepsMax = 8;

class Metrics {
 public:
  explicit Metrics(const Site& site)
      : text_("\n" + run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).out) {}
  // REQUIRES: the series exists.
  unsigned long of_worker(const std::string& name) const {
    const std::string series = "\nsluice_" + name + "{worker=\"1\"} ";
    const std::size_t at = text_.find(series);
    if (at == std::string::npos) throw std::runtime_error("there is no" + series + "in" + text_);
    return std::stoul(text_.substr(at + series.size()));
  }

 private:
  std::string text_;
};

Variables with_slow_disk(const std::string& gate) {
  const char* before = std::getenv("ASAN_OPTIONS");
  return {{"LD_PRELOAD", SLUICE_SLOW_DISK},
          {"SLUICE_TEST_GATE", gate},
          {"ASAN_OPTIONS", std::string(before == nullptr ? "" : before) + ":verify_asan_link_order=0"}};
}

bool has_said_something(const HttpClient& client) {
  pollfd wanted{client.fd(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) > 0;
}

// Clients of the files PREFIX0, PREFIX1, ... Each waits for a call that the disk holds up.
std::vector<HttpClient> wait_for_disk(const Site& site, const ServerProcess& server, const std::string& prefix,
                                      unsigned count) {
  std::vector<HttpClient> waiting;
  for (unsigned i = 0; i < count; ++i) {
    waiting.emplace_back(server.endpoint());
    waiting.back().request("GET", prefix + std::to_string(i));
  }
  // No handler may take more than half of the threads. The other calls are queued.
  REQUIRE(eventually([&] {
    const Metrics now(site);
    return now.of_worker("offload_running") == 2 && now.of_worker("offload_queued") == count - 2;
  }));
  return waiting;
}

}  // namespace

TEST_CASE("cached files are served while others wait for the disk", "[e2e][never_blocked]") {
  constexpr int kSlow = 16;
  constexpr int kFast = 100;
  const std::string module = GENERATE("static_sendfile", "dynamic_aio");
  const std::string kind = GENERATE("slow", "cold");  // slow to open, or cold to read
  const std::string mount = module == "static_sendfile" ? "/static/" : "/dynamic/";
  INFO(module << ", " << kind);
  const Site site({module});
  const std::string content = random_bytes(64 * 1024);
  for (int i = 0; i < kSlow; ++i) site.write(mount.substr(1) + kind + std::to_string(i), content);
  site.write(mount.substr(1) + "fast", "here");
  const std::string gate = site.write_beside("gate", "");
  ServerProcess server(site, kOneAudited, with_slow_disk(gate));
  HttpClient fast(server.endpoint());
  REQUIRE(fast.get(mount + "fast").body == "here");  // from now on it is in memory

  std::vector<HttpClient> waiting = wait_for_disk(site, server, mount + kind, kSlow);
  // A HEAD needs nothing of the file's content.
  if (kind == "cold") {
    for (HttpClient& client : waiting) REQUIRE(client.read_head().status == 200);
  }
  const Metrics before(site);
  for (int i = 0; i < kFast; ++i) REQUIRE(fast.get(mount + "fast").body == "here");
  const Metrics after(site);
  for (const HttpClient& client : waiting) CHECK_FALSE(has_said_something(client));
  CHECK(after.of_worker("requests_total") - before.of_worker("requests_total") == kFast);
  CHECK(after.of_worker("loop_sleeps_total") - before.of_worker("loop_sleeps_total") <= kSleepsMax);

  fs::remove(gate);
  for (HttpClient& client : waiting) {
    if (kind == "slow") REQUIRE(client.read_head().status == 200);
    CHECK((client.read_some(content.size()) == content));
  }
  CHECK(Metrics(site).of_worker("offload_running") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("calls that come back at the very end of their worker do no harm", "[e2e][never_blocked]") {
  constexpr int kSlow = 6;  // two of them run, the others are queued
  const std::string module = GENERATE("static_sendfile", "dynamic_aio");
  const std::string kind = GENERATE("slow", "cold");
  const std::string mount = module == "static_sendfile" ? "/static/" : "/dynamic/";
  INFO(module << ", " << kind);
  const Site site({module});
  for (int i = 0; i < kSlow; ++i)
    site.write(mount.substr(1) + kind + std::to_string(i), random_bytes(64 * 1024));
  const std::string gate = site.write_beside("gate", "");
  std::vector<std::string> options = kOneAudited;
  options.insert(options.end(), {"--drain-timeout", "50ms"});
  ServerProcess server(site, options, with_slow_disk(gate));
  std::vector<HttpClient> waiting = wait_for_disk(site, server, mount + kind, kSlow);
  server.signal(SIGTERM);
  // Their clients have gone, and they are all that the worker still waits for.
  REQUIRE(server.logs(std::to_string(kSlow) + " connections are cut"));
  CHECK(server.running());
  fs::remove(gate);
  CHECK(server.wait() == 0);
  CHECK(server.stop() == 0);  // and the log has no complaint of them
}

TEST_CASE("the supervisor goes on while it copies a module from a disk that hangs", "[e2e][never_blocked]") {
  const Site site({"hello"});
  const std::string gate = site.write_beside("gate", "");
  Variables variables = with_slow_disk(gate);
  site.write_beside("tmp/file", "");
  variables["TMPDIR"] = site.path("tmp");
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms", "--swap-timeout", "60s"}, variables);
  fs::copy_file(module_file("swapped_one"), site.plugins() + "/slow.so");
  REQUIRE(eventually([&] {
    const fs::recursive_directory_iterator copies(site.path("tmp"));
    return std::any_of(begin(copies), end(copies),
                       [](const auto& entry) { return entry.path().filename() == "slow.2.so"; });
  }));
  // Both need the supervisor: answering the command, and replacing the worker.
  CHECK(run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).code == 0);
  const std::vector<pid_t> before = server.workers();
  ::kill(before.at(0), SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != before; }));
  CHECK(fetch(server.endpoint(), "/swapped/").status == 404);
  fs::remove(gate);
  CHECK(eventually([&] { return fetch(server.endpoint(), "/swapped/").body == "one\n"; }));
}

TEST_CASE("a tree that is not in memory is served whole", "[e2e][never_blocked]") {
  constexpr int kFiles = 256;
  const Site site({"static_sendfile"});
  for (int i = 0; i < kFiles; ++i) {
    const std::string name = std::to_string(i);
    site.write("static/slow" + std::to_string(i % 8) + "/" + name, "content of " + name);
  }
  ServerProcess server(site, kOneAudited, with_slow_disk(site.path("no gate")));
  REQUIRE(fetch(server.endpoint(), "/static/").status == 404);
  const Metrics before(site);
  std::vector<HttpClient> clients;
  for (std::size_t i = 0; i < kFiles; ++i) {
    clients.emplace_back(server.endpoint());
    clients.back().request("GET", "/static/slow" + std::to_string(i % 8) + "/" + std::to_string(i));
  }
  for (std::size_t i = 0; i < kFiles; ++i)
    CHECK(clients[i].read_answer().body == "content of " + std::to_string(i));
  const Metrics after(site);
  CHECK(after.of_worker("offload_wait_seconds_count") >= kFiles);
  CHECK(after.of_worker("loop_sleeps_total") - before.of_worker("loop_sleeps_total") <= kSleepsMax);
  CHECK(server.stop() == 0);
}

TEST_CASE("500 clients that read slowly do not make the loop sleep", "[e2e][never_blocked]") {
  constexpr std::size_t kReaders = 500;
  constexpr std::size_t kPiece = 16 * 1024;
  REQUIRE(allow_descriptors(kReaders + 100));
  const Site site({"static_sendfile"});
  const std::string content = random_bytes(1024 * 1024);
  site.write("static/large", content);
  site.write("static/small", "here");
  ServerProcess server(site, kOneAudited);
  REQUIRE(fetch(server.endpoint(), "/static/large").body == content);
  HttpClient other(server.endpoint());
  REQUIRE(other.get("/static/small").body == "here");

  std::vector<HttpClient> readers;
  readers.reserve(kReaders);
  for (std::size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back(server.endpoint(), kClientTimeoutMs, 4096);
    readers.back().request("GET", "/static/large");
  }
  for (HttpClient& reader : readers) REQUIRE(reader.read_head().status == 200);
  const Metrics before(site);
  for (HttpClient& reader : readers) CHECK((reader.read_some(kPiece) == content.substr(0, kPiece)));
  CHECK(other.get("/static/small").body == "here");
  const Metrics after(site);
  CHECK(after.of_worker("connections_open") == kReaders + 1);
  CHECK(after.of_worker("loop_sleeps_total") - before.of_worker("loop_sleeps_total") <= kSleepsMax);
}

TEST_CASE("more and more connections do not make the loop sleep", "[e2e][never_blocked]") {
  constexpr std::size_t kClients = 1'200;
  REQUIRE(allow_descriptors(kClients + 100));
  const Site site({"static_sendfile"});
  site.write("static/small", "here");
  ServerProcess server(site, kOneAudited);
  std::vector<HttpClient> clients;
  clients.reserve(kClients);
  clients.emplace_back(server.endpoint());
  REQUIRE(clients.back().get("/static/small").body == "here");
  const Metrics before(site);
  while (clients.size() < kClients) {
    clients.emplace_back(server.endpoint());
    REQUIRE(clients.back().get("/static/small").body == "here");
  }
  const Metrics after(site);
  CHECK(after.of_worker("connections_open") == kClients);
  // The kernel sleeps each time that it enlarges a table of descriptors, which would be four times here.
  CHECK(after.of_worker("loop_sleeps_total") - before.of_worker("loop_sleeps_total") <= 2);
}

TEST_CASE("others are answered while a folder of 100,000 entries is listed", "[e2e][never_blocked][.full]") {
  constexpr int kEntries = 99'999;
  const Site site({"static_sendfile"});
  for (int i = 0; i < kEntries; ++i) site.write("files/many/" + std::to_string(i), "");
  site.write("files/small", "here");
  std::vector<std::string> options = kOneAudited;
  options.insert(options.end(), {"--mount", "/files/=static_sendfile:root=files,listing=on"});
  ServerProcess server(site, options);
  HttpClient other(server.endpoint());
  REQUIRE(other.get("/files/small").body == "here");
  const Metrics before(site);
  HttpClient client(server.endpoint());
  client.request("GET", "/files/many/");
  int answered = 0;
  while (!has_said_something(client)) {
    REQUIRE(other.get("/files/small").body == "here");
    ++answered;
  }
  CHECK(answered > 0);
  const HttpAnswer listing = client.read_answer();
  CHECK(listing.status == 200);
  CHECK(listing.body.find("99998") != std::string::npos);
  CHECK(Metrics(site).of_worker("loop_sleeps_total") - before.of_worker("loop_sleeps_total") <= kSleepsMax);
  CHECK(server.stop() == 0);
}
