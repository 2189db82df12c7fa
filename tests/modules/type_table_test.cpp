// The option for further media types: its meaning, and the errors.
#include "common/http/type_table.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

using Catch::Matchers::Contains;
using sluice::files::TypeTable;

namespace {

struct Lookup {
  const char* option;
  const char* path;
  const char* type;
};

const Lookup kLookups[] = {
    {"", "a.wasm", "application/wasm"},
    {"", "a.unknown", "x/y"},
    {" ; ;", "a.html", "text/html; charset=utf-8"},
    {"zz=application/zz", "a.zz", "application/zz"},
    {"zz=application/zz", "a.html", "text/html; charset=utf-8"},
    {"zz=application/zz", "a.unknown", "x/y"},
    {"zz=application/zz;yy=image/yy", "a.zz", "application/zz"},
    {"zz=application/zz;yy=image/yy", "a.yy", "image/yy"},
    {"yy=image/yy;zz=application/zz;", "a.yy", "image/yy"},
    {" zz = application/zz ;\tyy=image/yy ", "a.zz", "application/zz"},
    // the user's types come before the built-in ones
    {"html=application/xhtml+xml", "a.html", "application/xhtml+xml"},
    // case, the last extension, names that start with a dot: as with the built-in ones
    {"Zz=application/zz", "dir/a.zZ", "application/zz"},
    {"zz=application/zz", "a.zz.html", "text/html; charset=utf-8"},
    {"zz=application/zz", "a.html.zz", "application/zz"},
    {"zz=application/zz", ".zz", "x/y"},
    {"zz=application/zz", "a/.zz", "x/y"},
    {"zz=application/zz", "a.zz/b", "x/y"},
    {"zz=application/zz", "zz", "x/y"},
    {"zz=application/zz", "a.", "x/y"},
    {"zz=application/zz", "a.z", "x/y"},
    {"zz=application/zz", "", "x/y"},
    {"c++=text/x-c", "a.c++", "text/x-c; charset=utf-8"},
    // text types get UTF-8 unless the user gives a charset
    {"md=text/x-markdown", "a.md", "text/x-markdown; charset=utf-8"},
    {"md=TEXT/x-markdown", "a.md", "TEXT/x-markdown; charset=utf-8"},
    {"log=text/plain;charset=iso-8859-1", "a.log", "text/plain; charset=iso-8859-1"},
    {"log=text/plain; Charset = utf-16 ;zz=text/zz", "a.log", "text/plain; charset=utf-16"},
    {"log=text/plain; Charset = utf-16 ;zz=text/zz", "a.zz", "text/zz; charset=utf-8"},
    {"zz=application/zz;charset=utf-8", "a.zz", "application/zz; charset=utf-8"},
    {"zz=textual/zz", "a.zz", "textual/zz"},
};

struct Refusal {
  std::string option;
  const char* why;
};

const Refusal kRefusals[] = {
    {"wasm", "types: \"wasm\" is not a pair"},
    {"application/wasm", "\"application/wasm\" is not a pair"},
    {"a=b/c;text/plain", "\"text/plain\" is not a pair"},
    {"=text/plain", "\"\" is not an extension"},
    {".md=text/plain", "\".md\" is not an extension: write what follows the last dot"},
    {"tar.gz=application/gzip", "\"tar.gz\" is not an extension: write what follows the last dot"},
    {"a/b=text/plain", "\"a/b\" is not an extension"},
    {"a b=text/plain", "\"a b\" is not an extension"},
    {"\xC3\xA4=text/plain", "is not an extension"},
    {std::string(33, 'a') + "=text/plain", "is not an extension"},
    {"md=", "\"\", given for \"md\", is not a media type such as text/plain"},
    {"md=markdown", "\"markdown\", given for \"md\", is not a media type"},
    {"html=text/html;md=markdown", "\"markdown\", given for \"md\""},
    {"md=text/", "is not a media type"},
    {"md=/plain", "is not a media type"},
    {"md=text/a/b", "is not a media type"},
    {"md=text/a b", "is not a media type"},
    {"md=text/a=b", "is not a media type"},
    {"md=text/plain\r\nX-Evil: 1", "\"text/plain??X-Evil: 1\", given for \"md\""},
    {std::string("md=text/a\0b", 11), "is not a media type"},
    {"md=text/\"a\"", "is not a media type"},
    {"charset=utf-8", "a charset follows a type"},
    {"md=text/plain;charset=", "\"\" is not a charset"},
    {"md=text/plain;charset=\"utf-8\"", "is not a charset"},
    {"md=text/plain;charset=a;charset=b", "\"md\" has two charsets"},
    {"md=text/a;html=text/html;MD=text/b", "\"md\" has two types"},
};

}  // namespace

