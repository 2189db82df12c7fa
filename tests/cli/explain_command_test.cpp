// What is refused before a server is asked.
#include "explain_command.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "cli/scratch.h"
#include "cli/serve_reading.h"
#include "program.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;

std::string refusal(std::vector<std::string> arguments) {
  const ScratchFolder scratch;
  arguments.insert(arguments.begin(), "explain");
  arguments.insert(arguments.end(), {"--control", scratch.path("none")});
  std::ostringstream out;
  std::ostringstream err;
  CHECK(run_program(arguments, environment_of({}), out, err) == 1);
  CHECK(out.str().empty());
  return err.str();
}

TEST_CASE("a request that cannot be meant is refused in a sentence") {
  CHECK_THAT(refusal({"example.org/x"}), Contains("'example.org/x' is no URL: write http://NAME/PATH"));
  CHECK_THAT(refusal({"http:///x"}), Contains("'http:///x' is no URL: it needs a name"));
  CHECK_THAT(refusal({"http://a:0/"}), Contains("a port from 1 to 65535"));
  CHECK_THAT(refusal({"/x", "-H", "Accept"}), Contains("'Accept' is no field: write 'NAME: VALUE'"));
  CHECK_THAT(refusal({"/x", "-H", "A: b\nC: d"}), Contains("no line ends"));
  CHECK_THAT(refusal({"/x", "--from", "me"}), Contains("'me' is no address of a client"));
}

TEST_CASE("a request that can be meant reaches the server, or finds none") {
  for (const char* url :
       {"/x", "/", "*", "http://a", "https://a:8443/x?y#z", "http://[::1]:80/", "http://[::1]/?q"}) {
    CAPTURE(url);
    CHECK_THAT(refusal({url}), Contains("no server is running"));
    CHECK_THAT(refusal({"HEAD", url, "-H", "A: b", "-H", "C:d", "--json"}), Contains("no server is running"));
  }
}

}  // namespace
