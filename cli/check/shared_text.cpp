#include "check/shared_text.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace sluice::cli {

SharedText::SharedText(std::size_t size_max) : size_max_(size_max) {
  void* memory = ::mmap(nullptr, size_max + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  text_ = memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

SharedText::~SharedText() {
  if (text_ != nullptr) ::munmap(text_, size_max_ + 1);
}

void SharedText::set(std::string_view text) {
  if (text_ == nullptr) return;
  const std::size_t size = std::min(text.size(), size_max_);
  std::memcpy(text_, text.data(), size);
  text_[size] = '\0';
}

std::string SharedText::get() const {
  if (text_ == nullptr) return {};
  // A process that shares the memory may have overwritten its end, or may be writing now.
  std::string text(text_, size_max_);
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

}  // namespace sluice::cli