TEST_CASE("the user's types come before the built-in ones", "[type_table]") {
  for (const Lookup& expected : kLookups) {
    CAPTURE(expected.option, expected.path);
    CHECK(TypeTable(expected.option).type_of(expected.path, "x/y") == expected.type);
  }
}

TEST_CASE("a malformed table is refused with a sentence", "[type_table]") {
  for (const Refusal& expected : kRefusals) {
    CAPTURE(expected.option);
    CHECK_THROWS_WITH(TypeTable(expected.option), Contains(expected.why));
  }
}

TEST_CASE("a file of types extends the built-in ones, and the option comes before it", "[type_table]") {
  const std::string file =
      "# comment\n"
      "application/x-one\tone uno\r\n"
      "\n"
      "text/x-two  TWO html a.b # html is replaced\n"
      "application/x-nothing\n"
      "application/x-late one\n"
      "application/xml xml";
  const TypeTable types("uno=image/uno", "utf-8", file);
  CHECK(types.type_of("a.one", "x/y") == "application/x-one");
  CHECK(types.type_of("a.uno", "x/y") == "image/uno");
  CHECK(types.type_of("a.two", "x/y") == "text/x-two; charset=utf-8");
  CHECK(types.type_of("a.html", "x/y") == "text/x-two; charset=utf-8");
  CHECK(types.type_of("a.xml", "x/y") == "application/xml");
  CHECK(types.type_of("a.css", "x/y") == "text/css; charset=utf-8");
  CHECK(types.type_of("a.b", "x/y") == "x/y");
  CHECK(TypeTable("", "none", file).type_of("a.two", "x/y") == "text/x-two");
  CHECK(TypeTable("", "latin1", file).type_of("a.css", "x/y") == "text/css; charset=latin1");
  CHECK_THROWS_WITH(TypeTable("", "utf-8", "a/b c\ntypes {\n"),
                    Contains("types_file: line 2: \"types\" is not a media type"));
  std::string many = "a/b";
  for (std::size_t i = 0; i <= TypeTable::kFileTypesMax; ++i) many += " x" + std::to_string(i);
  CHECK_THROWS_WITH(TypeTable("", "utf-8", many), Contains("types_file: it has more than 16384 extensions"));
}

TEST_CASE("the table has a limit", "[type_table]") {
  std::string option;
  for (std::size_t i = 0; i < TypeTable::kTypesMax; ++i) option += "x" + std::to_string(i) + "=text/plain;";
  CHECK(TypeTable(option).type_of("a.x1023", "") == "text/plain; charset=utf-8");
  CHECK_THROWS_WITH(TypeTable(option + "y=text/plain"), Contains("more than 1024"));
  CHECK(TypeTable().empty());
  CHECK_FALSE(TypeTable("a=b/c").empty());
}

TEST_CASE("text types have the charset of the mount, or none", "[types]") {
  const TypeTable latin("md=text/x-md;log=text/plain;charset=utf-16", "iso-8859-1");
  CHECK(latin.type_of("a.html", "x/y") == "text/html; charset=iso-8859-1");
  CHECK(latin.type_of("a.JS", "x/y") == "text/javascript; charset=iso-8859-1");
  CHECK(latin.type_of("a.md", "x/y") == "text/x-md; charset=iso-8859-1");
  CHECK(latin.type_of("a.log", "x/y") == "text/plain; charset=utf-16");
  CHECK(latin.type_of("a.xml", "x/y") == "application/xml");
  CHECK(latin.type_of("a.svg", "x/y") == "image/svg+xml");
  CHECK(latin.type_of("a.png", "x/y") == "image/png");
  CHECK(latin.type_of("a.unknown", "x/y") == "x/y");
  const TypeTable none("md=text/x-md", "none");
  CHECK(none.type_of("a.html", "x/y") == "text/html");
  CHECK(none.type_of("a.md", "x/y") == "text/x-md");
  CHECK(TypeTable("", "UTF-8").type_of("a.html", "x/y") == "text/html; charset=utf-8");
  CHECK(TypeTable("", "UTF-8").empty());
  CHECK_THROWS_WITH(TypeTable("", "two words"),
                    Contains("is not a charset such as utf-8; write none for none"));
  CHECK_THROWS_WITH(TypeTable("", ""), Contains("charset"));
}
