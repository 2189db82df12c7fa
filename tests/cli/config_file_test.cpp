#include "config_file.h"

#include <catch2/catch.hpp>

#include "cli/scratch.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;
using Values = std::vector<std::string>;

// The values of a file with one line.
Values values_of(const std::string& text) {
  const auto config = parse_config(text, "f");
  INFO(text << (config ? "" : config.error().message));
  REQUIRE(config.has_value());
  REQUIRE(config->server.entries.size() == 1);
  return config->server.entries.front().values;
}

std::string refusal(const std::string& text) {
  const auto config = parse_config(text, "f");
  INFO(text);
  REQUIRE_FALSE(config.has_value());
  return config.error().message;
}

TEST_CASE("keys, values, comments and line numbers") {
  const auto config = parse_config(
      "# a comment\n"
      "\n"
      "workers = 4\n"
      "\t root=\"/srv/site\" # here\r\n",
      "f");
  REQUIRE(config);
  const auto& entries = config->server.entries;
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].key == "root");
  CHECK(entries[0].values == Values{"/srv/site"});
  CHECK(entries[0].place == "f:4:3");
  CHECK(entries[0].places == Values{"f:4:8"});
  CHECK(entries[1].key == "workers");
  CHECK(entries[1].values == Values{"4"});
  CHECK(entries[1].place == "f:3:1");
}

TEST_CASE("an empty file has no settings") {
  CHECK(parse_config("", "f")->server.entries.empty());
  CHECK(parse_config("\n \n# only this", "f")->sites.empty());
}

TEST_CASE("values of all types become the texts of the command line") {
  CHECK(values_of("k = 16") == Values{"16"});
  CHECK(values_of("k = true") == Values{"on"});
  CHECK(values_of("k = false") == Values{"off"});
  CHECK(values_of("k = 'a\\b'") == Values{"a\\b"});
  CHECK(values_of(R"(k = "a\"b\\c # d")") == Values{R"(a"b\c # d)"});
  CHECK(values_of("k = [\"a\",\n  \"b,c\", # more\n 3]") == Values{"a", "b,c", "3"});
  CHECK(values_of("k = []") == Values{});
  // The characters before U+FEFF, in the one place where the parser asks whether they are blanks.
  CHECK(values_of("k = \"\"\"a\\\n  \xef\xb9\xbf\"\"\"") == Values{"a\xef\xb9\xbf"});
  CHECK_THAT(refusal("k = 1.5"), Contains("f:1:5: 'k' is a text, a whole number"));
  CHECK_THAT(refusal("k = 2026-11-30"), Contains("put it in quotes"));
}

TEST_CASE("sites have mounts, and so has the top level") {
  const auto config = parse_config(R"([[mount]]
at = "/"
[[site]]
names = ["a", "b"]
[[site.mount]]
at = "/x/"
cache = 4
[[site.mount]]
at = "/y/"
[[site]]
mount = "/=m"
)",
                                   "f");
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  REQUIRE(config->server.mounts.size() == 1);
  CHECK(config->server.mounts[0].place == "f:1:1");
  REQUIRE(config->sites.size() == 2);
  CHECK(config->sites[0].place == "f:3:1");
  CHECK(config->sites[0].entries.at(0).values == Values{"a", "b"});
  REQUIRE(config->sites[0].mounts.size() == 2);
  CHECK(config->sites[0].mounts[0].entries.size() == 2);
  CHECK(config->sites[0].mounts[1].place == "f:8:1");
  CHECK(config->sites[1].entries.at(0).key == "mount");
}

