// Certificates and ticket keys that change while the server serves: all workers take them, or none does.
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/certified_site.h"
#include "support/hanging_disk.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

struct Served {
  const Site& site;
  ServerProcess server;
  Endpoint https;

  Served(const Site& of, const std::string& chain, const std::string& key, const std::string& tickets = "")
      : site(of), server(of, arguments(chain, key, tickets)), https(https_endpoint(server)) {}
  static std::vector<std::string> arguments(const std::string& chain, const std::string& key,
                                            const std::string& tickets) {
    std::vector<std::string> all{
        "--workers", "2",     "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
        chain,       "--key", key};
    if (!tickets.empty()) all.insert(all.end(), {"--ticket-keys", tickets});
    return all;
  }
  // Every worker has the certificate: two of them share 16 connections.
  bool serves(const std::string& fingerprint) const {
    return eventually([&] {
      for (int i = 0; i < 16; ++i) {
        if (TlsClient(https).fingerprint() != fingerprint) return false;
      }
      return true;
    });
  }
};

// Reads the answer to a GET whole. True if the connection goes on.
bool ask(TlsClient& client) {
  client.send("GET /hello/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const std::string byte = client.read(1);
    if (byte.empty()) throw std::runtime_error("the answer has no end: " + head);
    head += byte;
  }
  const std::string length = "Content-Length: ";
  const std::size_t at = head.find(length);
  if (!head.starts_with("HTTP/1.1 200") || at == std::string::npos)
    throw std::runtime_error("refused: " + head);
  const auto size = static_cast<std::size_t>(std::stoul(head.substr(at + length.size())));
  if (client.read(size).size() != size) throw std::runtime_error("the content has no end");
  return head.find("Connection: close") == std::string::npos;
}

