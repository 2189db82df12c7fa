// What a script may call: the libraries of Lua, without those that reach out of it or around its bounds.
#pragma once

#include <lua.hpp>

#include <string>

namespace sluice::lua {

enum class Trust {
  none,  // base, string, table, math, bit, coroutine, and the clock of os
  full,  // io, os, package, debug, ffi and load as well: all that the worker may do
};

// Opens the libraries. `folder` is where require looks for files if it is there, and `print` is a function in C
// that takes one text, with `data` as its upvalue. In the `run` of a LimitedState.
void open_libraries(lua_State* state, Trust trust, const std::string& folder, lua_CFunction print, void* data);

}  // namespace sluice::lua
