// How a worker is confined, as bits that it writes into its counters for `sluice status`. Pure; any process.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace sluice {

namespace confined {
inline constexpr std::uint64_t kFiles = 1;        // Landlock: only certain folders
inline constexpr std::uint64_t kTcp = 2;          // Landlock: no TCP of its own
inline constexpr std::uint64_t kScopes = 4;       // Landlock: no signals, no abstract sockets
inline constexpr std::uint64_t kCalls = 8;        // seccomp
inline constexpr std::uint64_t kNoNewCode = 16;   // memory that was written never becomes code
inline constexpr std::uint64_t kPrivileges = 32;  // no capabilities, and none by execve(2)
inline constexpr std::uint64_t kHidden = 64;      // from its own user
inline constexpr std::uint64_t kAll = 127;
}  // namespace confined

// The words for these bits, as `sluice status` shows them: "files", "tcp", ...
inline std::vector<std::string> confined_words(std::uint64_t bits) {
  constexpr const char* kWords[] = {"files", "tcp", "scopes", "calls", "no new code", "privileges", "hidden"};
  std::vector<std::string> words;
  for (unsigned i = 0; i < std::size(kWords); ++i) {
    if ((bits >> i & 1U) != 0) words.emplace_back(kWords[i]);
  }
  return words;
}

}  // namespace sluice
