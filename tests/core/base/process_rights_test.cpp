// What a process gives up. Each case gives it up in a child.
#include "base/process_rights.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "support/refused_calls.h"

using namespace sluice;

namespace {

constexpr int kWithinMs = 20'000;
// Far apart, so that there are gaps before, between and behind those that are kept.
constexpr int kOpened[] = {40, 41, 50, 200};

std::string open_ones() {
  std::string open;
  for (const int fd : kOpened) {
    if (::fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + " ";
  }
  return open;
}

// Which of those are open after all but 41 and 50 were closed in a process in which these calls fail.
std::string left_without(const std::vector<long>& calls) {
  const auto left = run_in_child(
      [&] {
        for (const int fd : kOpened) ::dup2(STDERR_FILENO, fd);
        if (!calls.empty() && !test::refuse_calls(calls, ENOSYS)) return std::string("no filter");
        rlimit lower{};
        ::getrlimit(RLIMIT_NOFILE, &lower);
        lower.rlim_cur = 100;
        ::setrlimit(RLIMIT_NOFILE, &lower);
        keep_descriptors({50, Child::own_report_fd(), 41, STDERR_FILENO});
        return open_ones();
      },
      kWithinMs);
  return left ? *left : left.error().message;
}

}  // namespace

TEST_CASE("descriptors that are not kept are closed, whatever the kernel offers for it", "[process_rights]") {
  CHECK(left_without({}) == "41 50 ");
  CHECK(left_without({SYS_close_range}) == "41 50 ");
  // As without /proc, also above the soft limit.
  CHECK(left_without({SYS_close_range, SYS_openat}) == "41 50 ");
}

TEST_CASE("variables that are not kept are gone, and known by name", "[process_rights]") {
  const auto left = run_in_child(
      [] {
        ::setenv("A_SECRET", "value", 1);
        ::setenv("KEPT", "here", 1);
        keep_variables([](std::string_view name) { return name == "KEPT"; });
        const auto& removed = removed_variables();
        const bool named = std::find(removed.begin(), removed.end(), "A_SECRET") != removed.end();
        return std::string(::getenv("KEPT")) + (::getenv("A_SECRET") == nullptr ? " gone" : " there") +
               (named ? " named" : "");
      },
      kWithinMs);
  REQUIRE(left);
  CHECK(*left == "here gone named");
}
