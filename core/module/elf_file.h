// Reads a shared object's tables (elf(5)) before it is loaded.
//
// The tables may be wrong: nothing beyond the bytes is read, and numbers may be misaligned. A view: the bytes
// have to outlive it.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class ElfFile {
 public:
  explicit ElfFile(std::string_view bytes) : bytes_(bytes), head_(read<Elf64_Ehdr>(0).value_or(Elf64_Ehdr{})) {}

  // Whether the file has all bytes that its tables name. Loading a file that was cut off ends in SIGBUS.
  bool is_whole() const;
  // Why the object would stay in memory after dlclose(3); null if it would not.
  const char* pin() const;
  // How many bytes of each thread's fixed block of thread-local storage the object takes while it is loaded
  // (initial-exec TLS); 0 for none.
  std::uint64_t static_tls() const;

  // The following are empty or nullopt if there is no such table.
  std::vector<Elf64_Phdr> segments() const;
  std::vector<Elf64_Shdr> sections() const;
  std::string_view content_of(const Elf64_Shdr& section) const {
    return section.sh_type == SHT_NOBITS ? std::string_view() : part(section.sh_offset, section.sh_size);
  }
  std::string_view content_of(const Elf64_Phdr& segment) const {
    return part(segment.p_offset, segment.p_filesz);
  }
  std::string_view section_name(const Elf64_Shdr& section) const;
  // What the dynamic linker sees of them.
  struct Symbol {
    Elf64_Sym entry{};
    std::string_view name;
  };
  std::vector<Symbol> symbols() const;
  // An entry of the dynamic section, and its offset in the file.
  struct DynamicEntry {
    std::uint64_t offset = 0;
    std::int64_t tag = DT_NULL;
    std::uint64_t value = 0;
  };
  std::vector<DynamicEntry> dynamic() const;
  std::optional<std::uint64_t> dynamic_value(std::int64_t tag) const;
  // The string table of the dynamic section.
  std::string_view dynamic_texts() const;
  // The texts of all entries of a tag: DT_NEEDED, DT_RUNPATH, ...
  std::vector<std::string> texts_of(std::int64_t tag) const;
  // The offset in the file of an address in the loaded object.
  std::optional<std::uint64_t> offset_of(std::uint64_t address) const;

  // nullopt if the value does not lie within the bytes.
  template <typename T>
  std::optional<T> read(std::uint64_t offset) const {
    if (!fits(offset, sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

 private:
  // The entries that begin here and take so many bytes; nothing where they do not all lie within.
  template <typename T>
  std::vector<T> table(std::uint64_t offset, std::uint64_t size) const {
    const std::string_view bytes = part(offset, size);
    std::vector<T> entries(bytes.size() / sizeof(T));
    if (!entries.empty()) std::memcpy(entries.data(), bytes.data(), entries.size() * sizeof(T));
    return entries;
  }
  bool fits(std::uint64_t offset, std::uint64_t size) const {
    return offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  std::string_view part(std::uint64_t offset, std::uint64_t size) const {
    return fits(offset, size) ? bytes_.substr(offset, size) : std::string_view();
  }

  std::string_view bytes_;
  Elf64_Ehdr head_;
};

// The text at this offset of a string table. It ends with the table if a zero is missing.
std::string_view text_at(std::string_view table, std::uint64_t offset);

}  // namespace sluice
