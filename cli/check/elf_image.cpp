#include "check/elf_image.h"

#include <fcntl.h>

#include <string_view>

#include "base/mapped_file.h"
#include "base/unique_fd.h"
#include "module/elf_file.h"
#include "module/module_file.h"

namespace sluice::cli {
namespace {

void read_symbols(const ElfFile& elf, ElfImage& image) {
  for (const ElfFile::Symbol& symbol : elf.symbols()) {
    const unsigned bind = ELF64_ST_BIND(symbol.entry.st_info);
    if (bind == STB_LOCAL || symbol.name.empty()) continue;
    image.symbols.push_back({std::string(symbol.name), symbol.entry.st_shndx != SHN_UNDEF, bind == STB_WEAK,
                             bind == STB_GNU_UNIQUE});
  }
}

void read_dynamic(const ElfFile& elf, ElfImage& image) {
  image.needed = elf.texts_of(DT_NEEDED);
  const std::vector<std::string> run_paths = elf.texts_of(DT_RUNPATH);
  const std::vector<std::string> old_run_paths = elf.texts_of(DT_RPATH);
  image.hands_run_path_on = run_paths.empty() && !old_run_paths.empty();
  if (!run_paths.empty()) image.run_path = run_paths.back();
  if (image.hands_run_path_on) image.run_path = old_run_paths.back();
  const std::uint64_t flags = elf.dynamic_value(DT_FLAGS).value_or(0);
  image.text_relocations = (flags & DF_TEXTREL) != 0 || elf.dynamic_value(DT_TEXTREL);
  image.static_tls = (flags & DF_STATIC_TLS) != 0;
}

}  // namespace

Result<ElfImage> read_elf(const std::string& path, const std::string& file) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(file + " cannot be read: name a module that is there and may be read");
  const MappedFile mapped(fd.get());
  const auto checked = check_elf(mapped.bytes(), file);
  if (!checked) return Unexpected(checked.error());
  const ElfFile elf(mapped.bytes());
  const std::vector<Elf64_Phdr> segments = elf.segments();
  const std::vector<Elf64_Shdr> sections = elf.sections();
  if (!elf.is_whole() || segments.empty() || sections.empty())
    return fail(file + " is cut off or damaged: build it again");

  ElfImage image;
  image.executable_stack = true;  // the kernel's assumption for a file that does not say
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_GNU_STACK) image.executable_stack = (segment.p_flags & PF_X) != 0;
  }
  for (const Elf64_Shdr& section : sections) {
    const std::string_view name = elf.section_name(section);
    if (name == ".debug_info" || name == ".gnu_debuglink") image.debug_info = true;
  }
  read_symbols(elf, image);
  read_dynamic(elf, image);
  return image;
}

}  // namespace sluice::cli
