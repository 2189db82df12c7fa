// A text that a child process writes. Its parent can read it even if the child has crashed.
//
// It is made before the fork. One process writes at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::cli {

class SharedText {
 public:
  // Longer texts are cut.
  explicit SharedText(std::size_t size_max);
  ~SharedText();
  SharedText(const SharedText&) = delete;
  SharedText& operator=(const SharedText&) = delete;

  // False when there was no memory; then the text stays empty.
  bool has_memory() const { return text_ != nullptr; }
  void set(std::string_view text);
  std::string get() const;

 private:
  std::size_t size_max_;
  char* text_;  // ends with a zero byte
};

}  // namespace sluice::cli
