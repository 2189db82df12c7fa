// Content of a request that has come and was not taken yet. Plain values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/kept_memory.h"

namespace sluice {

class Http2Content {
 public:
  // The memory stays within a few times what was not taken: once half of the text is used up, the rest moves to
  // its front. So a reader that never catches up costs a stream's window, and not the body.
  void append(std::string_view bytes) {
    if (used_ >= text_.size() - used_) {
      text_.erase(0, used_);
      used_ = 0;
    }
    text_.append(bytes);
  }
  // Valid until the next call.
  std::string_view rest() const { return std::string_view(text_).substr(used_); }
  // So many bytes of the rest were taken.
  void use(std::size_t size) { used_ += size; }
  // For another request: gives memory back beyond what usual ones need.
  void clear() {
    constexpr std::size_t kKeptMax = 16 * 1024;
    give_back_above(text_, kKeptMax);
    text_.clear();
    used_ = 0;
  }
  std::size_t capacity() const { return text_.capacity(); }

 private:
  std::string text_;
  std::size_t used_ = 0;
};

}  // namespace sluice
