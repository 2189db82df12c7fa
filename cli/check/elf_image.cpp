#include "check/elf_image.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "module/module_file.h"

namespace sluice::cli {
namespace {

// The file's bytes. Reads outside of them give nothing.
class Reader {
 public:
  explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}

  std::string_view bytes() const { return bytes_; }
  std::string_view slice(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
    return std::string_view(bytes_).substr(offset, size);
  }
  template <typename Entry>
  std::optional<Entry> at(std::uint64_t offset) const {
    const std::string_view found = slice(offset, sizeof(Entry));
    if (found.empty()) return std::nullopt;
    Entry entry;
    std::memcpy(&entry, found.data(), sizeof(entry));
    return entry;
  }
  template <typename Entry>
  std::vector<Entry> table(std::uint64_t offset, std::uint64_t size) const {
    const std::string_view found = slice(offset, size);
    std::vector<Entry> entries(found.size() / sizeof(Entry));
    if (!entries.empty()) std::memcpy(entries.data(), found.data(), entries.size() * sizeof(Entry));
    return entries;
  }

 private:
  std::string bytes_;
};

std::string text_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  strings.remove_prefix(offset);
  return std::string(strings.substr(0, strings.find('\0')));
}

void read_symbols(const Reader& reader, const Elf64_Shdr& table, std::string_view strings, ElfImage& image) {
  for (const Elf64_Sym& entry : reader.table<Elf64_Sym>(table.sh_offset, table.sh_size)) {
    const unsigned bind = ELF64_ST_BIND(entry.st_info);
    std::string name = text_at(strings, entry.st_name);
    if (bind == STB_LOCAL || name.empty()) continue;
    image.symbols.push_back(
        {std::move(name), entry.st_shndx != SHN_UNDEF, bind == STB_WEAK, bind == STB_GNU_UNIQUE});
  }
}

void read_dynamic(const Reader& reader, const Elf64_Shdr& table, std::string_view strings, ElfImage& image) {
  for (const Elf64_Dyn& entry : reader.table<Elf64_Dyn>(table.sh_offset, table.sh_size)) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) image.needed.push_back(text_at(strings, entry.d_un.d_val));
    if (entry.d_tag == DT_RUNPATH || (entry.d_tag == DT_RPATH && image.run_path.empty())) {
      image.run_path = text_at(strings, entry.d_un.d_val);
      image.hands_run_path_on = entry.d_tag == DT_RPATH;
    }
    if (entry.d_tag == DT_TEXTREL || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0)) {
      image.text_relocations = true;
    }
    if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_STATIC_TLS) != 0) image.static_tls = true;
  }
}

}  // namespace

Result<ElfImage> read_elf(const std::string& path, const std::string& file) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return fail(file + " cannot be read: name a module that is there and may be read");
  std::ostringstream content;
  content << stream.rdbuf();
  const Reader reader(std::move(content).str());
  const auto elf = check_elf(reader.bytes(), file);
  if (!elf) return Unexpected(elf.error());
  const auto header = reader.at<Elf64_Ehdr>(0);
  const auto segments =
      reader.table<Elf64_Phdr>(header->e_phoff, std::uint64_t{header->e_phnum} * sizeof(Elf64_Phdr));
  const auto sections =
      reader.table<Elf64_Shdr>(header->e_shoff, std::uint64_t{header->e_shnum} * sizeof(Elf64_Shdr));
  if (segments.empty() || sections.empty()) return fail(file + " is cut off or damaged: build it again");

  ElfImage image;
  image.executable_stack = true;  // the kernel's assumption for a file that does not say
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_GNU_STACK) image.executable_stack = (segment.p_flags & PF_X) != 0;
  }
  const auto contents = [&](std::uint64_t index) {
    return index < sections.size() ? reader.slice(sections[index].sh_offset, sections[index].sh_size)
                                   : std::string_view();
  };
  const std::string_view names = contents(header->e_shstrndx);
  for (const Elf64_Shdr& section : sections) {
    const std::string name = text_at(names, section.sh_name);
    if (name == ".debug_info" || name == ".gnu_debuglink") image.debug_info = true;
    if (section.sh_type == SHT_DYNSYM) read_symbols(reader, section, contents(section.sh_link), image);
    if (section.sh_type == SHT_DYNAMIC) read_dynamic(reader, section, contents(section.sh_link), image);
  }
  return image;
}

}  // namespace sluice::cli
