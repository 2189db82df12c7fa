// Names for the addresses of a backtrace, and the files that are opened for them.
#include "process/symbols.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;
namespace fs = std::filesystem;

namespace {

void* caller = nullptr;

int compare_and_look(const void* one, const void* other) {
  void* places[2] = {};
  if (::backtrace(places, 2) == 2) caller = places[1];
  return *static_cast<const int*>(one) - *static_cast<const int*>(other);
}

}  // namespace

TEST_CASE("an unknown address is written as it is", "[symbols]") {
  Snapshot::Frame frame;
  frame.offset = 0x1234;
  std::string("/nowhere/mine.so").copy(frame.object, sizeof(frame.object) - 1);
  CHECK(describe_frames({frame}, "/nowhere") == std::vector<std::string>{"#0 0x1234 in mine.so"});
}

TEST_CASE("a function without a name is not given its neighbour's", "[symbols]") {
  int numbers[] = {3, 1, 2};
  std::qsort(numbers, 3, sizeof(int),
             compare_and_look);  // called through a function that the library does not export
  Dl_info info{};
  REQUIRE(::dladdr(caller, &info) != 0);
  Snapshot::Frame frame;
  frame.offset = static_cast<std::uint64_t>(static_cast<char*>(caller) - static_cast<char*>(info.dli_fbase));
  const std::string library = fs::canonical(info.dli_fname);
  library.copy(frame.object, sizeof(frame.object) - 1);
  const std::string line = describe_frames({frame}, "/nowhere").at(0);
  const bool has_its_own = info.dli_saddr != nullptr && line.find("sort") != std::string::npos;
  CHECK((has_its_own || line.find("#0 0x") == 0));
}

TEST_CASE("only the program, the copies of modules and the system's libraries are opened for names",
          "[symbols]") {
  const TempFolder folder;
  fs::create_directory(folder / "copies");
  fs::copy_file(fs::path(SLUICE_TEST_PLUGINS) / "hello.so", folder / "copies/hello.1.so");
  fs::copy_file(fs::path(SLUICE_TEST_PLUGINS) / "hello.so", folder / "stray.so");
  Dl_info symbol{};
  void* loaded = ::dlopen((folder / "stray.so").c_str(), RTLD_NOW);
  REQUIRE(loaded != nullptr);
  void* address = ::dlsym(loaded, "sluice_module");
  REQUIRE(::dladdr(address, &symbol) != 0);
  const auto described = [&](const std::string& object) {
    Snapshot::Frame frame;
    frame.offset =
        static_cast<std::uint64_t>(static_cast<char*>(address) - static_cast<char*>(symbol.dli_fbase));
    object.copy(frame.object, sizeof(frame.object) - 1);
    return describe_frames({frame}, folder / "copies").at(0);
  };
  CHECK(described(folder / "copies/hello.1.so").find("#0 sluice_module") == 0);
  CHECK(described(folder / "stray.so").find("#0 0x") == 0);
  CHECK(described(folder / "copies/../stray.so").find("#0 0x") == 0);
  REQUIRE(::mkfifo((folder / "copies/fifo.so").c_str(), 0644) == 0);
  CHECK(described(folder / "copies/fifo.so").find("#0 0x") == 0);
  ::dlclose(loaded);
}

TEST_CASE("places are found in files without a table of addresses, as clang makes them", "[symbols]") {
  const TempFolder folder;
  const std::string copy = folder / "copies/tests.so";
  fs::create_directory(folder / "copies");
  const std::string self = fs::canonical("/proc/self/exe");
  REQUIRE(std::system(("objcopy --remove-section=.debug_aranges " + self + " " + copy).c_str()) == 0);
  Dl_info info{};
  void* address = reinterpret_cast<void*>(&compare_and_look);
  REQUIRE(::dladdr(address, &info) != 0);
  Snapshot::Frame frame;
  frame.offset = static_cast<std::uint64_t>(static_cast<char*>(address) - static_cast<char*>(info.dli_fbase));
  copy.copy(frame.object, sizeof(frame.object) - 1);
  const std::string line = describe_frames({frame}, folder / "copies").at(0);
  CHECK(line.find("compare_and_look(void const*, void const*) at symbols_test.cpp:") != std::string::npos);
}
