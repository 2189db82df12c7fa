// A mount, and its grammar.
//
// Parsing looks up names of hosts, and touches no file or socket. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "settings/listen_address.h"

namespace sluice {

// One mount as a person wrote it: PREFIX=MODULE[:KEY=VALUE[,KEY=VALUE...]].
struct MountSpec {
  std::string prefix;  // begins and ends with '/'
  std::string module;
  // Options of the server: root=DIR, isolate=on and listen=ADDRESS. Of an isolated mount, only its own worker
  // answers, and only at its own address.
  std::optional<std::string> root;
  bool isolate = false;
  std::optional<ListenAddress> listen;                       // set if and only if isolate is
  std::vector<std::pair<std::string, std::string>> options;  // of the module, in the order written
};

// Does not check that the module and its options exist: loading the module does.
Result<MountSpec> parse_mount(std::string_view text);

}  // namespace sluice
