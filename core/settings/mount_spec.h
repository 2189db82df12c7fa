// A mount of a handler, or the place of a filter, and their grammar.
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

using WrittenOptions = std::vector<std::pair<std::string, std::string>>;

// A mount as a person meant it.
struct MountSpec {
  std::string prefix;  // begins and ends with '/'
  std::string module;
  // Options of the server: root=DIR, isolate=on and listen=ADDRESS. Of an isolated mount, only its own worker
  // answers, and only at its own address.
  std::optional<std::string> root;
  bool isolate = false;
  std::optional<ListenAddress> listen;  // set if and only if isolate is
  // Of the module, in the order written. One with several items stands here once for each.
  WrittenOptions options;
  std::string site_name{};  // before the prefix on a command line; empty for the default site
  bool filter = false;      // the module stands before all that answers below the prefix
};

// Parses [NAME]PREFIX=MODULE[:KEY=VALUE[,KEY=VALUE...]]. Does not check that the module and its options exist:
// loading the module does.
Result<MountSpec> parse_mount(std::string_view text);

// The same for a mount whose parts are known. `subject` begins the sentences of errors: "the mount /docs/".
Result<MountSpec> make_mount(const std::string& subject, std::string_view prefix, std::string_view module,
                             const WrittenOptions& options);

// The same for the place of a filter, which has no worker of its own.
Result<MountSpec> parse_filter(std::string_view text);
Result<MountSpec> make_filter(const std::string& subject, std::string_view prefix, std::string_view module,
                              const WrittenOptions& options);

}  // namespace sluice
