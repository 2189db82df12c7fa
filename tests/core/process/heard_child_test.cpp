// A child's report is read as it comes, so that a long one does not hold the child up.
#include "process/heard_child.h"

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

TEST_CASE("a report longer than a pipe comes whole", "[heard_child]") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  const std::string report(1'000'000, 'x');
  const auto child = HeardChild::start(*loop, [&] { return report; });
  REQUIRE(child);
  int status = 0;
  pid_t ended = 0;
  for (int i = 0; i < 1000 && ended == 0; ++i) {
    loop->turn(10);
    ended = ::waitpid(-1, &status, WNOHANG);
  }
  REQUIRE((*child)->is(ended));
  const auto result = (*child)->result(status);
  REQUIRE(result);
  CHECK(*result == report);
}
