// Configuration files: any text is read, or refused with sentences that name the file.
#include "config_file.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expect.h"

using namespace sluice::cli;
using sluice::fuzz::expect;

namespace {

void check(const std::vector<ConfigEntry>& entries) {
  for (const ConfigEntry& entry : entries) {
    expect(entry.place.starts_with("file.toml:"), "each key has a place");
    expect(entry.is_list || entry.values.size() == 1, "a key without a list has one value");
  }
}

void check(const ConfigSite& site) {
  check(site.entries);
  for (const ConfigMount& mount : site.mounts) check(mount.entries);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = parse_config({reinterpret_cast<const char*>(data), size}, "file.toml");
  if (!config) {
    expect(config.error().message.find("file.toml") != std::string::npos, "a refusal names the file");
    return 0;
  }
  check(config->server);
  for (const ConfigSite& site : config->sites) check(site);
  return 0;
}
