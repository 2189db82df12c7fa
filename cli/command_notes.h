// What the helps of commands and their manual pages say below the options. Constant text.
#pragma once

namespace sluice::cli {

inline constexpr const char* kProgramFooter = R"(Start here:
  sluice serve             serve static/ and dynamic/ of this folder at port 8080
  sluice modules           list the modules, and the options of each
  sluice new handler NAME  begin a handler of your own
  sluice check FILE.so     find out what is wrong with it
  sluice serve --help      list everything that can be set
  sluice status            show what the running server does
  sluice explain URL       ask it what it answers, and why)";

inline constexpr const char* kCheckFooter =
    R"(The module is loaded, sent requests and swapped in child processes, so that a
crash is a finding, too. Exits with 0 when nothing is wrong; advice is allowed.

Examples:
  sluice check plugins.d/mine.so
  sluice check mine.so --option limit=10 --request 'list?day=1' --root site)";

inline constexpr const char* kExplainFooter =
    R"(The request goes through sites, filters and handlers as a client's would, except
that nothing is sent and no access log has it: handlers do what they do for it.
With --config FILE, workers are started for this one request, as the user that
the file names; they listen nowhere.

An isolated mount answers when the URL has the port of its address, or when no
address has the port and no other mount has a longer prefix of the path.

Examples:
  sluice explain https://example.org/docs/
  sluice explain --config /etc/sluice/sluice.toml https://example.org/docs/
  sluice explain HEAD /app.js -H 'Accept-Encoding: br' --from 192.0.2.7)";

// `sluice module` has two commands below it.
inline constexpr const char* kModuleHelp = "Switch a module of the running server on or off";

}  // namespace sluice::cli
