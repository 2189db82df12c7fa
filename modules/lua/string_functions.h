// find, match, gmatch and gsub of Lua's library of strings, with patterns that look at the time.
#pragma once

#include <lua.hpp>

namespace sluice::lua {

// Puts them into the table at the top of the stack. The state is that of a LimitedState, in its `run`.
void put_string_functions(lua_State* state);

}  // namespace sluice::lua
