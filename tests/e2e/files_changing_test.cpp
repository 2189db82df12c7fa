// Files that change while they are sent, and files larger than 32 bits can count.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;

namespace {

constexpr std::size_t kSize = 16 * 1024 * 1024;  // far more than two sockets hold
constexpr std::size_t kShrunk = 200'000;
constexpr std::uint64_t kHuge = (std::uint64_t{5} << 30) + 7;

// A download that has begun and is far from its end.
class HalfDownload {
 public:
  HalfDownload(const ServerProcess& server, const std::string& target)
      : client_(server.endpoint(), kClientTimeoutMs, 16 * 1024) {
    client_.request("GET", target);
    head_ = client_.read_head();
    begun_ = client_.read_some(100'000);
  }
  const HttpAnswer& head() const { return head_; }
  // The rest, up to the declared size or the end.
  std::string rest() { return begun_ + client_.read_some(kSize - begun_.size()); }
  HttpClient& client() { return client_; }

 private:
  HttpClient client_;
  HttpAnswer head_;
  std::string begun_;
};

struct Changing {
  std::string place = GENERATE("/static/", "/dynamic/");
  Site site{{"static_sendfile", "dynamic_aio"}};
  std::string folder = place.substr(1);
  std::string path = site.root() + place + "file.dat";
  std::string before = random_bytes(kSize, 7);
};

}  // namespace

TEST_CASE("a file that is replaced by rename is sent whole as it was", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", c.before);
  ServerProcess server(c.site, {"--workers", "1"});
  HalfDownload download(server, c.place + "file.dat");
  c.site.write(c.folder + "new.dat", "new content");
  std::filesystem::rename(c.site.root() + c.place + "new.dat", c.path);
  CHECK((download.rest() == c.before));
  CHECK(eventually([&] { return fetch(server.endpoint(), c.place + "file.dat").body == "new content"; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("a file that shrinks while it is sent cuts the answer", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", c.before);
  ServerProcess server(c.site, {"--workers", "1"});
  HalfDownload download(server, c.place + "file.dat");
  std::filesystem::resize_file(c.path, kShrunk);
  const std::string got = download.rest();
  CHECK(got.size() < kSize);
  // The kernel clears the rest of the page where the file ends now, even if it already waits in a socket.
  const std::size_t same = std::min(got.size(), kShrunk);
  CHECK((got.substr(0, same) == c.before.substr(0, same)));
  const HttpAnswer now = fetch(server.endpoint(), c.place + "file.dat");
  CHECK(now.status == 200);
  CHECK((now.body == c.before.substr(0, kShrunk)));
  CHECK(server.stop() == 0);
}

TEST_CASE("a file that grows while it is sent ends at its declared size", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", c.before);
  ServerProcess server(c.site, {"--workers", "1"});
  HalfDownload download(server, c.place + "file.dat");
  std::filesystem::resize_file(c.path, kSize + 12345);
  CHECK((download.rest() == c.before));
  const HttpAnswer next = download.client().get(c.place + "file.dat");
  CHECK(next.body.size() == kSize + 12345);
  CHECK(server.stop() == 0);
}

TEST_CASE("a file that is rewritten in place is served anew", "[e2e][files]") {
  const Changing c;
  ServerProcess server(c.site, {"--workers", "1"});
  HttpClient client(server.endpoint());
  CHECK(client.get(c.place + "file.dat").status == 404);
  for (const std::string content : {"first", "second, longer", ""}) {
    c.site.write(c.folder + "file.dat", content);
    CHECK(client.get(c.place + "file.dat").body == content);
  }
  std::filesystem::remove(c.path);
  CHECK(client.get(c.place + "file.dat").status == 404);
}

TEST_CASE("a request after a change sees it, whatever other clients ask for", "[e2e][files]") {
  constexpr int kFiles = 64;
  constexpr int kOthers = 8;
  const Changing c;
  const auto name = [&](int i) { return c.folder + std::to_string(i); };
  for (int i = 0; i < kFiles; ++i) c.site.write(name(i), "before");
  // Younger files are not kept in memory.
  std::this_thread::sleep_for(std::chrono::milliseconds(3100));
  ServerProcess server(c.site, {"--workers", "1"});
  std::atomic<int> asked_for = 0;
  const std::jthread others([&](const std::stop_token& stop) {
    std::vector<HttpClient> clients;
    for (int i = 0; i < kOthers; ++i) clients.emplace_back(server.endpoint());
    while (!stop.stop_requested()) {
      const int file = asked_for;
      for (HttpClient& client : clients) client.request("GET", "/" + name(file));
      for (HttpClient& client : clients) client.read_answer();
    }
  });
  HttpClient kept(server.endpoint());
  int stale = 0;
  for (int i = 0; i < kFiles; ++i) {
    asked_for = i;
    while (kept.get("/" + name(i)).body != "before") {
    }
    c.site.write(name(i), "after!");
    if (i % 2 == 0) {
      stale += fetch(server.endpoint(), "/" + name(i)).body != "after!";
    } else {
      stale += kept.get("/" + name(i)).body != "after!";
    }
  }
  CHECK(stale == 0);
}

TEST_CASE("a file that is only half rewritten, without fsync, is served", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", c.before);
  const int fd = ::open(c.path.c_str(), O_WRONLY | O_CLOEXEC);
  const std::string half = random_bytes(kSize / 2, 8);
  REQUIRE(::fsync(fd) == 0);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  REQUIRE(::pwrite(fd, half.data(), half.size(), 4096) == static_cast<ssize_t>(half.size()));
  ServerProcess server(c.site);
  std::string wanted = c.before;
  wanted.replace(4096, half.size(), half);
  CHECK((fetch(server.endpoint(), c.place + "file.dat").body == wanted));
  ::close(fd);
}

TEST_CASE("cold files are served byte for byte", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", c.before);
  const int fd = ::open(c.path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::fsync(fd) == 0);
  ServerProcess server(c.site, {"--workers", "1"});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    CHECK((fetch(server.endpoint(), c.place + "file.dat").body == c.before));
  }
  ::close(fd);
  CHECK(server.stop() == 0);
}

TEST_CASE("a client that leaves in mid-file leaves nothing behind", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", c.before);
  ServerProcess server(c.site, {"--workers", "1"});
  for (int i = 0; i < 30; ++i) {
    HalfDownload download(server, c.place + "file.dat");
    if (i % 2 == 0) download.client().close_with_reset();
  }
  CHECK((fetch(server.endpoint(), c.place + "file.dat").body == c.before));
  CHECK(server.stop() == 0);
}

TEST_CASE("a file beyond 4 GiB has its full Content-Length", "[e2e][files]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", "begin");
  std::filesystem::resize_file(c.path, kHuge);
  ServerProcess server(c.site);
  HttpClient client(server.endpoint());
  client.request("HEAD", c.place + "file.dat");
  CHECK(client.read_answer(true).field("Content-Length") == std::to_string(kHuge));
}

TEST_CASE("a file beyond 4 GiB is sent to its last byte", "[e2e][files][.full]") {
  const Changing c;
  c.site.write(c.folder + "file.dat", "begin");
  std::filesystem::resize_file(c.path, kHuge);
  const int fd = ::open(c.path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::pwrite(fd, "end", 3, static_cast<off_t>(kHuge - 3)) == 3);
  ::close(fd);
  ServerProcess server(c.site);
  HttpClient client(server.endpoint());
  client.request("GET", c.place + "file.dat");
  CHECK(client.read_head().field("Content-Length") == std::to_string(kHuge));
  std::uint64_t left = kHuge;
  std::string piece;
  while (left > 0) {
    piece = client.read_some(static_cast<std::size_t>(std::min<std::uint64_t>(left, 1024 * 1024)));
    REQUIRE_FALSE(piece.empty());
    if (left == kHuge) CHECK(piece.substr(0, 5) == "begin");
    left -= piece.size();
  }
  CHECK(piece.substr(piece.size() - 3) == "end");
}
