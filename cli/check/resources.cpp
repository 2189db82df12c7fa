#include "check/resources.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

// The sanitizers' own allocator counts for mallinfo2, which they leave empty.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace sluice::cli {
namespace {

constexpr unsigned kWindows = 3;
constexpr std::uint64_t kHeapPerRound = 8;  // the smallest piece that somebody can forget
// Less than this in a window is the allocator's own doing.
constexpr std::uint64_t kMappedPerRound = 4096;

bool is_sanitized() {
  return &__sanitizer_get_current_allocated_bytes != nullptr;
}

std::uint64_t heap_bytes() {
  if (is_sanitized()) return __sanitizer_get_current_allocated_bytes();
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::uint64_t entries(const char* folder) {
  std::error_code error;
  const std::filesystem::directory_iterator all(folder, error);
  return error ? 0 : static_cast<std::uint64_t>(std::distance(begin(all), end(all)));
}

// The sanitizers map memory as they please.
std::uint64_t mapped_bytes() {
  std::uint64_t pages = 0;
  if (!is_sanitized()) std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// The least by which a number has grown in a window.
std::uint64_t least_growth(const std::array<Resources, kWindows + 1>& samples,
                           std::uint64_t Resources::*number) {
  std::uint64_t least = ~std::uint64_t{0};
  for (unsigned i = 0; i < kWindows; ++i) {
    const std::uint64_t before = samples[i].*number;
    const std::uint64_t after = samples[i + 1].*number;
    least = std::min(least, after > before ? after - before : 0);
  }
  return least;
}

}  // namespace

Resources measure_resources() {
  return {heap_bytes(), mapped_bytes(), entries("/proc/self/fd"), entries("/proc/self/task")};
}

void find_growth(Findings& findings, const std::string& each, unsigned rounds,
                 const std::function<bool()>& round) {
  std::array<Resources, kWindows + 1> samples;
  for (unsigned i = 0; i < rounds; ++i) {
    if (!round()) return;
  }
  samples[0] = measure_resources();
  for (unsigned window = 1; window <= kWindows; ++window) {
    for (unsigned i = 0; i < rounds; ++i) {
      if (!round()) return;
    }
    samples[window] = measure_resources();
  }
  const std::uint64_t heap = least_growth(samples, &Resources::heap_bytes) / rounds;
  const std::uint64_t mapped = least_growth(samples, &Resources::mapped_bytes) / rounds;
  if (heap >= kHeapPerRound) {
    findings.fail("memory", each + " leaves about " + std::to_string(heap) +
                                " bytes of memory behind: free what it has allocated, and bound what is kept");
  } else if (mapped >= kMappedPerRound) {
    findings.fail("memory", each + " leaves about " + std::to_string(mapped) +
                                " bytes of address space behind: unmap what it has mapped");
  }
  if (least_growth(samples, &Resources::descriptors) >= rounds) {
    findings.fail("descriptors", each + " leaves a descriptor open: close it, at the latest in a destructor");
  }
  if (least_growth(samples, &Resources::threads) >= rounds) {
    findings.fail("threads", each + " leaves a thread running: join it in a destructor, or use Host::offload");
  }
}

}  // namespace sluice::cli
