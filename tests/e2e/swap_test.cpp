// Modules that change while the server serves: dropped in, overwritten, replaced, deleted, put back, and
// refused when they cannot serve.
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Writes into the existing file, as cp does.
void overwrite(const Site& site, const std::string& file, const std::string& content) {
  site.write_beside("plugins.d/" + file, content);
}
// Moves a new file over the old one, as mv and package managers do.
void replace(const Site& site, const std::string& file, const std::string& content) {
  const std::string beside = site.write_beside("plugins.d/.next", content);
  fs::rename(beside, site.plugins() + "/" + file);
}

bool says(const ServerProcess& server, const std::string& target, const std::string& text) {
  return eventually([&] { return fetch(server.endpoint(), target).body == text; });
}

// The number of mapped objects of a process with this name.
std::size_t mappings(pid_t pid, const std::string& name) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" r-xp ") != std::string::npos && line.find("/" + name + ".") != std::string::npos) ++count;
  }
  return count;
}

std::size_t resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoul(line.substr(6));
  }
  return 0;
}

const std::vector<std::string> kQuick{"--workers", "2", "--swap-quiet", "20ms"};

std::vector<std::string> quick(const std::vector<std::string>& more) {
  std::vector<std::string> all = kQuick;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("a file dropped into the folder answers, without a restart", "[e2e][swap]") {
  const Site site({"hello"});
  ServerProcess server(site, kQuick);
  const std::vector<pid_t> workers = server.workers();
  CHECK(fetch(server.endpoint(), "/swapped/").status == 404);
  overwrite(site, "mine.so", content_of(module_file("swapped_one")));
  CHECK(says(server, "/swapped/", "one\n"));
  CHECK(server.logs("module swapped serves in generation 1 (mine.so)"));
  const Outcome status = run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK_THAT(status.out, Contains("/swapped/  swapped  1           serving\n"));
  CHECK(server.workers() == workers);
  CHECK(server.stop() == 0);
}

TEST_CASE("a module is overwritten, replaced, deleted and put back", "[e2e][swap]") {
  const Site site({"hello"});
  const std::string one = content_of(module_file("swapped_one"));
  const std::string two = content_of(module_file("swapped_two"));
  overwrite(site, "swapped.so", one);
  ServerProcess server(site, kQuick);
  const std::vector<pid_t> workers = server.workers();
  CHECK(fetch(server.endpoint(), "/swapped/").body == "one\n");
  overwrite(site, "swapped.so", two);
  CHECK(says(server, "/swapped/", "two\n"));
  replace(site, "swapped.so", one);
  CHECK(says(server, "/swapped/", "one\n"));
  fs::rename(site.plugins() + "/swapped.so", site.path("aside.so"));
  CHECK(eventually([&] { return fetch(server.endpoint(), "/swapped/").status == 404; }));
  CHECK(server.logs("swapped.so is gone: module swapped no longer answers"));
  fs::rename(site.path("aside.so"), site.plugins() + "/swapped.so");
  CHECK(says(server, "/swapped/", "one\n"));
  CHECK(server.workers() == workers);
  for (const pid_t worker : workers) CHECK(eventually([&] { return mappings(worker, "swapped") == 1; }));
  CHECK(server.count_in_log("stays in memory") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("the file of a module that was left out is deleted", "[e2e][swap]") {
  const Site site({"hello", "swapped_one"});
  ServerProcess server(site, quick({"--without", "swapped"}));
  fs::remove(site.plugins() + "/swapped_one.so");
  CHECK(server.logs("swapped_one.so is gone: its module was not in use"));
  CHECK(server.count_in_log("no longer answers") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a deleted module still serves if a mount names it", "[e2e][swap]") {
  const Site site({"hello", "swapped_one"});
  ServerProcess server(site, quick({"--mount", "/a/=swapped"}));
  fs::remove(site.plugins() + "/swapped_one.so");
  CHECK(server.logs(
      "swapped_one.so is gone, but the settings name module swapped, which goes on with generation 1"));
  CHECK(fetch(server.endpoint(), "/a/").body == "one\n");
  replace(site, "swapped_one.so", content_of(module_file("swapped_two")));
  CHECK(says(server, "/a/", "two\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a module that a mount names may change its file's name", "[e2e][swap]") {
  const Site site({"hello", "swapped_one"});
  ServerProcess server(site, quick({"--mount", "/a/=swapped"}));
  std::string before = "swapped_one.so";
  for (const std::string name : {"swapped_one-2.so", "a.so", "z.so"}) {
    fs::rename(site.plugins() + "/" + before, site.plugins() + "/" + name);
    CHECK(server.logs("module swapped serves in generation 1 (" + name + ")"));
    before = name;
  }
  replace(site, "z.so", content_of(module_file("swapped_two")));
  CHECK(says(server, "/a/", "two\n"));
  CHECK(server.count_in_log("is not taken") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("modules stay when their folder is away for a while", "[e2e][swap]") {
  const Site site({"hello", "swapped_one"});
  ServerProcess server(site, kQuick);
  fs::rename(site.plugins(), site.path("away"));
  CHECK(server.logs("is gone: its modules keep serving; send HUP when it is there again"));
  server.reload();
  CHECK(server.logs("the folder of modules " + site.plugins() + " does not exist"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(fetch(server.endpoint(), "/swapped/").body == "one\n");
  CHECK(server.count_in_log("no longer answers") == 0);
  fs::rename(site.path("away"), site.plugins());
  server.reload();
  overwrite(site, "swapped_one.so", content_of(module_file("swapped_two")));
  CHECK(says(server, "/swapped/", "two\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a request under way ends on the generation that it began on", "[e2e][swap]") {
  const Site site({"swapped_one"});
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"});
  const pid_t worker = server.workers().at(0);
  HttpClient client(server.endpoint());
  client.request("GET", "/swapped/later");
  overwrite(site, "swapped_one.so", content_of(module_file("swapped_two")));
  CHECK(says(server, "/swapped/", "two\n"));
  CHECK(client.read_answer().body == "one\n");
  CHECK(client.get("/swapped/").body == "two\n");
  CHECK(eventually([&] { return mappings(worker, "swapped_one") == 1; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("a new worker has the present generation", "[e2e][swap]") {
  const Site site({"swapped_one"});
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"});
  overwrite(site, "swapped_one.so", content_of(module_file("swapped_two")));
  CHECK(says(server, "/swapped/", "two\n"));
  const std::vector<pid_t> before = server.workers();
  // A worker that dies while it unloads the old generation is said to have died inside it.
  CHECK(eventually([&] { return mappings(before.at(0), "swapped_one") == 1; }));
  ::kill(before.at(0), SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != before; }));
  CHECK(says(server, "/swapped/", "two\n"));
  INFO(server.log());
  CHECK(server.count_in_log("generation") == 1);
}

TEST_CASE("a module that cannot be unloaded is logged with the reason", "[e2e][swap]") {
  const Site site({"pinned"});
  // LeakSanitizer of g++ 12 follows wild pointers where such a library stays.
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"}, {{"ASAN_OPTIONS", "detect_leaks=0"}});
  fs::remove(site.plugins() + "/pinned.so");
  CHECK(
      server.logs("pinned.so stays in memory after it was unloaded: it has a thread_local with a destructor"));
  CHECK(server.stop() == 0);
}

TEST_CASE("code that a thread still runs is not unloaded", "[e2e][swap]") {
  const Site site({"hello", "thread_left"});
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"});
  const std::vector<pid_t> workers = server.workers();
  fs::remove(site.plugins() + "/thread_left.so");
  CHECK(
      server.logs("thread_left.so stays in memory after it was unloaded: a thread that a module has started"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.workers() == workers);
  CHECK(server.stop() == 0);
}

TEST_CASE("a module that cannot serve is refused, and the old generation goes on", "[e2e][swap]") {
  const Site site({"hello"});
  const std::string good = content_of(module_file("swapped_one"));
  overwrite(site, "swapped.so", good);
  ServerProcess server(site, quick({"--swap-timeout", "4s"}));
  std::size_t refusals = 0;
  const auto refused = [&](const std::string& content, const std::string& why) {
    INFO(why);
    replace(site, "swapped.so", content);
    ++refusals;
    CHECK(server.logs(why));
    CHECK(eventually([&] {
      return server.count_in_log("swapped.so is not taken, and generation 1 goes on: ") == refusals;
    }));
    CHECK(fetch(server.endpoint(), "/swapped/").body == "one\n");
  };
  refused("", "it is too short");
  refused("#!/bin/sh\n" + std::string(100, '\n'), "is not a shared object: build it with g++ -shared");
  refused(good.substr(0, good.size() / 2), "swapped.so is cut off: copy or build it again");
  std::string elsewhere = good;
  elsewhere[18] = elsewhere[18] == 8 ? 3 : 8;  // e_machine: MIPS
  refused(elsewhere, "was built for another kind of machine");
  refused(content_of(module_file("abi_no_symbol")), "exports no sluice_module");
  refused(content_of(module_file("bad/undefined_symbol")), "undefined symbol");
  refused(content_of(module_file("abi_wrong_major")), "was built for module ABI 2.2");
  refused(content_of(module_file("create_throws")),
          "module swapped at /swapped/ refuses to start: it is not my day");
  refused(content_of(module_file("create_crashes")), "the process that tried it ");
  refused(content_of(module_file("create_slow")), "ms to start, and no worker would answer meanwhile");
  refused(content_of(module_file("create_hangs")), "its trial did not end within 4 s");
  refused(content_of(module_file("hello")), "another file has a module named hello already; remove one");
  overwrite(site, "swapped.so", content_of(module_file("swapped_two")));
  CHECK(says(server, "/swapped/", "two\n"));
  CHECK(server.count_in_log("is not taken") == refusals);
}

TEST_CASE("a module that kills a worker while it is prepared kills no second one", "[e2e][swap]") {
  const Site site({"swapped_one"});
  ServerProcess server(site, quick({"--fault-limit", "100"}));
  overwrite(site, "swapped_one.so", content_of(module_file("create_kills_worker")));
  CHECK(server.logs("and generation 1 goes on: it ended a worker that prepared it"));
  CHECK(eventually([&] { return server.workers().size() == 2; }));
  CHECK(says(server, "/swapped/", "one\n"));
  CHECK(server.count_in_log("was killed by SIGABRT") == 1);
}

TEST_CASE("a module that other users can write is refused until they no longer can", "[e2e][swap]") {
  const Site site({"hello"});
  ServerProcess server(site, kQuick);
  const std::string beside = site.write_beside("plugins.d/.next", content_of(module_file("swapped_one")));
  fs::permissions(beside, fs::perms(0666));
  fs::rename(beside, site.plugins() + "/swapped.so");
  CHECK(server.logs("swapped.so is not taken: swapped.so may be written by everybody"));
  CHECK(fetch(server.endpoint(), "/swapped/").status == 404);
  fs::permissions(site.plugins() + "/swapped.so", fs::perms(0644));
  CHECK(says(server, "/swapped/", "one\n"));
  CHECK(server.stop() == 0);
}

namespace {

// Keep-alive clients and long downloads that count failures.
class Load {
 public:
  Load(const Endpoint& endpoint, const std::string& large, unsigned clients, unsigned downloads)
      : large_(large) {
    for (unsigned i = 0; i < clients; ++i) {
      threads_.emplace_back([this, endpoint] { attempt([&] { return keep_asking(endpoint); }); });
    }
    for (unsigned i = 0; i < downloads; ++i) {
      threads_.emplace_back([this, endpoint] { attempt([&] { return download(endpoint); }); });
    }
  }
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void stop() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int answered() const { return answered_; }
  int downloaded() const { return downloaded_; }
  int failed() const { return failed_; }

 private:
  template <typename Ask>
  void attempt(Ask ask) {
    while (!over_) {
      try {
        if (!ask()) ++failed_;
      } catch (const std::runtime_error&) {
        ++failed_;
      }
    }
  }
  bool keep_asking(const Endpoint& endpoint) {
    HttpClient client(endpoint);
    while (!over_) {
      const HttpAnswer answer = client.get("/swapped/");
      if (answer.status != 200 || !answer.complete) return false;
      if (answer.body != "one\n" && answer.body != "two\n") return false;
      ++answered_;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // they leave the processor to the swaps
    }
    return true;
  }
  bool download(const Endpoint& endpoint) {
    HttpClient client(endpoint, kClientTimeoutMs, 64 * 1024);
    client.request("GET", "/static/large.dat");
    if (client.read_head().status != 200) return false;
    std::size_t got = 0;
    while (got < large_.size()) {
      const std::string piece = client.read_some(256 * 1024);
      if (piece.empty() || large_.compare(got, piece.size(), piece) != 0) return false;
      got += piece.size();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ++downloaded_;
    return got == large_.size();
  }

  const std::string& large_;
  std::atomic<bool> over_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> downloaded_{0};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("sixty swaps under load lose no request", "[e2e][swap]") {
  constexpr int kSwaps = 60;
  const Site site({"static_sendfile"});
  const std::string large = random_bytes(8 * 1024 * 1024);
  site.write("static/large.dat", large);
  const std::string good[] = {content_of(module_file("swapped_one")), content_of(module_file("swapped_two"))};
  const std::string bad[] = {good[0].substr(0, good[0].size() / 3), content_of(module_file("create_throws"))};
  overwrite(site, "swapped.so", good[0]);
  ServerProcess server(site, {"--workers", "2", "--swap-quiet", "1ms"});
  const std::vector<pid_t> workers = server.workers();
  std::size_t resident_before = 0;
  {
    Load load(server.endpoint(), large, 64, 16);
    std::size_t taken = 0;
    std::size_t refused = 0;
    for (int i = 0; i < kSwaps; ++i) {
      const bool is_good = i % 2 == 0;
      const std::string& content = is_good ? good[(i / 2 + 1) % 2] : bad[(i / 2) % 2];
      (i / 4 % 2 == 0 ? overwrite : replace)(site, "swapped.so", content);
      (is_good ? taken : refused) += 1;
      REQUIRE(eventually([&] {
        return server.count_in_log("module swapped serves in generation") == taken &&
               server.count_in_log("swapped.so is not taken") == refused;
      }));
      if (i == kSwaps / 4) resident_before = resident_kib(workers.at(0));
    }
    const std::size_t resident_after = resident_kib(workers.at(0));
    const int answered = load.answered();
    CHECK(eventually([&] { return load.answered() > answered + 100 && load.downloaded() > 0; }));
    load.stop();
    CHECK(load.failed() == 0);
    CHECK(resident_after < resident_before + 32 * 1024);
  }
  CHECK(server.workers() == workers);
  for (const pid_t worker : workers) CHECK(eventually([&] { return mappings(worker, "swapped") == 1; }));
  CHECK(server.count_in_log("stays in memory") == 0);
  CHECK(server.stop() == 0);
}
