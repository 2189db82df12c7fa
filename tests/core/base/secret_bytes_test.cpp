// Memory of private keys: in no core dump.
#include "base/secret_bytes.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

TEST_CASE("secret bytes are left out of core dumps", "[secret_bytes]") {
  auto bytes = std::move(*sluice::SecretBytes::make(5));
  std::memcpy(bytes.data(), "12345", 5);
  CHECK(bytes.view() == "12345");
  // The flags of its mapping (proc(5)): "dd" stands for MADV_DONTDUMP.
  std::ostringstream begin;
  begin << std::hex << reinterpret_cast<std::uintptr_t>(bytes.data()) << '-';
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  while (std::getline(maps, line) && !line.starts_with(begin.str())) continue;
  while (std::getline(maps, line) && !line.starts_with("VmFlags:")) continue;
  CHECK(line.find(" dd") != std::string::npos);
}
