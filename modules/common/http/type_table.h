// Media types that a user adds to the built-in ones, or sets in place of them: the value of a mount option
// such as "wasm=application/wasm;md=text/markdown". It never changes once made; any thread may look up. Owns
// its text.
//
// ';' separates the pairs. A charset may follow a type: "log=text/plain;charset=iso-8859-1". Text types
// without one get that of the mount.
//
// A file in the format of /etc/mime.types may extend the built-in types, too: in each line a type and its
// extensions, with blanks between them; '#' begins a comment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::files {

class TypeTable {
 public:
  static constexpr std::size_t kTypesMax = 1024;
  static constexpr std::size_t kFileTypesMax = 16'384;  // with those of the option

  TypeTable() = default;
  static constexpr std::string_view kUsualCharset = "utf-8";
  static constexpr std::string_view kNoCharset = "none";

  // Of text types, `charset` takes the place of UTF-8. Other types that have one, as XML, then have none,
  // because their content says it. Throws std::runtime_error with a sentence for the person who wrote the
  // options.
  // `file` is the content of a file of types.
  explicit TypeTable(std::string_view text, std::string_view charset = kUsualCharset,
                     std::string_view file = {});

  // The Content-Type of a file by its name: the option's, else the file's, else the built-in one
  // (mime_types.h), else `fallback`. The view is valid as long as this table and `fallback` are.
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
  void add_usual(std::string_view charset);
  void add_file(std::string_view file, std::string_view charset);
  void finish(std::string_view charset);

  std::vector<Type> types_;  // by extension
};

}  // namespace sluice::files
