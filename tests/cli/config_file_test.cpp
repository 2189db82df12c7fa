#include "config_file.h"

#include <catch2/catch.hpp>

#include "scratch.h"

namespace sluice::cli {
namespace {

using Values = std::vector<std::string>;

// The values of a file with one line.
Values values_of(const std::string& text) {
  const auto lines = parse_config(text, "f");
  INFO(text << (lines ? "" : lines.error().message));
  REQUIRE(lines.has_value());
  REQUIRE(lines->size() == 1);
  return lines->front().values;
}

std::string refusal(const std::string& text) {
  const auto lines = parse_config(text, "f");
  INFO(text);
  REQUIRE_FALSE(lines.has_value());
  return lines.error().message;
}

TEST_CASE("keys, values, comments and line numbers") {
  const auto lines = parse_config(
      "# a comment\n"
      "; another\n"
      "\n"
      "workers = 4\n"
      "\t root=/srv/site \r\n"
      "listen = [::1]:8080 # everybody at home\n"
      "user = \"www data\" # quoted",
      "f");
  REQUIRE(lines);
  REQUIRE(lines->size() == 4);
  CHECK((*lines)[0].number == 4);
  CHECK((*lines)[0].key == "workers");
  CHECK((*lines)[0].values == Values{"4"});
  CHECK((*lines)[1].number == 5);
  CHECK((*lines)[1].key == "root");
  CHECK((*lines)[1].values == Values{"/srv/site"});
  CHECK((*lines)[2].values == Values{"[::1]:8080"});
  CHECK((*lines)[3].number == 7);
  CHECK((*lines)[3].values == Values{"www data"});
}

TEST_CASE("an empty file has no settings") {
  CHECK(parse_config("", "f")->empty());
  CHECK(parse_config("\n \n# only this", "f")->empty());
}

TEST_CASE("bare values keep '=', quotes inside and '#' inside a word") {
  CHECK(values_of("mount = /a/=m:root=b") == Values{"/a/=m:root=b"});
  CHECK(values_of("root = /a#b") == Values{"/a#b"});
  CHECK(values_of("root = a \"b\" c") == Values{"a \"b\" c"});
  CHECK(values_of("root = a#b # c") == Values{"a#b"});
}

TEST_CASE("quoted values know two escapes and leave other backslashes alone") {
  CHECK(values_of(R"(k = "")") == Values{""});
  CHECK(values_of(R"(k = " a # b ")") == Values{" a # b "});
  CHECK(values_of(R"(k = "a\"b\\c\,d")") == Values{R"(a"b\c\,d)"});
}

TEST_CASE("lists") {
  CHECK(values_of(R"(k = ["a", "b,c"])") == Values{"a", "b,c"});
  CHECK(values_of(R"(k = [ "a" , b ,"c", ] # comment)") == Values{"a", "b", "c"});
  CHECK(values_of("k = [a,b]") == Values{"a", "b"});
  CHECK(values_of(R"(k = ["[::1]:80", "*:81"])") == Values{"[::1]:80", "*:81"});
  CHECK(values_of("k = []") == Values{});
}

TEST_CASE("malformed lines are refused with their place") {
  CHECK(refusal("a = 1\n\nworkers 4\n") == "f:3: 'workers 4' is not of the form: key = value");
  CHECK(refusal("= 4") == "f:1: '= 4' is not of the form: key = value");
  CHECK(refusal("\n[serve]\nworkers = 1") ==
        "f:2: '[serve]' begins a section, but this file has none: write all keys at top level");
  CHECK(refusal("user =") == "f:1: 'user' has no value: write user = VALUE, or remove the line");
  CHECK(refusal("user = # nobody") == "f:1: 'user' has no value: write user = VALUE, or remove the line");
  CHECK(refusal("k = \"a") ==
        "f:1: a value that begins with a double quote must end with one on the same line");
  CHECK(refusal("k = \"a\\\"") ==
        "f:1: a value that begins with a double quote must end with one on the same line");
  CHECK(refusal("k = \"a\" b") == "f:1: 'b' stands behind the end of the value: remove it");
  CHECK(refusal("k = [\"a\"") ==
        "f:1: a list must end with ']' on the same line; repeat the key for a long one");
  CHECK(refusal("k = [\"a\",") ==
        "f:1: a list must end with ']' on the same line; repeat the key for a long one");
  CHECK(refusal("k = [\"a\" \"b\"]") ==
        "f:1: the values of a list need ',' between them: write [\"a\", \"b\"]");
  CHECK(refusal("k = [a,,b]") == "f:1: a list has an empty value: write [\"a\", \"b\"]");
  CHECK(refusal("k = [a] b]") == "f:1: 'b]' stands behind the end of the value: remove it");
  CHECK(refusal(std::string("k = a\0b", 7)) ==
        "f:1: the line has a control character: a configuration file is plain text");
}

TEST_CASE("the mark of UTF-8 is skipped, UTF-16 is refused") {
  const auto lines = parse_config("\xef\xbb\xbfworkers = 1\n", "conf");
  REQUIRE(lines);
  CHECK(lines->front().key == "workers");
  for (const char* mark : {"\xff\xfew", "\xfe\xff"})
    CHECK(parse_config(mark, "conf").error().message == "conf is written in UTF-16: save it as UTF-8");
}

TEST_CASE("reading a file") {
  const ScratchFolder scratch;
  const auto lines = read_config_file(scratch.file("good", "workers = 2\n"));
  REQUIRE(lines);
  CHECK(lines->front().key == "workers");

  const std::string bad = scratch.file("bad", "\nworkers\n");
  CHECK(read_config_file(bad).error().message == bad + ":2: 'workers' is not of the form: key = value");
  const std::string missing = scratch.path("missing");
  CHECK(read_config_file(missing).error().message ==
        "the configuration file '" + missing + "' cannot be read: No such file or directory");
  const std::string folder = scratch.folder("folder");
  CHECK(read_config_file(folder).error().message ==
        "the configuration file '" + folder + "' cannot be read: it is not a regular file");
  const std::string large = scratch.file("large", std::string(1024 * 1024 + 1, '\n'));
  CHECK(read_config_file(large).error().message ==
        "the configuration file '" + large + "' cannot be read: it is larger than 1 MiB");
}

}  // namespace
}  // namespace sluice::cli
