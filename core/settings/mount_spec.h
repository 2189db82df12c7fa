// A mount, and the grammar in which a person writes it.
//
// Touches no file and no socket, and looks up no more than names of hosts. Any thread.
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
  std::optional<std::string> root;  // the option root=DIR, which is the server's own
  // isolate=on,listen=ADDRESS, the server's own, too: a worker of its own answers there, and nobody elsewhere.
  bool isolate = false;
  std::optional<ListenAddress> listen;                       // exactly where it is isolated
  std::vector<std::pair<std::string, std::string>> options;  // the module's, in the order written
};

// The module and its options are not looked up: their names are checked when the module is loaded.
Result<MountSpec> parse_mount(std::string_view text);

}  // namespace sluice
