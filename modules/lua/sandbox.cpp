#include "lua/sandbox.h"

#include <string_view>

#include "lua/limited_state.h"
#include "lua/string_functions.h"

namespace sluice::lua {
namespace {

// load and its kin take bytecode, which can do anything. A finalizer, which newproxy and collectgarbage lead
// to, is called without hooks, and so has no bounds.
constexpr const char* kRemoved[] = {"dofile",   "loadfile",       "load",  "loadstring",
                                    "newproxy", "collectgarbage", "gcinfo"};
constexpr const char* kOfClock[] = {"clock", "date", "difftime", "time"};

// LuaJIT calls no hooks while the second function of its xpcall handles an error that a hook has raised. A sort
// calls them only in Lua. The others call back into Lua from C.
constexpr std::string_view kPrelude = R"(
local check_depth, write = ...
local pcall, select, tostring = pcall, select, tostring
local sort, concat, format = table.sort, table.concat, string.format
local resume, wrap = coroutine.resume, coroutine.wrap

local function handled(handler, ok, ...)
  if ok then return true, ... end
  return false, select(2, pcall(handler, ...))
end
function xpcall(call, handler, ...) return handled(handler, pcall(call, ...)) end

local function less(one, other) return one < other end
function table.sort(list, is_before)
  check_depth()
  return sort(list, is_before or less)
end
function string.format(...)
  check_depth()
  return format(...)
end
function coroutine.resume(...)
  check_depth()
  return resume(...)
end
function coroutine.wrap(call)
  local go_on = wrap(call)
  return function(...)
    check_depth()
    return go_on(...)
  end
end
function print(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
  write(concat(texts, "\t"))
end
)";

int check_depth(lua_State* state) {
  LimitedState::check_depth(state);
  return 0;
}

void open(lua_State* state, lua_CFunction library, const char* name) {
  lua_pushcfunction(state, library);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

void open_some(lua_State* state) {
  open(state, &luaopen_base, "");
  open(state, &luaopen_table, LUA_TABLIBNAME);
  open(state, &luaopen_string, LUA_STRLIBNAME);
  open(state, &luaopen_math, LUA_MATHLIBNAME);
  open(state, &luaopen_bit, LUA_BITLIBNAME);
  open(state, &luaopen_os, LUA_OSLIBNAME);
  for (const char* name : kRemoved) {
    lua_pushnil(state);
    lua_setglobal(state, name);
  }
  lua_getglobal(state, LUA_STRLIBNAME);
  lua_pushnil(state);
  lua_setfield(state, -2, "dump");
  lua_pop(state, 1);
  lua_getglobal(state, LUA_OSLIBNAME);
  lua_newtable(state);
  for (const char* name : kOfClock) {
    lua_getfield(state, -2, name);
    lua_setfield(state, -2, name);
  }
  lua_setglobal(state, LUA_OSLIBNAME);
  lua_pop(state, 1);
}

void open_all(lua_State* state, const std::string& folder) {
  luaL_openlibs(state);
  // Opening its library has switched the compiler on. It ends the worker where that may not make machine code.
  luaJIT_setmode(state, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_getglobal(state, LUA_JITLIBNAME);
  lua_pushnil(state);
  lua_setfield(state, -2, "on");
  lua_pop(state, 1);
  lua_getglobal(state, LUA_LOADLIBNAME);
  lua_pushfstring(state, "%s/?.lua", folder.c_str());
  lua_setfield(state, -2, "path");
  lua_pop(state, 1);
  lua_getglobal(state, "require");
  lua_pushliteral(state, "ffi");
  lua_call(state, 1, 1);
  lua_setglobal(state, "ffi");
}

}  // namespace

void open_libraries(lua_State* state, Trust trust, const std::string& folder, lua_CFunction print, void* data) {
  if (trust == Trust::full) {
    open_all(state, folder);
  } else {
    open_some(state);
  }
  lua_getglobal(state, LUA_STRLIBNAME);
  put_string_functions(state);
  lua_pop(state, 1);
  if (luaL_loadbuffer(state, kPrelude.data(), kPrelude.size(), kOwnChunk) != 0) lua_error(state);
  lua_pushcfunction(state, &check_depth);
  lua_pushlightuserdata(state, data);
  lua_pushcclosure(state, print, 1);
  lua_call(state, 2, 0);
}

}  // namespace sluice::lua
