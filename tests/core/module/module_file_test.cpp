// Loading a module: refusals with a remedy, and a loaded module that can be unloaded again.
#include "module/module_file.h"

#include <elf.h>
#include <libintl.h>

#include <catch2/catch.hpp>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/child_process.h"
#include "support/temp_folder.h"

using namespace sluice;

namespace {

ModuleInfo good_info() {
  ModuleInfo info;
  info.layout = layout_stamp();
  info.name = "test";
  info.version = "1";
  info.summary = "A test";
  info.create = [](Host&) noexcept -> Handler* { return nullptr; };
  return info;
}

std::string refusal(const ModuleInfo& info) {
  const auto checked = check_abi(info, "test.so");
  return checked ? "" : checked.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A catalog of gettext with one translation (GNU gettext manual, "The Format of GNU MO Files").
std::string catalog(const std::string& original, const std::string& translation) {
  constexpr std::uint32_t kHeaderSize = 7 * 4;
  const auto sized = [](const std::string& text) { return static_cast<std::uint32_t>(text.size()); };
  const std::uint32_t texts = kHeaderSize + 2 * 8;
  const std::uint32_t words[] = {0x950412de,
                                 0,
                                 1,
                                 kHeaderSize,
                                 kHeaderSize + 8,
                                 0,
                                 0,  // no hash table
                                 sized(original),
                                 texts,
                                 sized(translation),
                                 texts + sized(original) + 1};
  return std::string(reinterpret_cast<const char*>(words), sizeof(words)) + original + '\0' + translation +
         '\0';
}

// Loads copies of a module that takes static TLS, until one is refused. The refusal's sentence.
std::string refusal_without_static_tls(const std::string& folder) {
  std::vector<std::shared_ptr<ModuleFile>> loaded;
  for (int i = 0; i < 1000; ++i) {
    const std::string path = folder + "/" + std::to_string(i) + ".so";
    std::filesystem::copy_file(SLUICE_TEST_MODULES "/bad/initial_exec.so", path);
    auto file = ModuleFile::load(path, "initial_exec.so");
    if (!file) return file.error().message;
    loaded.push_back(std::move(*file));
  }
  return {};
}

}  // namespace

TEST_CASE("used-up static TLS is recognised, also if a module has chosen another language", "[module_file]") {
  const bool translated = GENERATE(false, true);
  CAPTURE(translated);
  const test::TempFolder folder;
  std::filesystem::create_directories(folder / "xx/LC_MESSAGES");
  folder.write("xx/LC_MESSAGES/libc.mo",
               catalog("cannot allocate memory in static TLS block", "words of another language"));
  // In a child, because the memory is not given back.
  const auto why = run_in_child(
      [&] {
        if (translated) {
          ::setenv("LANGUAGE", "xx", 1);
          ::bindtextdomain("libc", folder.path.c_str());
          if (std::setlocale(LC_ALL, "C.UTF-8") == nullptr) return std::string("no locale");
        }
        return refusal_without_static_tls(folder.path);
      },
      60'000);
  REQUIRE(why);
  CAPTURE(*why);
  CHECK(contains(*why, "initial_exec.so cannot be loaded: "));
  CHECK(needs_fresh_process(*why));
  CHECK_FALSE(needs_fresh_process("initial_exec.so cannot be loaded: it is too large"));
}

TEST_CASE("a module is refused when it was built for another interface", "[module_file]") {
  CHECK(refusal(good_info()).empty());
  ModuleInfo info = good_info();
  info.abi_major = 2;
  CHECK(contains(refusal(info), "built for module ABI 2.2, this sluice speaks 1.2: build it again"));
  info = good_info();
  info.abi_minor = kAbiMinor + 1;
  CHECK(contains(refusal(info), "update sluice"));
  info = good_info();
  info.layout ^= 1;
  CHECK(contains(refusal(info), "in another way"));
  info = good_info();
  info.size = 24;
  CHECK(contains(refusal(info), "has an incomplete ModuleInfo"));
  info = good_info();
  info.name = "";
  CHECK(contains(refusal(info), "leaves out its name"));
  info = good_info();
  const std::string long_name(60, 'n');
  info.name = long_name.c_str();
  CHECK(contains(refusal(info), "has a name of more than 59 bytes: give SLUICE_MODULE a shorter one"));
  info = good_info();
  info.option_count = 1;
  CHECK(contains(refusal(info), "leaves out its name, version, summary, options"));
  // A filter makes no handler.
  info = good_info();
  info.create = nullptr;
  CHECK(contains(refusal(info), "leaves out its name, version, summary, options or create"));
  info.create_filter = [](Host&) noexcept -> Filter* { return nullptr; };
  CHECK(refusal(info).empty());
  // One that says it is older has no such member.
  info.size = offsetof(ModuleInfo, create_filter);
  CHECK(contains(refusal(info), "leaves out its name, version, summary, options or create"));
  // A module from before the last members existed.
  info = good_info();
  info.size = offsetof(ModuleInfo, create_shared);
  CHECK(refusal(info).empty());
}

TEST_CASE("a module is refused when one of its options is incomplete", "[module_file]") {
  OptionInfo options[2] = {{"first", OptionType::text, 0, "", "", nullptr}, {}};
  ModuleInfo info = good_info();
  info.options = options;
  info.option_count = 2;
  const OptionInfo complete{"second", OptionType::choice, 0, "a", "", nullptr};
  options[1] = complete;
  CHECK(refusal(info).empty());
  const char* OptionInfo::*const missing =
      GENERATE(&OptionInfo::name, &OptionInfo::fallback, &OptionInfo::help);
  options[1].*missing = nullptr;
  CHECK(contains(refusal(info), "name, fallback or help of its option number 2"));
}

TEST_CASE("only a shared object for this machine is loaded", "[module_file]") {
  Elf64_Ehdr elf{};
  std::memcpy(elf.e_ident, ELFMAG, SELFMAG);
  elf.e_ident[EI_CLASS] = ELFCLASS64;
#if defined(__x86_64__)
  elf.e_machine = EM_X86_64;
#else
  elf.e_machine = EM_AARCH64;
#endif
  elf.e_type = ET_DYN;
  const auto why = [&elf] {
    const auto checked = check_elf({reinterpret_cast<const char*>(&elf), sizeof(elf)}, "x.so");
    return checked ? std::string() : checked.error().message;
  };
  CHECK(why().empty());
  elf.e_machine = EM_MIPS;
  CHECK(contains(why(), "another kind of machine"));
  elf.e_type = ET_EXEC;
  elf.e_ident[0] = 'x';
  CHECK(contains(why(), "not a shared object"));
  CHECK_FALSE(check_elf("", "x.so"));
  CHECK_FALSE(check_elf("#!/bin/sh\n", "x.so"));
}

TEST_CASE("a module is mapped while it is used, and not after", "[module_file]") {
  const std::string path = std::string(SLUICE_TEST_PLUGINS) + "/hello.so";
  const auto mapped = [&path] {
    std::stringstream maps;
    maps << std::ifstream("/proc/self/maps").rdbuf();
    return contains(maps.str(), path);
  };
  auto module = ModuleFile::load(path, "hello.so");
  REQUIRE(module);
  CHECK(std::string((*module)->info().name) == "hello");
  CHECK(mapped());
  module->reset();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK_FALSE(mapped());  // sanitizers keep modules that they have instrumented
#endif
}

TEST_CASE("a file that cannot be loaded gives the reason", "[module_file]") {
  const auto why = [](const std::string& folder, const std::string& file) {
    const auto loaded = ModuleFile::load(folder + "/" + file, file);
    return loaded ? std::string() : loaded.error().message;
  };
  CHECK(contains(why(SLUICE_TEST_MODULES, "abi_wrong_major.so"), "was built for module ABI"));
  CHECK(contains(why(SLUICE_TEST_MODULES, "abi_no_symbol.so"), "exports no sluice_module"));
  CHECK(contains(why(SLUICE_TEST_MODULES, "nothing.so"), "cannot be read"));
  CHECK(contains(why(SLUICE_SOURCE, "README.md"), "not a shared object"));
}
