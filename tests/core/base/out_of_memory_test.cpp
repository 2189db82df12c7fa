// Memory: how much spare objects keep, and what happens when there is none.
//
// This file replaces operator new for the whole test program.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "connection/http1_session.h"
#include "support/served_client.h"

using Catch::Matchers::StartsWith;
using sluice::test::ServedClient;

namespace {

std::atomic<std::size_t> live_bytes{0};
// How many allocations on this thread succeed before one fails; negative: none fails.
thread_local int succeed = -1;
thread_local bool has_failed = false;

void* allocate(std::size_t size) {
  if (succeed >= 0 && succeed-- == 0) {
    has_failed = true;
    return nullptr;
  }
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory != nullptr) live_bytes += ::malloc_usable_size(memory);
  return memory;
}

void release(void* memory) {
  if (memory != nullptr) live_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}

// Makes the allocation after so many fail, until the end of the block.
class Shortage {
 public:
  explicit Shortage(int after) {
    has_failed = false;
    succeed = after;
  }
  ~Shortage() { succeed = -1; }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;
};

}  // namespace

void* operator new(std::size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}

TEST_CASE_METHOD(ServedClient, "spare sessions keep little of the memory that they used", "[memory]") {
  constexpr int kConnections = 40;
  constexpr std::size_t kLarge = 10 * 1024 * 1024;
  constexpr std::size_t kKeptMax = 32 * 1024;  // of each, besides its two buffers
  limits.fields_max = 5000;
  limits.head_bytes_max = 30 * 1024;
  const std::string path(7000, 'p');
  std::string many_fields = "GET /none/%41" + path + " HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 2000; ++i) many_fields += "a: b\r\n";
  const std::size_t before = live_bytes;
  std::vector<sluice::UniqueFd> clients;
  for (int i = 0; i < kConnections; ++i) {
    connect();
    send("GET /m/large?" + std::to_string(kLarge) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    clients.push_back(std::move(client));
  }
  CHECK(live_bytes > before + kConnections * kLarge);
  for (sluice::UniqueFd& one : clients) {
    client = std::move(one);
    std::size_t got = 0;
    REQUIRE(turn_until([&] { return (got += receive().size()) > kLarge; }));
    send(many_fields + "\r\n");
    CHECK_THAT(receive(), StartsWith("HTTP/1.1 404 "));
    one = std::move(client);
  }
  CHECK(table.size() == kConnections);
  CHECK(live_bytes < before + kConnections * (kKeptMax + 2 * kBufferSize));
}

TEST_CASE_METHOD(ServedClient, "a failed allocation ends one connection, never the worker", "[memory]") {
  // Each scenario runs with its first allocation failing, then with its second, and so on.
  const std::string scenario = GENERATE(
      "GET /m/large?100000 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /m/stream HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /m/failed HTTP/1.1\r\nHost: a\r\n\r\n", "GET /m/threw HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /m/deferred HTTP/1.1\r\nHost: a\r\n\r\n", "GET /m/page?404 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /m?x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /none/%41 HTTP/1.1\r\nHost: a\r\n\r\n", "nonsense\r\n\r\n",
      "POST /m/paused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
  bool failed = true;
  for (int after = 0; failed; ++after) {
    REQUIRE(after < 1000);
    CAPTURE(scenario, after);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    client.reset(ends[0]);
    REQUIRE(::send(client.get(), scenario.data(), scenario.size(), 0) > 0);
    {
      const Shortage shortage(after);
      table.accept(sluice::UniqueFd(ends[1]), site.address);
      for (int i = 0; i < 3; ++i) loop->turn(0);
      failed = has_failed;
    }
    table.close_all();
    loop->turn(0);
    REQUIRE(table.size() == 0);
    CHECK(inputs.small.lent() + inputs.large.lent() == 0);
    CHECK(outputs.lent() == 0);
    connect();
    get("large?5");
    REQUIRE(receive().ends_with("xxxxx"));
    client.reset();
    for (int i = 0; i < 3; ++i) loop->turn(0);
  }
  // It is said once in a while, so not for each scenario.
  static bool said = false;
  said = said || logged().find("memory is used up: a ") != std::string::npos;
  CHECK(said);
}
