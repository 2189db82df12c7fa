// What a shared object says of itself in its ELF tables (elf(5)), read without running any of it.
//
// The tables that matter here are four, and their structs stand in <elf.h>: a library for reading them would be
// one more thing to install. Any thread.
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
  std::vector<std::string> needed;  // libraries, as they are named
  std::string run_path;             // where they are looked for first: folders with ':' between them
  bool hands_run_path_on = false;   // DT_RPATH, which holds for what these need, too
  bool executable_stack = false;
  bool text_relocations = false;
  bool static_tls = false;  // DF_STATIC_TLS
  bool debug_info = false;  // in it, or linked to
};

// The error is one sentence about `file`; every offset in it is checked.
Result<ElfImage> read_elf(const std::string& path, const std::string& file);

}  // namespace sluice::cli
