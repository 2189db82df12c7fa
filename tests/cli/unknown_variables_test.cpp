#include "unknown_variables.h"

#include <catch2/catch.hpp>

#include "cli/scratch.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

std::string said_of(const std::string& name, const std::string& value = "x") {
  const auto sentences = unknown_variables(environment_of({{name, value}}));
  REQUIRE(sentences.size() <= 1);
  return sentences.empty() ? "" : sentences.front();
}

TEST_CASE("known variables, and those of other programs, are no mistake") {
  for (const char* name : {"SLUICE_HOME", "SLUICE_ROOT", "SLUICE_KEEPALIVE_TIMEOUT", "SLUICE_CONFIG",
                           "SLUICE_CHECK", "PATH", "SLUICEGATE"}) {
    INFO(name);
    CHECK(said_of(name).empty());
  }
}

TEST_CASE("a misspelled variable is reported with a suggestion") {
  const auto meant = [](const char* name, const std::string& likely) {
    return said_of(name) ==
           "the variable " + std::string(name) + " of the environment is unknown: did you mean " + likely + "?";
  };
  CHECK(meant("SLUICE_WORKER", "SLUICE_WORKERS"));
  CHECK(meant("SLUICE_KEEPALIVE-TIMEOUT", "SLUICE_KEEPALIVE_TIMEOUT"));
  CHECK(meant("SLUICE_keepalive_timeout", "SLUICE_KEEPALIVE_TIMEOUT"));
  CHECK(meant("SLUICE_HOMEE", "SLUICE_HOME"));
  CHECK(meant("SLUICE_PORT", "SLUICE_LISTEN"));
  CHECK(said_of("SLUICE_COLOUR") ==
        "the variable SLUICE_COLOUR of the environment is unknown: remove it; 'sluice serve --help' lists the "
        "options; each has a variable");
}

TEST_CASE("Kubernetes' variables for a service called sluice are no mistake") {
  CHECK(said_of("SLUICE_SERVICE_HOST", "10.0.0.1").empty());
  CHECK(said_of("SLUICE_SERVICE_PORT", "80").empty());
  CHECK(said_of("SLUICE_SERVICE_PORT_HTTP", "80").empty());
  CHECK(said_of("SLUICE_PORT", "tcp://10.0.0.1:80").empty());
  CHECK(said_of("SLUICE_PORT_80_TCP", "tcp://10.0.0.1:80").empty());
  CHECK(said_of("SLUICE_PORT_80_TCP_ADDR", "10.0.0.1").empty());
  CHECK(said_of("SLUICE_BLUE_PORT", "tcp://10.0.0.1:80").empty());
}

TEST_CASE("an image's variables for its release are no mistake") {
  for (const char* name : {"SLUICE_VERSION", "SLUICE_RELEASE", "SLUICE_PKG_RELEASE", "SLUICE_SHA256",
                           "SLUICE_GIT_COMMIT", "SLUICE_URL", "SLUICE_DOWNLOAD_URL", "SLUICE_IMAGE_TAG"}) {
    INFO(name);
    CHECK(said_of(name).empty());
  }
  CHECK_FALSE(said_of("SLUICE_VERSIONS").empty());
}

}  // namespace
