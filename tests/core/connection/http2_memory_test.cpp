// The buffers for nghttp2's frames: what is not written takes no memory, and what was given back is used again.
#include "connection/http2_memory.h"

#include <sys/mman.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

using namespace sluice;

namespace {

constexpr std::size_t kFrame = 16'394;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 5;

void* take(std::size_t size = kFrame) {
  return http2_memory()->realloc(nullptr, size, http2_memory()->mem_user_data);
}
void give_back(void* memory) {
  http2_memory()->free(memory, http2_memory()->mem_user_data);
}

bool begins_a_page(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) % kPage == 0;
}

long resident_pages(void* memory) {
  std::array<unsigned char, kPages> pages{};
  REQUIRE(::mincore(memory, kPages * kPage, pages.data()) == 0);
  return std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
}

}  // namespace

TEST_CASE("the pages of a frame that are not written take no memory", "[http2_memory]") {
  // More than one region has room for.
  std::vector<void*> all(700);
  for (void*& memory : all) memory = take();
  CHECK(std::set<void*>(all.begin(), all.end()).size() == all.size());
  CHECK(std::all_of(all.begin(), all.end(), begins_a_page));
  std::memset(all.back(), 'x', 100);
  CHECK(resident_pages(all.back()) == 1);
  std::memset(all.back(), 'x', kFrame);
  CHECK(resident_pages(all.back()) == kPages);

  void* const written = all.back();
  std::for_each(all.begin(), all.end(), give_back);
  CHECK(resident_pages(written) == 0);
  CHECK(take() == written);
  give_back(written);
}

TEST_CASE("other sizes come from malloc, and a frame keeps its content when it grows", "[http2_memory]") {
  void* const small = take(100);
  give_back(small);
  give_back(nullptr);

  char* const frame = static_cast<char*>(take());
  std::memset(frame, 'x', 16'384);
  void* const data = http2_memory()->mem_user_data;
  char* const larger = static_cast<char*>(http2_memory()->realloc(frame, 100'000, data));
  REQUIRE(larger != nullptr);
  CHECK(larger != frame);
  CHECK(std::count(larger, larger + 16'384, 'x') == 16'384);
  give_back(larger);
  void* const again = take();
  CHECK(again == frame);
  give_back(again);
}