TEST_CASE("a line of the form without quotes is shown as it has to be") {
  CHECK(refusal("\nroot = /srv # here") ==
        "f:2:8: a value that is no number needs quotes: write root = \"/srv\"");
  CHECK_THAT(refusal("head-timeout = 5s"), Contains("write head-timeout = \"5s\""));
  CHECK_THAT(refusal("workers = auto"), Contains("write workers = \"auto\""));
  CHECK_THAT(refusal("listen = [::1]:80"), Contains("write listen = \"[::1]:80\""));
  CHECK_THAT(refusal("listen = [:80, \"*:81\"]"), Contains("write listen = [\":80\", \"*:81\"]"));
  CHECK_THAT(refusal("root = a\"b\\c"), Contains(R"(write root = "a\"b\\c")"));
  CHECK(refusal("a = x\nb = 1\n# c = y\nd = z\ne = \"v\"") ==
        "f:1:5: a value that is no number needs quotes: write a = \"x\"\n"
        "f:4:5: this value needs quotes, too: write d = \"z\"");
}

TEST_CASE("malformed files are refused with the place") {
  CHECK_THAT(refusal("a = 1\n\nworkers 4\n"), Contains("f:3:"));
  for (const char* header : {"[{site]]", "[[=]]", "[[[site]]]", "[", "a = 1\n  [\n]"})
    CHECK_THAT(refusal(header), Contains("names no table"));
  CHECK_THAT(refusal("\xc3\xa4 = 1"),
             Contains("f:1:1: '\xc3\xa4 = 1' has other letters than A to Z outside of quotes"));
  CHECK_THAT(refusal("a = 1\nroot = /\xc3\xa4"),
             Contains("f:2:9: a value that is no number needs quotes: write root = "));
  CHECK(parse_config("a = \"\xc3\xa4\" # \xc3\xa4\nb = '''\n\xc3\xa4'''\nc = '\xc3\xa4'\n", "f"));
  CHECK(parse_config("a = [\"\"\"\xc3\xa4\n\"\"\"]\nb = [ # c\n  '''\xc3\xa4'''\n]\n", "f"));
  CHECK_THAT(refusal("; a comment"), Contains("f:1:1: a comment begins with '#' in place of ';'"));
  CHECK_THAT(refusal("a = 1\na = 2"), Contains("write several values as one list"));
  CHECK_THAT(refusal("k = \"a"), Contains("f:1:"));
  CHECK_THAT(refusal("[site]\nnames = 1"), Contains("'site' is a table with two brackets: write [[site]]"));
  CHECK_THAT(refusal("[site]\n[[site]]"), Contains("sites and mounts have two brackets"));
  CHECK_THAT(refusal("[serve]\nworkers = 1"), Contains("there is no table [serve]: the tables are [[site]], "
                                                       "and [[mount]] and [[filter]] in it or above it"));
  CHECK_THAT(refusal(std::string("k = \"a\0b\"", 9)), Contains("f:1:"));
}

TEST_CASE("the mark of UTF-8 is skipped, UTF-16 is refused") {
  const auto config = parse_config("\xef\xbb\xbfworkers = 1\n", "conf");
  REQUIRE(config);
  CHECK(config->server.entries.front().key == "workers");
  for (const char* mark : {"\xff\xfew", "\xfe\xff"})
    CHECK(parse_config(mark, "conf").error().message == "conf is written in UTF-16: save it as UTF-8");
}

TEST_CASE("reading a file") {
  const ScratchFolder scratch;
  const auto config = read_config_file(scratch.file("good", "workers = 2\n"));
  REQUIRE(config);
  CHECK(config->server.entries.front().key == "workers");
  const std::string missing = scratch.path("missing");
  CHECK(read_config_file(missing).error().message ==
        "the configuration file '" + missing + "' cannot be read: No such file or directory");
  const std::string folder = scratch.folder("folder");
  CHECK(read_config_file(folder).error().message ==
        "the configuration file '" + folder + "' is not a regular file: name one");
  const std::string large = scratch.file("large", std::string(1024 * 1024 + 1, '\n'));
  CHECK(read_config_file(large).error().message ==
        "the configuration file '" + large + "' is larger than 1 MiB: name another one");
}

}  // namespace
