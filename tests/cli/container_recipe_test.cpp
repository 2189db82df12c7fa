// The recipes for containers: every argument that they give is one that the server takes, and they keep what
// they say.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/scratch.h"
#include "command_line.h"
#include "serve_request.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

std::string recipe(const std::string& name) {
  std::ifstream file(SLUICE_SOURCE "/cli/service/container/" + name);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  REQUIRE_FALSE(text.empty());
  return text;
}

// The texts between quotes.
std::vector<std::string> quoted_in(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t at = text.find('"'); at != std::string_view::npos;) {
    const std::size_t end = text.find('"', at + 1);
    found.emplace_back(text.substr(at + 1, end - at - 1));
    at = text.find('"', end + 1);
  }
  return found;
}

std::string_view between(std::string_view text, std::string_view from, std::string_view to) {
  const std::size_t begin = text.find(from);
  REQUIRE(begin != std::string_view::npos);
  const std::size_t end = text.find(to, begin + from.size());
  REQUIRE(end != std::string_view::npos);
  return text.substr(begin + from.size(), end - begin - from.size());
}

Settings settings_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "serve");
  const CommandLine line = parse_command_line(arguments);
  CHECK(line.standard_error.empty());
  const auto request = read_serve_request(line.given, environment_of({}));
  INFO((request ? "" : request.error().message));
  REQUIRE(request);
  return request->settings;
}

TEST_CASE("the image's arguments are the server's") {
  const std::string text = recipe("Containerfile");
  CHECK(quoted_in(between(text, "\nENTRYPOINT [", "]")) ==
        std::vector<std::string>{"/usr/bin/sluice", "serve"});
  const Settings settings = settings_of(quoted_in(between(text, "\nCMD [", "]\n")));
  CHECK(settings.root == "/srv/site");
  CHECK(settings.mounts.size() == 1);
  CHECK(text.find("\nUSER 65532:65532\n") != std::string::npos);
}

TEST_CASE("the deployment's arguments are the server's, and a pod has the time that it takes to end") {
  const std::string text = recipe("kubernetes.yaml");
  const Settings settings = settings_of(quoted_in(between(text, "          args:\n", "          ports:\n")));
  CHECK(settings.mounts.size() == 2);
  const std::string grace(between(text, "terminationGracePeriodSeconds: ", "\n"));
  CHECK(settings.timeouts.lame_duck_ms + settings.timeouts.drain_ms + 5'000 <= std::stoul(grace) * 1000);
  // The balancer has to notice that the pod is not ready.
  const std::string_view readiness = between(text, "readinessProbe:", "livenessProbe:");
  const std::string period(between(readiness, "periodSeconds: ", "\n"));
  const std::string failures(between(readiness, "failureThreshold: ", "\n"));
  CHECK(std::stoul(period) * std::stoul(failures) * 1000 < settings.timeouts.lame_duck_ms);
  for (const char* kept :
       {"runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false",
        "kind: PodDisruptionBudget", "path: /-/health/ready", "path: /-/health/live"}) {
    CAPTURE(kept);
    CHECK(text.find(kept) != std::string::npos);
  }
  // YAML: indents of two blanks, no tabs, and each document names its kind.
  CHECK(text.find('\t') == std::string::npos);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at) {
    const std::size_t indent = text.find_first_not_of(' ', at + 1) - at - 1;
    if (at + 1 < text.size()) CHECK(indent % 2 == 0);
  }
}

}  // namespace
