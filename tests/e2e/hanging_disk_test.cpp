// A file system that hangs (FUSE, NFS): requests for its files wait, and nothing else does.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <vector>

#include "e2e/containment.h"
#include "support/hanging_disk.h"
#include "support/http_client.h"
#include "support/server_process.h"

using namespace sluice::test;

namespace {

constexpr int kClients = 12;  // for each mount: more than it may have threads

// Two folders on a disk that hangs, one for each file module. The document root is on another disk.
struct Stand {
  const std::string content = random_bytes(100'000);
  Site site{{"static_sendfile", "dynamic_aio"}};
  std::unique_ptr<HangingDisk> disks[2];
  bool usable = true;

  Stand() {
    site.write("static/a.txt", "a");
    site.write("static/listed/b.txt", "b");
    site.write("dynamic/a.txt", "a");
    for (int i = 0; i < 2; ++i) {
      ::mkdir(folder(i).c_str(), 0755);
      disks[i] = std::make_unique<HangingDisk>(folder(i), content);
      usable = usable && disks[i]->mounted();
    }
    if (!usable) WARN("no FUSE can be mounted here");
  }
  std::string folder(int index) const { return site.path("disk" + std::to_string(index)); }
  std::vector<std::string> options() const {
    return {"--workers", "1",
            "--mount",   "/one/=static_sendfile:root=" + folder(0),
            "--mount",   "/two/=dynamic_aio:root=" + folder(1),
            "--mount",   "/static/=static_sendfile:listing=on",
            "--mount",   "/dynamic/=dynamic_aio:etag=hash"};
  }
  void hang() const {
    for (const auto& disk : disks) disk->hang();
  }
};

void check_that_others_are_served(const ServerProcess& server) {
  HttpClient client(server.endpoint());
  CHECK(client.get("/static/a.txt").body == "a");
  CHECK(client.get("/dynamic/a.txt").body == "a");
  CHECK(client.get("/static/listed/").status == 200);  // by a thread
}

}  // namespace

TEST_CASE("files of a file system of another machine are served", "[e2e][hanging]") {
  const Stand stand;
  if (!stand.usable) return;
  ServerProcess server(stand.site, stand.options());
  HttpClient client(server.endpoint());
  for (const std::string place : {"/one/", "/two/"}) {
    for (int i = 0; i < 3; ++i) {
      const HttpAnswer answer = client.get(place + "a.txt");
      CHECK(answer.status == 200);
      CHECK(answer.body == stand.content);
    }
    CHECK(client.get(place + "a.txt", "Range: bytes=70000-70009\r\n").body == stand.content.substr(70'000, 10));
    CHECK(client.get(place + "missing.txt").status == 404);
    CHECK(client.get(place).status == 404);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("file systems that hang hold up nothing else", "[e2e][hanging]") {
  Stand stand;
  if (!stand.usable) return;
  ServerProcess server(stand.site, stand.options());
  {
    HttpClient client(server.endpoint());
    CHECK(client.get("/one/a.txt").body == stand.content);
    CHECK(client.get("/two/a.txt").body == stand.content);
  }
  stand.hang();
  std::vector<HttpClient> waiting;
  for (int i = 0; i < kClients; ++i) {
    for (const char* path : {"/one/a.txt", "/two/a.txt", "/one/other.txt", "/two/"}) {
      waiting.emplace_back(server.endpoint()).request("GET", path);
    }
  }
  REQUIRE(eventually([&] { return stand.disks[0]->unanswered() > 0 && stand.disks[1]->unanswered() > 0; }));
  for (int i = 0; i < 5; ++i) check_that_others_are_served(server);
  // The log blames no module.
  CHECK(server.log().find("held up") == std::string::npos);
  CHECK(server.log().find("switched off") == std::string::npos);
  CHECK(server.workers().size() == 1);

  for (const auto& disk : stand.disks) disk->end();
  waiting.clear();
  check_that_others_are_served(server);
  CHECK(server.stop() == 0);
}

TEST_CASE("a disk that fails or lies cuts answers, and never pads them", "[e2e][hanging]") {
  const Stand stand;
  if (!stand.usable) return;
  ServerProcess server(stand.site, stand.options());
  for (const DiskFault fault : {DiskFault::opens_fail, DiskFault::reads_fail, DiskFault::reads_short,
                                DiskFault::larger, DiskFault::smaller}) {
    CAPTURE(static_cast<int>(fault));
    for (const auto& disk : stand.disks) disk->have(fault);
    for (const std::string place : {"/one/", "/two/"}) {
      CAPTURE(place);
      for (int i = 0; i < 3; ++i) {
        HttpClient client(server.endpoint());
        client.request("GET", place + "a.txt");
        const HttpAnswer answer = client.read_answer();
        if (answer.status != 200) {
          CHECK(answer.status >= 500);
          CHECK(answer.complete);
          continue;
        }
        CHECK(answer.body == stand.content.substr(0, answer.body.size()));
        if (fault == DiskFault::opens_fail || fault == DiskFault::reads_fail || fault == DiskFault::larger)
          CHECK_FALSE(answer.complete);
        if (fault == DiskFault::smaller) CHECK(answer.complete);
      }
      check_that_others_are_served(server);
    }
    for (const auto& disk : stand.disks) disk->have(DiskFault::none);
    for (const std::string place : {"/one/", "/two/"}) {
      const HttpAnswer answer = fetch(server.endpoint(), place + "a.txt");
      CHECK(answer.status == 200);
      CHECK(answer.body == stand.content);
    }
  }
  CHECK(server.workers().size() == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("a worker that is killed while one of its threads waits for a disk is replaced", "[e2e][hanging]") {
  Stand stand;
  if (!stand.usable) return;
  ServerProcess server(stand.site, stand.options());
  stand.hang();
  HttpClient waiting(server.endpoint());
  waiting.request("GET", "/one/a.txt");
  REQUIRE(eventually([&] { return stand.disks[0]->unanswered() > 0; }));
  const pid_t killed = server.workers().at(0);
  ::kill(killed, SIGKILL);
  CHECK(server.logs("(process " + std::to_string(killed) +
                    ") was killed and does not end: nothing waits for it any more"));
  check_that_others_are_served(server);
  for (const auto& disk : stand.disks) disk->end();
  CHECK(server.stop() == 0);
}

TEST_CASE("a module that waits for a disk on the loop is logged, but has no fault", "[e2e][hanging]") {
  const Site site({"hello", "sleeper"});
  ::mkdir(site.path("disk").c_str(), 0755);
  HangingDisk disk(site.path("disk"), "a");
  if (!disk.mounted()) {
    WARN("no FUSE can be mounted here");
    return;
  }
  ServerProcess server(site,
                       options({"--workers", "1", "--hang-limit", "300ms", "--mount",
                                "/on-disk/=sleeper:root=" + site.path("disk"), "--mount", "/hello/=hello"},
                               "1"));
  CHECK(fetch(server.endpoint(), "/on-disk/file").status == 200);
  disk.hang();
  HttpClient waiting(server.endpoint());
  waiting.request("GET", "/on-disk/file");
  CHECK(server.logs("GET /on-disk/file HTTP/1.1, where it waits for a disk that does not answer"));
  CHECK(
      server.logs("was ended, since it was held up for too long by a disk that does not answer, which is no "
                  "module's fault, "
                  "inside module sleeper, generation 1, for GET /on-disk/file HTTP/1.1"));
  CHECK(answers(server, "/hello/", 200));
  CHECK(server.count_in_log("is switched off") == 0);
  disk.end();
  CHECK(answers(server, "/on-disk/file", 200));
  CHECK(server.stop() == 0);
}

TEST_CASE("a folder of modules that hangs holds up neither supervisor nor start", "[e2e][hanging]") {
  const Site site;
  HangingDisk disk(site.plugins(), "a");
  if (!disk.mounted()) {
    WARN("no FUSE can be mounted here");
    return;
  }
  ServerProcess patient(site, {"--workers", "1", "--swap-timeout", "60s"});
  ServerProcess server(site, {"--workers", "1", "--swap-timeout", "1s", "--control", site.path("other")});
  disk.hang();
  patient.signal(SIGHUP);
  REQUIRE(eventually([&] { return disk.unanswered() > 0; }));
  // Both need the supervisor: replacing a worker, and ending.
  const std::vector<pid_t> before = patient.workers();
  REQUIRE(::kill(before.at(0), SIGKILL) == 0);
  CHECK(eventually([&] { return patient.workers().size() == 1 && patient.workers() != before; }));
  CHECK(fetch(patient.endpoint(), "/").status == 404);
  patient.signal(SIGTERM);
  CHECK(patient.wait() == 0);

  CHECK_FALSE(server.reload());
  CHECK(server.logs("the folder of modules " + site.plugins() + " does not answer: its modules keep serving"));
  CHECK(server.logs("not reloaded, and nothing changes: reading the settings takes too long"));
  CHECK(fetch(server.endpoint(), "/").status == 404);

  for (const bool only_check : {true, false}) {
    std::vector<std::string> command = site.command({"--listen", "127.0.0.1:0", "--swap-timeout", "1s"});
    if (only_check) command.push_back("--check");
    const Outcome started = run(command);
    CHECK(started.code == 1);
    CHECK(started.err.find("the folder '" + site.plugins() + "' does not answer") != std::string::npos);
  }
  disk.end();
  CHECK(server.stop() == 0);
}