// Clients that ask without a pause, on new connections and on kept ones, and count what goes wrong.
class Load {
 public:
  explicit Load(const Endpoint& endpoint) {
    for (const int requests_max : {1, 1'000'000}) {
      threads_.emplace_back([this, endpoint, requests_max] {
        while (!over_) visit(endpoint, requests_max);
      });
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
  int failed() const { return failed_; }

 private:
  // Asks until the server says that it closes, as a client must.
  void visit(const Endpoint& endpoint, int requests_max) {
    try {
      TlsClient client(endpoint);
      bool goes_on = true;
      for (int i = 0; i < requests_max && goes_on && !over_; ++i) {
        goes_on = ask(client);
        ++answered_;
      }
    } catch (const std::runtime_error& error) {
      std::fprintf(stderr, "a client: %s\n", error.what());
      ++failed_;
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("a certificate whose files change is taken by all workers", "[e2e][certificate_swap]") {
  const Site site({"hello"});
  std::string first;
  std::string second;
  const std::string way = GENERATE("rename", "cp", "certbot", "Kubernetes");
  CAPTURE(way);
  const fs::path folder = site.path("tls");
  fs::create_directories(folder / "1");
  fs::create_directories(folder / "2");
  write_certificate(site, "tls/1/tls", &first);
  write_certificate(site, "tls/2/tls", &second);
  const std::vector<std::string> names{"tls.pem", "tls.key"};
  for (const std::string& name : names) {
    if (way == "certbot") fs::create_symlink("1/" + name, folder / name);
    if (way == "Kubernetes") fs::create_symlink("..data/" + name, folder / name);
    if (way == "rename" || way == "cp") fs::copy_file(folder / "1" / name, folder / name);
  }
  if (way == "Kubernetes") fs::create_symlink("1", folder / "..data");
  const Served served(site, folder / "tls.pem", folder / "tls.key");
  CHECK(served.serves(first));
  for (const std::string& name : names) {
    if (way == "certbot") fs::create_symlink("2/" + name, folder / "new");
    if (way == "rename") fs::copy_file(folder / "2" / name, folder / "new");
    if (way == "certbot" || way == "rename") fs::rename(folder / "new", folder / name);
    if (way == "cp") fs::copy_file(folder / "2" / name, folder / name, fs::copy_options::overwrite_existing);
  }
  if (way == "Kubernetes") {
    fs::create_symlink("2", folder / "..new");
    fs::rename(folder / "..new", folder / "..data");
    fs::remove_all(folder / "1");
  }
  CHECK(served.serves(second));
  CHECK(
      served.server.logs("the certificate " + (folder / "tls.pem").string() + " has changed: it expires at "));
  CHECK(served.server.logs("and its SHA-256 fingerprint is " + second));
  CHECK(served.server.count_in_log("reloaded") == 1);
}

TEST_CASE("a certificate that cannot serve is refused once, and the old one serves on",
          "[e2e][certificate_swap]") {
  const Site site({"hello"});
  std::string first;
  std::string second;
  const auto files = write_certificate(site, "one", &first);
  write_certificate(site, "two", &second);
  const Served served(site, files[0], files[1]);
  const std::string refused = "the changed files are not taken, and those before them serve on: ";
  site.write_beside("one.pem", "no certificate");
  CHECK(served.server.logs(refused + "the certificate " + files[0] + " is not a certificate in PEM form"));
  CHECK(served.serves(first));
  fs::copy_file(site.path("two.pem"), files[0], fs::copy_options::overwrite_existing);
  CHECK(served.server.logs(refused + "the private key " + files[1] + " does not belong to the certificate "));
  CHECK(served.serves(first));
  CHECK(served.server.count_in_log(refused) == 2);
  CHECK(served.server.count_in_log("not reloaded") == 0);
  // A reload by hand says so at once.
  CHECK(run({sluice_binary(), "reload"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).code == 1);
  fs::rename(site.path("two.key"), files[1]);
  CHECK(served.serves(second));
}

TEST_CASE("certificates are swapped under load without losing a request", "[e2e][certificate_swap]") {
  const Site site({"hello"});
  const auto files = write_certificate(site, "one");
  Served served(site, files[0], files[1]);
  Load load(served.https);
  const int swaps = std::getenv("SLUICE_FULL") == nullptr ? 10 : 50;
  for (int i = 0; i < swaps; ++i) {
    std::string fingerprint;
    const auto next = write_certificate(site, "next", &fingerprint);
    for (std::size_t file = 0; file < files.size(); ++file) fs::rename(next[file], files[file]);
    REQUIRE(served.server.logs("and its SHA-256 fingerprint is " + fingerprint));
    CHECK(served.serves(fingerprint));
  }
  const int so_far = load.answered();
  CHECK(eventually([&] { return load.answered() > so_far + 100; }));
  load.stop();
  CHECK(load.failed() == 0);
  CHECK(served.server.count_in_log("not taken") == 0);
  CHECK(eventually([&] { return served.server.workers().size() == 2; }));
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a certificate on a disk that hangs holds up nothing", "[e2e][certificate_swap]") {
  const Site site({"hello"});
  std::string first;
  const auto made = write_certificate(site, "one", &first);
  const std::string folder = site.path("disk");
  fs::create_directories(folder);
  std::ifstream chain(made[0]);
  HangingDisk disk(folder, std::string(std::istreambuf_iterator<char>(chain), {}));
  if (!disk.mounted()) {
    WARN("no FUSE can be mounted here");
    return;
  }
  Served served(site, folder + "/" + HangingDisk::kFile, made[1]);
  disk.hang();
  write_certificate(site, "one");
  CHECK(eventually([&] { return disk.unanswered() > 0; }));
  CHECK(served.serves(first));
  CHECK(run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).code == 0);
  CHECK(served.server.stop() == 0);
  disk.end();
}

TEST_CASE("servers that share ticket keys resume each other's sessions", "[e2e][certificate_swap]") {
  const Site site({"hello"});
  const auto files = write_certificate(site, "one");
  const std::string key = random_bytes(80, 1);
  const std::string tickets = site.write_beside("tickets", key);
  Served one(site, files[0], files[1], tickets);
  Served other(site, files[0], files[1], tickets);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(version);
  std::shared_ptr<ssl_session_st> session;
  // How many of `times` connections to the servers in turn resume the session of the one before.
  const auto resumed = [&](int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) {
      TlsClient client(i % 2 == 0 ? one.https : other.https, {"localhost", version, session.get()});
      CHECK_THAT(client.get("/hello/"), StartsWith("HTTP/1.1 200"));
      count += client.was_resumed() ? 1 : 0;
      session = client.session();  // a ticket of TLS 1.3 is for one use
      REQUIRE(session != nullptr);
    }
    return count;
  };
  const auto replace = [&](const std::string& keys, std::size_t reloads) {
    site.write_beside("tickets.new", keys);
    fs::rename(site.path("tickets.new"), tickets);
    for (const Served* served : {&one, &other})
      REQUIRE(eventually([&] { return served->server.count_in_log("reloaded") == reloads; }));
  };
  CHECK(resumed(1) == 0);
  CHECK(resumed(20) == 20);
  // A new key that opens comes first, so that every host has it before one of them seals with it.
  const std::string next = random_bytes(80, 2);
  replace(key + next, 1);
  CHECK(resumed(20) == 20);
  replace(next + key, 2);
  CHECK(resumed(20) == 20);
  replace(next, 3);
  CHECK(resumed(20) == 20);
  replace(random_bytes(80, 3), 4);
  for (const Served* served : {&one, &other})  // old workers may still accept, and open the old tickets
    REQUIRE(eventually([&] { return served->server.workers().size() == 2; }));
  CHECK(resumed(1) == 0);
  site.write_beside("tickets", "short");
  CHECK(one.server.logs("the file of ticket keys " + tickets + " has 5 bytes"));
  CHECK(resumed(4) == 4);
}

TEST_CASE("a certificate's end is told in the log, by status and as a metric", "[e2e][certificate_swap]") {
  const Site site({"hello"});
  const std::string chain = site.path("short.pem");
  const std::string key = site.path("short.key");
  REQUIRE(run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-keyout", key, "-out", chain, "-days", "2", "-subj", "/CN=a", "-addext",
               "subjectAltName=DNS:a.example,IP:192.0.2.1"})
              .code == 0);
  const Served served(site, chain, key);
  CHECK(served.server.logs("the certificate " + chain + " expires within 2 days, at "));
  const auto ask_for = [&](const std::string& command) {
    return run({sluice_binary(), command}, {{"RUNTIME_DIRECTORY", site.path("run")}}).out;
  };
  CHECK_THAT(ask_for("status"), Contains(chain) && Contains("a.example, 192.0.2.1"));
  CHECK_THAT(ask_for("metrics"),
             Contains("sluice_certificate_not_after_timestamp_seconds{file=\"" + chain + "\"} "));
  write_certificate(site, "short");
  CHECK(served.server.logs("the certificate " + chain + " has changed"));
  CHECK(eventually([&] { return ask_for("status").find("localhost, 127.0.0.1") != std::string::npos; }));
  CHECK(served.server.count_in_log("expires within") == 1);
}
