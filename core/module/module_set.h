// The modules that a worker has to have. The supervisor decides it and sends it to workers and trials, which
// make handlers of it. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct ModuleEntry {
  std::string file;  // its name in the folder: "hello.so"
  std::string path;  // its private copy
  std::uint32_t generation = 0;
  std::string name;           // as a trial has read it; empty before that
  std::string default_mount;  // as a trial has read it; empty for none
  bool closed = false;        // not loaded: its routes answer 503
  bool removed = false;       // its file is gone: it answers only where a mount names it
  std::string folder{};       // that the file is from

  bool operator==(const ModuleEntry&) const = default;
};

// The path of its file.
std::string origin_of(const ModuleEntry& entry);

using ModuleSet = std::vector<ModuleEntry>;  // sorted by file

std::string encode_modules(const ModuleSet& set);
ModuleSet decode_modules(std::string_view text);

}  // namespace sluice
