// What modules may do beyond answering from memory and from the folders of their mounts, and the grammar of
// `--grant`. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sluice {

// Whether workers are confined.
enum class Confine : std::uint8_t {
  automatic,  // as far as the kernel can
  on,         // or the server does not start
  off,
};

struct Permissions {
  std::uint32_t needs = 0;             // the bits of ModuleInfo::needs that are granted
  std::vector<std::string> read;       // absolute paths of folders and files
  std::vector<std::string> write;      // the same
  std::vector<std::string> variables;  // of the environment

  bool has(std::uint32_t need) const { return (needs & need) != 0; }
  void add(const Permissions& more);
};

// What the administrator grants to a module.
struct Grant {
  std::string module;
  Permissions permissions;
};

// Parses NAME=WHAT[,WHAT...]. The error says what can be granted.
Result<Grant> parse_grant(std::string_view text);

// Whether the text is "auto", "on" or "off".
Result<Confine> parse_confine(std::string_view text);

// "network, write:DIR": how these bits are granted.
std::string needs_text(std::uint32_t needs);

// "network,write:/var/lib/notes": as it was granted; empty for nothing.
std::string permissions_text(const Permissions& permissions);

// What is granted to a module.
Permissions granted_to(const std::vector<Grant>& grants, std::string_view module);

}  // namespace sluice
