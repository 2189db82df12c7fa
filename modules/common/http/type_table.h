// The media types that a user adds to, or puts in place of, the built-in ones: the value of a mount option such
// as "wasm=application/wasm;md=text/markdown". Unchanging once made; any thread may look up. Owns its text.
//
// Pairs are separated by ';'. A type may be followed by its charset, "log=text/plain;charset=iso-8859-1"; types
// of text without one are said to be UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::files {

class TypeTable {
 public:
  static constexpr std::size_t kTypesMax = 1024;

  TypeTable() = default;
  // Throws std::runtime_error with a sentence for the person who configured it.
  explicit TypeTable(std::string_view text);

  // The Content-Type of a file by its name: the user's, else the built-in one (mime_types.h), else `fallback`.
  // The view lives as long as this table and `fallback`.
  std::string_view type_of(std::string_view path, std::string_view fallback) const;
  bool empty() const { return types_.empty(); }

 private:
  struct Type {
    std::string extension;  // in lower case
    std::string type;
    bool has_charset = false;
  };

  void add_pair(std::string_view extension, std::string_view type);
  void add_charset(std::string_view charset);
  void finish();

  std::vector<Type> types_;  // by extension
};

}  // namespace sluice::files
