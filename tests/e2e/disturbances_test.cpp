// Clients that break off in every state, links and folders that change while they are served, and a folder of
// modules that becomes something else.
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/certified_site.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

// Does the same again and again on a thread, while it lives.
class Meanwhile {
 public:
  template <typename Do>
  explicit Meanwhile(Do act)
      : thread_([this, act]() mutable {
          while (!over_) act();
        }) {}
  ~Meanwhile() {
    over_ = true;
    thread_.join();
  }
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// How many connections of the only worker are open.
std::string open_connections(const Site& site) {
  const std::string series = "\nsluice_connections_open{worker=\"1\"} ";
  const Outcome metrics = run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  const std::size_t at = metrics.out.find(series);
  if (at == std::string::npos) return "unknown";
  const std::size_t begin = at + series.size();
  return metrics.out.substr(begin, metrics.out.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("clients that reset or end their side in any state leave nothing behind", "[e2e][disturbances]") {
  const Site site({"hello", "defer", "echo", "stalls", "static_sendfile", "dynamic_aio"});
  for (const char* name : {"static/a", "dynamic/a"}) site.write(name, random_bytes(2'000'000));
  const auto certificate = write_certificate(site, "site");
  ServerProcess server(site, {"--workers", "1", "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0",
                              "--certificate", certificate[0], "--key", certificate[1]});
  const std::vector<pid_t> workers = server.workers();
  const std::string post = "POST /echo/ HTTP/1.1\r\nHost: a\r\n";
  const std::vector<std::string> states{
      "",
      "GET /hel",
      "GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\nGET /hello/ HT",
      "GET /defer/x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /stalls/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /static/a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /dynamic/a HTTP/1.1\r\nHost: a\r\n\r\n",
      post + "Content-Length: 100\r\n\r\nsome",
      post + "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\n4\r\nab",
      std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
      "PRI * HTTP/2.0\r\n\r\nSM",
  };
  for (const Endpoint& endpoint : {server.endpoint(), https_endpoint(server)}) {
    for (const std::string& state : states) {
      for (int way = 0; way < 6; ++way) {
        HttpClient client(endpoint, 2'000, 4096);
        client.try_send(state);
        if (way >= 3) client.read_some(way == 5 && state.find(" /static/") != std::string::npos ? 9000 : 0);
        if (way % 3 == 1) client.finish_sending();
        if (way % 3 == 2) client.close_with_reset();
      }
    }
  }
  for (int i = 0; i < 6; ++i) {  // within TLS, without its end
    TlsClient client(https_endpoint(server));
    client.send(states[static_cast<std::size_t>(i) + 2]);
    if (i % 2 == 0) client.read(100);
  }
  CHECK(eventually([&] { return open_connections(site) == "0"; }));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.workers() == workers);
  CHECK(server.stop() == 0);
}

TEST_CASE("a link that changes while it is opened leads nowhere outside", "[e2e][disturbances]") {
  const Site site({"static_sendfile", "dynamic_aio"});
  const std::string secret = site.write_beside("outside/file", "secret");
  for (const std::string mount : {"static", "dynamic"}) {
    site.write(mount + "/inside/file", "public");
    const std::string link = site.root() + "/" + mount + "/link";
    fs::create_symlink("inside", link);
  }
  ServerProcess server(site, {"--workers", "1"});
  unsigned answered = 0;
  {
    const Meanwhile swapping([&, turn = 0]() mutable {
      const std::string target = ++turn % 2 == 0 ? "inside" : fs::path(secret).parent_path().string();
      for (const std::string mount : {"static", "dynamic"}) {
        fs::create_symlink(target, site.path("next"));
        fs::rename(site.path("next"), site.root() + "/" + mount + "/link");
      }
    });
    HttpClient client(server.endpoint());
    for (int i = 0; i < 1'000; ++i) {
      const HttpAnswer answer = client.get(i % 2 == 0 ? "/static/link/file" : "/dynamic/link/file");
      CHECK(answer.body.find("secret") == std::string::npos);
      if (answer.status == 200) {
        CHECK(answer.body == "public");
        ++answered;
      }
    }
  }
  CHECK(answered > 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a folder that is replaced while it is listed is listed whole, or not at all",
          "[e2e][disturbances]") {
  const Site site({"static_sendfile"});
  for (const std::string name : {"one", "two"}) {
    for (int i = 0; i < 300; ++i) site.write("static/" + name + "/" + name + std::to_string(i), "");
  }
  ServerProcess server(site, {"--workers", "1", "--mount", "/static/=static_sendfile:listing=on"});
  const std::string folder = site.root() + "/static/";
  {
    const Meanwhile replacing([&] {
      for (const char* name : {"one", "two"}) {
        fs::rename(folder + name, folder + "shown");
        ::usleep(500);
        fs::rename(folder + "shown", folder + name);
      }
    });
    HttpClient client(server.endpoint());
    int listed = 0;
    for (int i = 0; i < 200; ++i) {
      const HttpAnswer answer = client.get("/static/shown/");
      CHECK(answer.complete);
      if (answer.status == 200) {
        ++listed;
        const bool has_one = answer.body.find("href=\"one1\"") != std::string::npos;
        const bool has_two = answer.body.find("href=\"two1\"") != std::string::npos;
        CHECK(has_one != has_two);
        CHECK(answer.body.find(has_one ? "href=\"one299\"" : "href=\"two299\"") != std::string::npos);
      } else {
        CHECK((answer.status == 404 || answer.status == 503));
      }
    }
    CHECK(listed > 0);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a folder of modules is flooded, goes, becomes a file, and comes back", "[e2e][disturbances]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"});
  for (int i = 0; i < 200; ++i) site.write_beside("plugins.d/x" + std::to_string(i) + ".so", "no module");
  site.add_module("echo");
  CHECK(eventually([&] { return fetch(server.endpoint(), "/echo/").status == 200; }));
  const std::string folder = site.plugins();
  fs::rename(folder, site.path("away"));
  CHECK(server.logs("is gone: its modules keep serving"));
  for (const std::string what : {"a file", "a link to nowhere", "a pipe"}) {
    CAPTURE(what);
    if (what == "a file") site.write_beside("plugins.d", "");
    if (what == "a link to nowhere") fs::create_symlink("nowhere", folder);
    if (what == "a pipe") REQUIRE(::mkfifo(folder.c_str(), 0644) == 0);
    CHECK_FALSE(server.reload());
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    fs::remove(folder);
  }
  for (int i = 0; i < 200; ++i) fs::remove(site.path("away/x" + std::to_string(i) + ".so"));
  fs::rename(site.path("away"), folder);
  CHECK(server.reload());
  site.add_module("defer");
  CHECK(eventually([&] { return fetch(server.endpoint(), "/defer/").status == 200; }));
  CHECK(server.stop() == 0);
}
