// Shared objects: nothing beyond the bytes is read, whatever their tables say, and of a whole file the library
// names can be changed.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "expect.h"
#include "module/elf_file.h"
#include "swap/elf_edit.h"

using namespace sluice;
using fuzz::expect;

namespace {

void read_all(const ElfFile& elf, std::size_t size) {
  elf.pin();
  elf.static_tls();
  expect(elf.dynamic_texts().size() <= size, "the texts lie within the file");
  for (const ElfFile::DynamicEntry& entry : elf.dynamic())
    expect(entry.offset <= size && size - entry.offset >= sizeof(Elf64_Dyn), "an entry lies within the file");
  for (const std::int64_t tag : {DT_NEEDED, DT_SONAME, DT_RUNPATH})
    for (const std::string& text : elf.texts_of(tag)) expect(text.size() < size, "a text lies within the file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const ElfFile elf(bytes);
  read_all(elf, size);
  if (!elf.is_whole()) return 0;
  const auto same = edit_dynamic_texts(bytes, [](std::int64_t, const std::string&) { return std::nullopt; });
  expect(same && *same == bytes, "a file without changes stays as it is");
  const auto edited = edit_dynamic_texts(bytes, [](std::int64_t tag, const std::string& text) {
    return tag == DT_NEEDED ? std::optional("/elsewhere/" + text) : std::nullopt;
  });
  if (edited) read_all(ElfFile(*edited), edited->size());
  return 0;
}
