// Reading the tables of shared objects, also misaligned and broken ones, and changing their library names.
#include "module/elf_file.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "module/module_file.h"
#include "support/temp_folder.h"
#include "swap/elf_edit.h"
#include "swap/own_libraries.h"

using namespace sluice;
using sluice::test::TempFolder;
namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string module_bytes(const std::string& name) {
  return content_of(std::string(SLUICE_TEST_MODULES) + "/" + name + ".so");
}

template <typename T>
void put(std::string& bytes, std::size_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

// Asks for everything; a sanitizer finds what is read beyond the end.
void read_everything(std::string_view bytes) {
  const ElfFile elf(bytes);
  elf.is_whole();
  elf.pin();
  elf.static_tls();
  elf.texts_of(DT_NEEDED);
  for (const ElfFile::Symbol& symbol : elf.symbols()) REQUIRE(symbol.name.size() <= bytes.size());
  for (const Elf64_Shdr& section : elf.sections()) {
    REQUIRE(elf.section_name(section).size() <= bytes.size());
    REQUIRE(elf.content_of(section).size() <= bytes.size());
  }
}

}  // namespace

TEST_CASE("misaligned tables are read", "[elf_file]") {
  std::string bytes = module_bytes("pinned");
  REQUIRE(ElfFile(bytes).pin() != nullptr);
  auto head = *ElfFile(bytes).read<Elf64_Ehdr>(0);
  const std::string sections = bytes.substr(head.e_shoff, head.e_shnum * sizeof(Elf64_Shdr));
  const std::string segments = bytes.substr(head.e_phoff, head.e_phnum * sizeof(Elf64_Phdr));
  if (bytes.size() % 2 == 0) bytes += 'x';
  head.e_shoff = bytes.size();
  bytes += sections + "xx";
  head.e_phoff = bytes.size();
  bytes += segments;
  put(bytes, 0, head);
  const ElfFile elf(bytes);
  CHECK(elf.is_whole());
  CHECK(elf.pin() == ElfFile(module_bytes("pinned")).pin());
  CHECK_FALSE(elf.dynamic().empty());
}

TEST_CASE("a file that is cut off is not whole, and nothing is read beyond its end", "[elf_file]") {
  const std::string bytes = module_bytes("with_library");
  CHECK(ElfFile(bytes).is_whole());
  for (std::size_t size = 0; size < bytes.size(); size += 61) {
    const std::string cut(bytes, 0, size);
    CHECK_FALSE(ElfFile(cut).is_whole());
    read_everything(cut);
  }
}

TEST_CASE("numbers that lead astray are not followed", "[elf_file]") {
  const std::string bytes = module_bytes("pinned");
  const auto head = *ElfFile(bytes).read<Elf64_Ehdr>(0);
  const std::pair<std::size_t, std::size_t> tables[] = {
      {0, sizeof(head)},
      {head.e_phoff, head.e_phnum * sizeof(Elf64_Phdr)},
      {head.e_shoff, head.e_shnum * sizeof(Elf64_Shdr)},
      {ElfFile(bytes).dynamic().front().offset, ElfFile(bytes).dynamic().size() * sizeof(Elf64_Dyn)},
  };
  for (const auto& [begin, size] : tables) {
    for (std::size_t at = begin; at < begin + size; at += sizeof(std::uint32_t)) {
      for (const std::uint32_t number : {~0U, 0x80000000U, static_cast<std::uint32_t>(bytes.size() - 1)}) {
        std::string crooked = bytes;
        put(crooked, at, number);
        read_everything(crooked);
      }
    }
  }
}

TEST_CASE("sections and symbols have names", "[elf_file]") {
  const std::string bytes = module_bytes("with_library");
  const ElfFile elf(bytes);
  const auto sections = elf.sections();
  CHECK(std::any_of(sections.begin(), sections.end(),
                    [&](const auto& section) { return elf.section_name(section) == ".dynsym"; }));
  const auto symbols = elf.symbols();
  const auto exported = std::find_if(symbols.begin(), symbols.end(),
                                     [](const auto& symbol) { return symbol.name == "sluice_module"; });
  REQUIRE(exported != symbols.end());
  CHECK(exported->entry.st_shndx != SHN_UNDEF);
}

TEST_CASE("initial-exec storage is recognised", "[elf_file]") {
  CHECK(ElfFile(module_bytes("bad/initial_exec")).static_tls() >= 600);
  CHECK(ElfFile(module_bytes("with_library")).static_tls() == 0);
}

TEST_CASE("library names and run paths can be replaced by longer ones", "[elf_edit]") {
  const std::string bytes = module_bytes("with_library");
  const std::string longer(300, 'x');
  const auto edited = edit_dynamic_texts(bytes, [&](std::int64_t tag, const std::string& text) {
    if (tag == DT_RUNPATH) return std::optional("/" + longer);
    return text == "libown.so.1" ? std::optional(longer) : std::nullopt;
  });
  REQUIRE(edited);
  const ElfFile elf(*edited);
  CHECK(elf.is_whole());
  CHECK(elf.texts_of(DT_RUNPATH) == Texts{"/" + longer});
  Texts needed = ElfFile(bytes).texts_of(DT_NEEDED);
  for (std::string& name : needed) {
    if (name == "libown.so.1") name = longer;
  }
  CHECK(elf.texts_of(DT_NEEDED) == needed);
  CHECK(*edit_dynamic_texts(bytes, [](std::int64_t, const std::string&) { return std::nullopt; }) == bytes);
}

TEST_CASE("a copy uses copies of the libraries beside the module", "[own_libraries]") {
  const TempFolder folder;
  const std::string modules = SLUICE_TEST_MODULES;
  fs::create_directories(folder / "at/lib");
  fs::create_directories(folder / "store");
  fs::copy_file(modules + "/own_one/libown.so.1", folder / "at/lib/libown.so.1");
  const auto tied = [&](const std::string& name, const Texts& origins) {
    const std::string copy = folder / ("store/" + name);
    fs::copy_file(modules + "/with_library.so", copy);
    REQUIRE(take_own_libraries(copy, "with_library.so", origins));
    return copy;
  };
  const std::string first = tied("with_library.1.so", {folder / "nowhere", folder / "at"});
  const std::string own = libraries_folder(first) + "/0-libown.so.1";
  CHECK(own == folder / "store/with_library.1.libs/0-libown.so.1");
  CHECK(ElfFile(content_of(own)).texts_of(DT_SONAME) == Texts{own});
  const auto module = ModuleFile::load(first, "with_library.so");
  REQUIRE(module);
  // A copy of the copy gets copies of its own.
  const std::string second = folder / "store/with_library.2.so";
  fs::copy_file(first, second);
  REQUIRE(take_own_libraries(second, "with_library.so", {}));
  fs::remove_all(libraries_folder(first));
  CHECK(ModuleFile::load(second, "with_library.so"));
}
