#include "modules_command.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::cli;

namespace {

ModuleReport make_module(const std::string& name, const std::string& summary) {
  ModuleReport module;
  module.file = name + ".so";
  module.name = name;
  module.version = "1.0.0";
  module.summary = summary;
  module.default_mount = "/" + name + "/";
  module.abi_major = 1;
  return module;
}

ModuleReport make_broken(const std::string& file, const std::string& error) {
  ModuleReport module;
  module.file = file;
  module.error = error;
  return module;
}

TEST_CASE("modules are listed in columns, long texts on more lines") {
  ModuleReport files =
      make_module("static_sendfile", "Serves files straight from the page cache to the socket");
  files.default_mount.clear();
  files.options = {
      {"index", OptionType::text, "index.html", "The file that answers for a folder", ""},
      {"inline_max", OptionType::size, "8k", "", ""},
      {"order", OptionType::choice, "name", "How listings are sorted", "name|size"},
  };
  const std::string text = format_modules({make_module("hello", "Says hello"), files});
  CHECK(text ==
        "NAME             VERSION  ABI  MOUNT    SUMMARY\n"
        "hello            1.0.0    1.0  /hello/  Says hello\n"
        "static_sendfile  1.0.0    1.0  -        Serves files straight from the page\n"
        "                                        cache to the socket\n"
        "    index=index.html  text       The file that answers for a folder\n"
        "    inline_max=8k     size\n"
        "    order=name        name|size  How listings are sorted\n");
}

TEST_CASE("modules that cannot be loaded come last, with the reason") {
  const std::string text =
      format_modules({make_broken("a.so", "it is no shared library"), make_module("hello", "Says hello")});
  CHECK(text ==
        "NAME   VERSION  ABI  MOUNT    SUMMARY\n"
        "hello  1.0.0    1.0  /hello/  Says hello\n"
        "\n"
        "a.so cannot be loaded:\n"
        "    it is no shared library\n");
  CHECK(format_modules({make_broken("a.so", "it is no shared library")}) ==
        "a.so cannot be loaded:\n"
        "    it is no shared library\n");
}

TEST_CASE("of several folders, each module's is told") {
  ModuleReport module = make_module("hello", "Says hello");
  module.folder = "/etc/sluice/plugins.d";
  CHECK(format_modules({module}, true) ==
        "NAME   VERSION  ABI  MOUNT    SUMMARY\n"
        "hello  1.0.0    1.0  /hello/  Says hello\n"
        "    from /etc/sluice/plugins.d\n");
}

TEST_CASE("a cell that is wider than its column widens only its own row") {
  ModuleReport module = make_module("hello", "Says hello");
  module.options = {
      {"a", OptionType::number, "1", "Short", ""},
      {"long", OptionType::text, "a default that is much longer than others", "Long", ""},
  };
  CHECK(format_modules({module}) ==
        "NAME   VERSION  ABI  MOUNT    SUMMARY\n"
        "hello  1.0.0    1.0  /hello/  Says hello\n"
        "    a=1                         number  Short\n"
        "    long=a default that is much longer than others  text\n"
        "                                        Long\n");
}

}  // namespace
