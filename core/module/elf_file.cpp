#include "module/elf_file.h"

#include <algorithm>

namespace sluice {
namespace {

// Why a symbol keeps its object in memory; null if it does not.
const char* pinned_by(const Elf64_Sym& symbol, std::string_view name) {
  if (name.starts_with("__cxa_thread_atexit")) return "it has a thread_local with a destructor";
  if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE && symbol.st_shndx != SHN_UNDEF)
    return "it has unique symbols: build it with -fno-gnu-unique";
  return nullptr;
}

}  // namespace

std::string_view text_at(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  table.remove_prefix(offset);
  return table.substr(0, table.find('\0'));
}

bool ElfFile::is_whole() const {
  if (bytes_.size() < sizeof(Elf64_Ehdr) ||
      !fits(head_.e_shoff, std::uint64_t{head_.e_shnum} * sizeof(Elf64_Shdr)) ||
      !fits(head_.e_phoff, std::uint64_t{head_.e_phnum} * sizeof(Elf64_Phdr)))
    return false;
  const std::vector<Elf64_Phdr> all = segments();
  return std::all_of(all.begin(), all.end(),
                     [this](const Elf64_Phdr& segment) { return fits(segment.p_offset, segment.p_filesz); });
}

const char* ElfFile::pin() const {
  for (const Symbol& symbol : symbols()) {
    if (const char* why = pinned_by(symbol.entry, symbol.name)) return why;
  }
  return nullptr;
}

std::uint64_t ElfFile::static_tls() const {
  if ((dynamic_value(DT_FLAGS).value_or(0) & DF_STATIC_TLS) == 0) return 0;
  for (const Elf64_Phdr& segment : segments()) {
    if (segment.p_type == PT_TLS) return segment.p_memsz;
  }
  return 0;
}

std::vector<Elf64_Phdr> ElfFile::segments() const {
  return table<Elf64_Phdr>(head_.e_phoff, std::uint64_t{head_.e_phnum} * sizeof(Elf64_Phdr));
}

std::vector<Elf64_Shdr> ElfFile::sections() const {
  return table<Elf64_Shdr>(head_.e_shoff, std::uint64_t{head_.e_shnum} * sizeof(Elf64_Shdr));
}

std::string_view ElfFile::section_name(const Elf64_Shdr& section) const {
  const auto names = read<Elf64_Shdr>(head_.e_shoff + std::uint64_t{head_.e_shstrndx} * sizeof(Elf64_Shdr));
  return names ? text_at(content_of(*names), section.sh_name) : std::string_view();
}

std::vector<ElfFile::Symbol> ElfFile::symbols() const {
  const std::vector<Elf64_Shdr> all = sections();
  std::vector<Symbol> symbols;
  for (const Elf64_Shdr& section : all) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= all.size()) continue;
    const std::string_view names = content_of(all[section.sh_link]);
    for (const Elf64_Sym& entry : table<Elf64_Sym>(section.sh_offset, section.sh_size))
      symbols.push_back({entry, text_at(names, entry.st_name)});
    break;
  }
  return symbols;
}

std::vector<ElfFile::DynamicEntry> ElfFile::dynamic() const {
  std::vector<DynamicEntry> entries;
  for (const Elf64_Phdr& segment : segments()) {
    if (segment.p_type != PT_DYNAMIC) continue;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_filesz; at += sizeof(Elf64_Dyn)) {
      const auto entry = read<Elf64_Dyn>(segment.p_offset + at);
      if (!entry || entry->d_tag == DT_NULL) return entries;
      entries.push_back({segment.p_offset + at, entry->d_tag, entry->d_un.d_val});
    }
  }
  return entries;
}

std::optional<std::uint64_t> ElfFile::dynamic_value(std::int64_t tag) const {
  for (const DynamicEntry& entry : dynamic()) {
    if (entry.tag == tag) return entry.value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ElfFile::offset_of(std::uint64_t address) const {
  for (const Elf64_Phdr& segment : segments()) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  }
  return std::nullopt;
}

std::string_view ElfFile::dynamic_texts() const {
  const auto address = dynamic_value(DT_STRTAB);
  const auto size = dynamic_value(DT_STRSZ);
  const auto offset = address ? offset_of(*address) : std::nullopt;
  return offset && size ? part(*offset, *size) : std::string_view();
}

std::vector<std::string> ElfFile::texts_of(std::int64_t tag) const {
  const std::string_view table = dynamic_texts();
  std::vector<std::string> texts;
  for (const DynamicEntry& entry : dynamic()) {
    if (entry.tag == tag) texts.emplace_back(text_at(table, entry.value));
  }
  return texts;
}

}  // namespace sluice
