// A shared object's own tables (elf(5)), for who decides about it before it is loaded.
//
// Whatever stands in them may be wrong: nothing beyond the bytes is read, and no number is taken from a place
// that may be crooked. A view: the bytes have to outlive it.
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

  // All that its tables name is there. Loading one that was cut off is a SIGBUS.
  bool is_whole() const;
  // What would keep it in memory for good; null for nothing.
  const char* pin() const;
  // How much thread-local storage of each thread's fixed block it takes for as long as it is loaded
  // (initial-exec TLS); 0 for none.
  std::uint64_t static_tls() const;

  // What follows is empty or zero where there is no such table.
  std::vector<Elf64_Phdr> segments() const;
  // Each entry of the dynamic section with its place in the file.
  struct DynamicEntry {
    std::uint64_t offset = 0;
    std::int64_t tag = DT_NULL;
    std::uint64_t value = 0;
  };
  std::vector<DynamicEntry> dynamic() const;
  std::optional<std::uint64_t> dynamic_value(std::int64_t tag) const;
  // The texts that dynamic entries name, and where they lie.
  std::string_view dynamic_texts() const;
  // All texts of entries of this tag: DT_NEEDED, DT_RUNPATH, ...
  std::vector<std::string> texts_of(std::int64_t tag) const;
  // Where an address of the loaded object comes from.
  std::optional<std::uint64_t> offset_of(std::uint64_t address) const;

  // Nothing where it does not lie within.
  template <typename T>
  std::optional<T> read(std::uint64_t offset) const {
    if (!fits(offset, sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

 private:
  bool fits(std::uint64_t offset, std::uint64_t size) const {
    return offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  std::string_view part(std::uint64_t offset, std::uint64_t size) const {
    return fits(offset, size) ? bytes_.substr(offset, size) : std::string_view();
  }

  std::string_view bytes_;
  Elf64_Ehdr head_;
};

// The text at this place of a table, as far as the table goes.
std::string_view text_at(std::string_view table, std::uint64_t offset);

}  // namespace sluice
