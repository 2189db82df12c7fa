// What `sluice check` asks about a shared object, read from its tables (module/elf_file) without running any of
// its code. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace sluice::cli {

struct ElfSymbol {
  std::string name;
  bool defined = false;
  bool weak = false;
  bool unique = false;  // STB_GNU_UNIQUE
};

struct ElfImage {
  std::vector<ElfSymbol> symbols;   // the dynamic ones
  std::vector<std::string> needed;  // libraries, by the names in the file
  std::string run_path;             // the folders to look in first, separated by ':'
  bool hands_run_path_on = false;   // DT_RPATH: it holds for the libraries of these libraries, too
  bool executable_stack = false;
  bool text_relocations = false;
  bool static_tls = false;  // DF_STATIC_TLS
  bool debug_info = false;  // in the file, or linked to
};

// The error is one sentence about `file`. Every offset in the file is checked.
Result<ElfImage> read_elf(const std::string& path, const std::string& file);

}  // namespace sluice::cli
