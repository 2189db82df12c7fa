// One version of a script: a file of Lua that returns a function, which is called with each request.
//
//     return function(request)
//       return "Good day, " .. request.path .. "\n"
//     end
//
// What the script keeps in its variables lives as long as this. One thread at a time.
#pragma once

#include <sluice/abi.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lua/limited_state.h"
#include "lua/sandbox.h"

namespace sluice::lua {

struct ScriptLimits {
  std::uint64_t time_ms = 50;  // processor time of one call
  std::uint64_t memory_max = 16 << 20;
  Trust trust = Trust::none;
};

// What a script is told.
struct Asked {
  const Request& request;
  std::string_view client;
  std::string_view content;
};

// What it has returned.
struct ScriptAnswer {
  std::uint32_t status = 200;
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<std::string> content;  // none: the server's own page, where there is no stream either
  std::optional<int> stream;           // a function that gives the content piece by piece
  std::string hand_over;               // another path that answers; empty for none
};

class Script {
 public:
  // Runs the file once. Throws std::runtime_error with a sentence, which names the line.
  Script(const std::string& path, const std::string& text, const ScriptLimits& limits);
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Each returns the error, with its line, or an empty text.
  std::string call(const Asked& asked, ScriptAnswer& answer);
  // The next piece of a stream; none at its end.
  std::string next_piece(int stream, std::optional<std::string>& piece);
  void drop(int stream);

  // What the script has printed since the last call of this.
  std::vector<std::string> take_printed() { return std::exchange(printed_, {}); }

 private:
  static int print(lua_State* state);

  const ScriptLimits limits_;
  std::vector<std::string> printed_;
  LimitedState state_;
  int function_ = 0;  // in the registry
};

}  // namespace sluice::lua
