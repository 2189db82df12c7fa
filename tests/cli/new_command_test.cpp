#include "new_command.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/scratch.h"
#include "program.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = run_program(arguments, environment_of({}), out, err);
  return {exit_code, out.str(), err.str()};
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a class is called after its module") {
  CHECK(class_name("demo") == "Demo");
  CHECK(class_name("word_count") == "WordCount");
  CHECK(class_name("word-count-2") == "WordCount2");
  CHECK(class_name("a__b_") == "AB");
}

TEST_CASE("names of modules") {
  for (const char* name : {"a", "demo", "word_count", "word-count", "v2", "test", "all"}) {
    INFO(name);
    CHECK(check_module_name(name));
  }
  CHECK(check_module_name(std::string(64, 'a')));
  for (const char* name : {"", "2v", "_a", "-a", "Demo", "a b", "a/b", "..", "a.so", "\xc3\xa4"}) {
    INFO(name);
    CHECK_FALSE(check_module_name(name));
  }
  CHECK_FALSE(check_module_name(std::string(65, 'a')));
}

TEST_CASE("a new module is the template of its kind under its own name") {
  const auto [kind, placeholder, class_placeholder] = GENERATE(table<std::string, std::string, std::string>({
      {"handler", "handler_name", "HandlerName"},
      {"filter", "filter_name", "FilterName"},
      {"api", "api_name", "ApiName"},
      {"websocket", "websocket_name", "WebsocketName"},
  }));
  const ScratchFolder scratch;
  const std::string folder = scratch.path("somewhere");
  const Outcome outcome = run({"new", kind, "word_count", "--folder", folder});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK_THAT(outcome.out, Contains("The " + kind + " 'word_count' is in '" + folder + "'"));
  for (const char* name :
       {"CMakeLists.txt", "README.md", ".gitignore", "word_count.cpp", "word_count_test.cpp"}) {
    INFO(name);
    const std::string text = read(folder + "/" + name);
    CHECK_FALSE(text.empty());
    CHECK_THAT(text, !Contains(placeholder) && !Contains(class_placeholder));
  }
  CHECK(std::distance(fs::directory_iterator(folder), {}) == 5);
  CHECK_THAT(read(folder + "/README.md"), Contains("`sluice new " + kind + " word_count`"));
  CHECK_THAT(read(folder + "/word_count.cpp"), Contains("SLUICE_MODULE(WordCount, .name = \"word_count\""));
}

TEST_CASE("a new module never overwrites") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("taken", "mine");
  for (const std::string& taken : {scratch.folder("full"), file, std::string("/no/such/folder")}) {
    INFO(taken);
    const Outcome outcome = run({"new", "handler", "demo", "--folder", taken});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("sluice: the folder '" + taken + "' cannot be made: ") &&
                                Contains("; name another one with --folder\n"));
  }
  CHECK(fs::is_empty(scratch.path("full")));
  CHECK(read(file) == "mine");
}

TEST_CASE("a bad name is refused in one sentence, and no folder is made") {
  const ScratchFolder scratch;
  const Outcome outcome = run({"new", "handler", "a/b", "--folder", scratch.path("x")});
  CHECK(outcome.exit_code == 1);
  CHECK(
      outcome.err ==
      "sluice: 'a/b' cannot be a module's name: begin with a letter and write up to 64 of a to z, 0 to 9, '_' "
      "and '-'\n");
  CHECK_FALSE(fs::exists(scratch.path("x")));
}

TEST_CASE("new needs a kind and a name") {
  CHECK(run({"new"}).exit_code > 100);
  for (const char* kind : {"handler", "filter", "api", "websocket"})
    CHECK_THAT(run({"new", kind}).err, Contains("NAME is required"));
  CHECK(run({"new", "thing"}).exit_code > 100);
}

}  // namespace
