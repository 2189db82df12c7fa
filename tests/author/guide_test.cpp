// Follows the author's guide, modules/README.md: builds each sample as pkg-config says, serves all of them and
// its script, and compares their answers with the page.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "author/installed.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kGuideUrl = "http://127.0.0.1:8080/";

std::string source_file(const std::string& name) {
  return must({"cat", std::string(SLUICE_SOURCE) + "/" + name});
}

// The texts between "```KIND" and "```".
std::vector<std::string> blocks(const std::string& page, const std::string& kind) {
  std::vector<std::string> found;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      found.back() += line + "\n";
    } else if (line == "```" + kind) {
      inside = true;
      found.emplace_back();
    }
  }
  return found;
}

std::string module_name(const std::string& sample) {
  const std::string key = ".name = \"";
  const std::size_t begin = sample.find(key, sample.find("SLUICE_MODULE(")) + key.size();
  return sample.substr(begin, sample.find('"', begin) - begin);
}

// A command of the guide, and the output that the guide shows.
struct Exchanged {
  std::string command;
  std::string answer;
};

std::vector<Exchanged> exchanges(const std::string& page) {
  std::vector<Exchanged> found;
  for (const std::string& block : blocks(page, "console")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("$ ")) {
        found.push_back({line.substr(2), ""});
      } else {
        found.back().answer += line + "\n";
      }
    }
  }
  return found;
}

// Of the guide's commands that place its filters. A mount takes the place of a module's own one, so that is
// mounted as well.
std::vector<std::string> filter_options(const std::string& page) {
  const std::string heading = "## Before and behind: a filter\n";
  const std::size_t begin = page.find(heading) + heading.size();
  std::istringstream section(page.substr(begin, page.find("\n## ", begin) - begin));
  std::vector<std::string> options{"--mount", "/page/=page",   "--mount", "/greet/=greet",
                                   "--grant", "relay=network", "--grant", "attic=write:/tmp"};
  for (std::string line; std::getline(section, line);) {
    if (!line.starts_with("sluice serve ")) continue;
    std::istringstream words(line);
    std::string word;
    words >> word >> word;
    while (words >> word) options.push_back(word);
  }
  return options;
}

}  // namespace

TEST_CASE("every sample of the guide is built by pkg-config's flags, and answers what the guide says",
          "[author]") {
  const Installed sluice;
  const Variables variables{{"PKG_CONFIG_PATH", sluice.library("pkgconfig")}};
  CHECK(must({"pkg-config", "--variable=pluginsdir", "sluice"}, variables) ==
        sluice.library("pkgconfig/../../" SLUICE_LIBDIR "/sluice/plugins.d\n"));

  const std::string guide = source_file("modules/README.md");
  const std::vector<std::string> samples = blocks(guide, "cpp");
  REQUIRE(samples.size() >= 7);
  const ScratchFolder sources;
  const Site site({"lua"});
  std::vector<std::unique_ptr<Process>> compilers;
  for (const std::string& sample : samples) {
    const std::string name = module_name(sample);
    sources.write(name + ".cpp", sample);
    const std::string command =
        "g++ -O0 -Wall -Wextra -Wconversion -Werror $(pkg-config --variable=moduleflags sluice) " +
        sources.path(name + ".cpp") + " -o " + site.plugins() + "/" + name + ".so" +
        (sample.find("<sluice/kit/fetch.h>") != std::string::npos ? " -lcurl" : "");
    compilers.push_back(std::make_unique<Process>(std::vector<std::string>{"sh", "-c", command}, variables));
    CHECK_THAT(guide, Contains(kGuideUrl + name + "/"));
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const int code = compilers[i]->wait(kBuildMs);
    INFO("the sample:\n" << samples[i] << compilers[i]->err());
    REQUIRE(code == 0);
    const std::string exported =
        must({"nm", "-D", "--defined-only", site.plugins() + "/" + module_name(samples[i]) + ".so"});
    CHECK_THAT(exported, Contains(" sluice_module"));
    CHECK(std::count(exported.begin(), exported.end(), '\n') == 1);
  }

  sources.write("times.lua", blocks(guide, "lua").front());
  std::vector<std::string> options = filter_options(guide);
  options.insert(options.end(), {"--mount", "/times/=lua:script=" + sources.path("times.lua")});
  ServerProcess server(site, options);
  for (const Exchanged& exchanged : exchanges(guide)) {
    std::string command = exchanged.command;
    INFO(command);
    REQUIRE(command.starts_with("curl "));
    command.insert(5, "-sS --max-time 10 ");
    command.replace(command.find(kGuideUrl), std::string(kGuideUrl).size(), server.url("/"));
    CHECK(must({"sh", "-c", command}) == exchanged.answer);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("the guide's test without a server is built as it says, and passes", "[author]") {
  const Installed sluice;
  const std::string guide = source_file("modules/README.md");
  const ScratchFolder folder;
  folder.write("greet.cpp", blocks(guide, "cpp").front());
  folder.write("greet_test.cpp", blocks(guide, "cpp test").front());
  CHECK(must({"sh", "-e", "-c", blocks(guide, "sh rig").front()},
             {{"PKG_CONFIG_PATH", sluice.library("pkgconfig")}}, folder.path()) == "fine\n");
}

TEST_CASE("a handler in C is built as the guide says, and served", "[author]") {
  const Installed sluice;
  const auto recipes = blocks(source_file("modules/README.md"), "sh");
  REQUIRE(recipes.size() == 1);
  const ScratchFolder folder;
  folder.write("mine.c", source_file("tests/modules/plugins/plain_c.c"));
  must({"sh", "-e", "-c", recipes.front()}, {{"PKG_CONFIG_PATH", sluice.library("pkgconfig")}}, folder.path());
  const Site site;
  must({"cp", folder.path("mine.so"), site.plugins()});
  ServerProcess server(site);
  CHECK_THAT(fetch(server.endpoint(), "/plain_c/").body, Contains(" from C, "));
  CHECK(server.stop() == 0);
}

TEST_CASE("the handler that README.md shows is hello", "[author]") {
  CHECK_THAT(source_file("README.md"), Contains("```cpp\n" + source_file("modules/hello/hello.cpp") + "```"));
}
