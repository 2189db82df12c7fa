// Loads the libraries that a module needs, from where the loader finds them for the original file. The copies
// of the module lie elsewhere, so the $ORIGIN of their run path would name the wrong folder.
//
// The libraries stay loaded: for a process that ends soon.
#pragma once

#include <string>
#include <vector>

#include "check/elf_image.h"

namespace sluice::cli {

struct NeededLibrary {
  std::string name;
  void* handle = nullptr;  // null: the library is missing, or cannot be loaded
  std::string error;       // then the reason; empty if no library has that name
};

// Loads all of them, in the order of the file's table.
std::vector<NeededLibrary> load_needed(const ElfImage& image, const std::string& file);

// Loads only those that the loader would not find for a copy.
void load_beside(const ElfImage& image, const std::string& file);

}  // namespace sluice::cli
