// The libraries that a module needs, loaded from where they are found for the file where it stands: its copies
// lie elsewhere, where the $ORIGIN of a run path leads astray.
//
// What is loaded stays: for a process that ends soon.
#pragma once

#include <string>
#include <vector>

#include "check/elf_image.h"

namespace sluice::cli {

struct NeededLibrary {
  std::string name;
  void* handle = nullptr;  // null: it is not there, or cannot be loaded
  std::string error;       // then why not; empty where there is none of that name
};

// All of them, in the order of the file's table.
std::vector<NeededLibrary> load_needed(const ElfImage& image, const std::string& file);

// Only those that the loader would not find for a copy.
void load_beside(const ElfImage& image, const std::string& file);

}  // namespace sluice::cli
