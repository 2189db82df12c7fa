#include "check/resources.h"

#include <malloc.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

// The sanitizers leave mallinfo2 empty. This is the count of their own allocator.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace sluice::cli {
namespace {

constexpr unsigned kWindows = 3;
// When memory has grown in each window, that many more windows have to show the same: a pool or a cache that
// fills up stops growing.
constexpr unsigned kProofWindows = 9;
constexpr std::uint64_t kHeapPerRound = 8;  // the smallest piece that can be forgotten
// Growth below this in a window comes from the allocator.
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

// The sanitizers map memory at any time, so nothing is measured with them.
std::uint64_t mapped_bytes() {
  std::uint64_t pages = 0;
  if (!is_sanitized()) std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// The growth of a number in each window, if all windows have about the same; 0 if one has none.
std::uint64_t steady_growth(const std::vector<Resources>& samples, std::uint64_t Resources::*number) {
  std::vector<std::uint64_t> growth;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const std::uint64_t before = samples[i - 1].*number;
    const std::uint64_t after = samples[i].*number;
    growth.push_back(after > before ? after - before : 0);
  }
  std::sort(growth.begin(), growth.end());
  const std::uint64_t usual = growth[growth.size() / 2];
  return growth.front() >= usual / 2 ? growth.front() : 0;
}

// The growth that one round causes.
struct Growth {
  std::uint64_t heap = 0;
  std::uint64_t mapped = 0;
  bool descriptors = false;
  bool threads = false;

  bool any() const { return heap > 0 || mapped > 0 || descriptors || threads; }
};

Growth growth_of(const std::vector<Resources>& samples, unsigned rounds) {
  const auto each = [&](std::uint64_t Resources::*number, std::uint64_t least) {
    const std::uint64_t grown = steady_growth(samples, number) / rounds;
    return grown >= least ? grown : 0;
  };
  return {each(&Resources::heap_bytes, kHeapPerRound), each(&Resources::mapped_bytes, kMappedPerRound),
          each(&Resources::descriptors, 1) > 0, each(&Resources::threads, 1) > 0};
}

}  // namespace

Resources measure_resources() {
  return {heap_bytes(), mapped_bytes(), entries("/proc/self/fd"), entries("/proc/self/task")};
}

void find_growth(Findings& findings, const std::string& each, unsigned rounds,
                 const std::function<bool()>& round) {
  const auto window = [&] {
    for (unsigned i = 0; i < rounds; ++i) {
      if (!round()) return false;
    }
    return true;
  };
  if (!window()) return;
  std::vector<Resources> samples{measure_resources()};
  Growth growth;
  for (const unsigned windows : {kWindows, kProofWindows}) {
    for (unsigned i = 0; i < windows; ++i) {
      if (!window()) return;
      samples.push_back(measure_resources());
    }
    growth = growth_of(samples, rounds);
    if (!growth.any()) return;
  }
  if (growth.heap > 0) {
    findings.fail(
        "memory",
        fmt::format("{} leaves about {} bytes of memory behind: free what it has allocated, and bound what "
                    "is kept",
                    each, growth.heap));
  } else if (growth.mapped > 0) {
    findings.fail("memory",
                  fmt::format("{} leaves about {} bytes of address space behind: unmap what it has mapped",
                              each, growth.mapped));
  }
  if (growth.descriptors)
    findings.fail("descriptors", each + " leaves a descriptor open: close it, at the latest in a destructor");
  if (growth.threads)
    findings.fail("threads", each + " leaves a thread running: join it in a destructor, or use Host::offload");
}

}  // namespace sluice::cli
