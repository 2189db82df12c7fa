#include "swap/elf_edit.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "module/elf_file.h"

namespace sluice {
namespace {

// The largest page of this architecture, so that the segment can be mapped on any machine of it.
#if defined(__aarch64__)
constexpr std::uint64_t kPage = 0x10000;
#else
constexpr std::uint64_t kPage = 0x1000;
#endif

constexpr std::uint64_t whole_pages(std::uint64_t size) {
  return (size + kPage - 1) / kPage * kPage;
}

template <typename T>
void write(std::string& bytes, std::uint64_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

bool is_edited(std::int64_t tag) {
  return tag == DT_NEEDED || tag == DT_SONAME || tag == DT_RPATH || tag == DT_RUNPATH;
}

// The index of a PT_NOTE segment, which is not needed to run. It has to follow all PT_LOAD segments, because
// those have to be in order of their addresses.
std::optional<std::size_t> dispensable(const std::vector<Elf64_Phdr>& segments) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].p_type == PT_LOAD) found.reset();
    if (segments[i].p_type == PT_NOTE && !found) found = i;
  }
  return found;
}

// The segment that an earlier edit has added: it has only the texts, and is the end of the file.
std::optional<std::size_t> edited_before(const std::vector<Elf64_Phdr>& segments, std::uint64_t texts_address,
                                         std::size_t file_size) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Elf64_Phdr& segment = segments[i];
    if (segment.p_type == PT_LOAD && segment.p_flags == PF_R && segment.p_vaddr == texts_address &&
        segment.p_offset + segment.p_filesz == file_size)
      return i;
  }
  return std::nullopt;
}

// A new segment for the texts, behind all others in the file and in memory.
Elf64_Phdr text_segment(const std::vector<Elf64_Phdr>& segments, std::size_t file_size) {
  std::uint64_t end = 0;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) end = std::max(end, segment.p_vaddr + segment.p_memsz);
  }
  Elf64_Phdr added{};
  added.p_type = PT_LOAD;
  added.p_flags = PF_R;
  added.p_offset = whole_pages(file_size);
  added.p_vaddr = added.p_paddr = whole_pages(end);
  added.p_align = kPage;
  return added;
}

// Symbol versions (DT_VERNEED) name their library, too.
void edit_versions(std::string& bytes, const std::map<std::string, std::uint32_t>& renamed) {
  const ElfFile elf(bytes);
  const std::string_view texts = elf.dynamic_texts();
  const auto address = elf.dynamic_value(DT_VERNEED);
  const auto first = address ? elf.offset_of(*address) : std::nullopt;
  if (!first) return;
  std::uint64_t offset = *first;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> changes;
  for (std::uint64_t left = elf.dynamic_value(DT_VERNEEDNUM).value_or(0); left > 0; --left) {
    const auto need = elf.read<Elf64_Verneed>(offset);
    if (!need) break;
    if (const auto found = renamed.find(std::string(text_at(texts, need->vn_file))); found != renamed.end())
      changes.emplace_back(offset + offsetof(Elf64_Verneed, vn_file), found->second);
    if (need->vn_next == 0) break;
    offset += need->vn_next;
  }
  for (const auto& [at, text] : changes) write(bytes, at, text);
}

}  // namespace

Result<std::string> edit_dynamic_texts(std::string bytes, const TextEdit& edit) {
  const ElfFile before(bytes);
  std::string texts(before.dynamic_texts());
  std::vector<std::pair<std::uint64_t, std::uint64_t>> values;  // offsets and new values of dynamic entries
  std::map<std::string, std::uint32_t> renamed;
  const std::vector<ElfFile::DynamicEntry> entries = before.dynamic();
  for (const ElfFile::DynamicEntry& entry : entries) {
    if (!is_edited(entry.tag)) continue;
    const std::string text(text_at(before.dynamic_texts(), entry.value));
    const auto other = edit(entry.tag, text);
    if (!other) continue;
    if (entry.tag == DT_NEEDED) renamed[text] = static_cast<std::uint32_t>(texts.size());
    values.emplace_back(entry.offset, texts.size());
    texts.append(*other).push_back('\0');
  }
  if (values.empty()) return bytes;
  const std::vector<Elf64_Phdr> segments = before.segments();
  const auto known = edited_before(segments, before.dynamic_value(DT_STRTAB).value_or(0), bytes.size());
  const auto place = known ? known : dispensable(segments);
  if (!place) return fail("has no room for other library paths: link it with --build-id");
  Elf64_Phdr added = known ? segments[*known] : text_segment(segments, bytes.size());
  added.p_filesz = added.p_memsz = texts.size();
  const auto head = *before.read<Elf64_Ehdr>(0);
  for (const ElfFile::DynamicEntry& entry : entries) {
    if (entry.tag == DT_STRTAB) values.emplace_back(entry.offset, added.p_vaddr);
    if (entry.tag == DT_STRSZ) values.emplace_back(entry.offset, texts.size());
  }
  edit_versions(bytes, renamed);
  for (const auto& [at, value] : values) write(bytes, at + offsetof(Elf64_Dyn, d_un), value);
  write(bytes, head.e_phoff + *place * sizeof(Elf64_Phdr), added);
  bytes.resize(added.p_offset, '\0');
  bytes += texts;
  return bytes;
}

}  // namespace sluice
