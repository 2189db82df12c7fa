#include "check/exact_heap.h"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace sluice::cli {
namespace {

constexpr const char* kTunables = "GLIBC_TUNABLES";
constexpr std::string_view kCacheCount = "glibc.malloc.tcache_count";

}  // namespace

void count_heap_exactly(char** arguments) {
  if (arguments[0] == nullptr || arguments[1] == nullptr || std::string_view(arguments[1]) != "check") return;
  const char* given = std::getenv(kTunables);
  std::string tunables = given == nullptr ? "" : given;
  if (tunables.find(kCacheCount) != std::string::npos) return;
  tunables.append(tunables.empty() ? "" : ":").append(kCacheCount).append("=0");
  if (::setenv(kTunables, tunables.c_str(), 1) == 0) ::execv("/proc/self/exe", arguments);
}

}  // namespace sluice::cli
