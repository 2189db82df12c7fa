#include "lua/script.h"

#include <sluice/kit/request.h>

#include <algorithm>
#include <stdexcept>

#include "common/http/text.h"

namespace sluice::lua {
namespace {

// Of the file's own code, on a thread or at the start.
constexpr std::uint64_t kLoadMs = 500;
constexpr std::size_t kPrintedMax = 32;  // lines, in one call
constexpr std::size_t kLineMax = 1024;
// The server has less room for them. The same text may stand in many fields, so the state's memory is no bound.
constexpr std::size_t kFieldsMax = 64 * 1024;

void set(lua_State* state, const char* name, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
  lua_setfield(state, -2, name);
}

// A table with small letters as names. Lines of one name are joined, cookies as RFC 9113 section 8.2.3 does it.
void push_fields(lua_State* state, const Request& request) {
  lua_createtable(state, 0, static_cast<int>(request.field_count));
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    const Field& field = request.fields[i];
    luaL_Buffer name;
    luaL_buffinit(state, &name);
    for (std::size_t at = 0; at < field.name.size; ++at) luaL_addchar(&name, files::lower(field.name.data[at]));
    luaL_pushresult(&name);
    lua_pushvalue(state, -1);
    lua_rawget(state, -3);
    const bool is_further = lua_isnil(state, -1) == 0;
    if (is_further) lua_pushstring(state, field.id == FieldId::cookie ? "; " : ", ");
    lua_pushlstring(state, field.value.data, field.value.size);
    if (is_further) {
      lua_concat(state, 3);
    } else {
      lua_remove(state, -2);
    }
    lua_rawset(state, -3);
  }
}

using Parameters = std::optional<kit::Parameters>;

// The first value of each name; empty if the query is not well formed.
void push_parameters(lua_State* state, const Parameters& parameters) {
  lua_newtable(state);
  if (!parameters) return;
  for (const auto& [name, value] : *parameters) {
    lua_pushlstring(state, name.data(), name.size());
    lua_pushvalue(state, -1);
    lua_rawget(state, -3);
    const bool is_further = lua_isnil(state, -1) == 0;
    lua_pop(state, 1);
    if (is_further) {
      lua_pop(state, 1);
      continue;
    }
    lua_pushlstring(state, value.data(), value.size());
    lua_rawset(state, -3);
  }
}

void push_request(lua_State* state, const Asked& asked, const Parameters& parameters) {
  const Request& request = asked.request;
  lua_createtable(state, 0, 10);
  set(state, "method", request.method_name);
  set(state, "path", request.path);
  set(state, "mount", request.mount);
  set(state, "query", request.query);
  set(state, "authority", request.authority);
  set(state, "scheme", request.scheme);
  set(state, "client", asked.client);
  set(state, "body", asked.content);
  push_fields(state, request);
  lua_setfield(state, -2, "fields");
  push_parameters(state, parameters);
  lua_setfield(state, -2, "parameters");
}

std::string_view text_of(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  return {text, size};
}

bool is_text(lua_State* state, int index) {
  return lua_isstring(state, index) != 0;
}

void read_status(lua_State* state, ScriptAnswer& answer) {
  const lua_Number status = lua_tonumber(state, -1);
  if (lua_isnumber(state, -1) == 0 || !(status >= 200 && status <= 599))
    luaL_error(state, "the status of its answer is no number from 200 to 599");
  answer.status = static_cast<std::uint32_t>(status);
}

// The table of fields is at the top. A value is a text, or a list of them for several lines.
void read_fields(lua_State* state, ScriptAnswer& answer) {
  if (!lua_istable(state, -1)) luaL_error(state, "the fields of its answer are no table");
  std::size_t size = 0;
  for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
    if (lua_type(state, -2) != LUA_TSTRING) luaL_error(state, "a field of its answer has no name");
    const auto add = [&](int name) {
      if (!is_text(state, -1))
        luaL_error(state, "the field %s of its answer is no text", lua_tostring(state, name));
      size += text_of(state, name).size() + text_of(state, -1).size();
      if (size > kFieldsMax) luaL_error(state, "the fields of its answer have more than 64 KiB");
      answer.fields.emplace_back(text_of(state, name), text_of(state, -1));
    };
    if (!lua_istable(state, -1)) {
      add(-2);
      continue;
    }
    for (int i = 1;; ++i) {
      lua_rawgeti(state, -1, i);
      if (lua_isnil(state, -1)) break;
      add(-3);
      lua_pop(state, 1);
    }
    lua_pop(state, 1);
  }
}

void read_content(lua_State* state, ScriptAnswer& answer) {
  if (lua_isfunction(state, -1)) {
    lua_pushvalue(state, -1);
    answer.stream = luaL_ref(state, LUA_REGISTRYINDEX);
  } else if (is_text(state, -1)) {
    answer.content = text_of(state, -1);
  } else {
    luaL_error(state, "the body of its answer is neither a text nor a function");
  }
}

template <typename Read>
void read_member(lua_State* state, const char* name, Read read) {
  lua_getfield(state, -1, name);
  if (!lua_isnil(state, -1)) read();
  lua_pop(state, 1);
}

// What the function has returned is at the top. The stream comes last, because nobody would drop it if one of
// the others were wrong.
void read_answer(lua_State* state, ScriptAnswer& answer) {
  switch (lua_type(state, -1)) {
    case LUA_TNUMBER:
      return read_status(state, answer);
    case LUA_TSTRING:
      return read_content(state, answer);
    case LUA_TTABLE:
      read_member(state, "status", [&] { read_status(state, answer); });
      read_member(state, "fields", [&] { read_fields(state, answer); });
      read_member(state, "hand_over", [&] {
        if (!is_text(state, -1)) luaL_error(state, "the hand_over of its answer is no path");
        answer.hand_over = text_of(state, -1);
      });
      return read_member(state, "body", [&] { read_content(state, answer); });
    default:
      luaL_error(state,
                 "it has answered with a %s: return a text, a status, or a table with status, fields and body",
                 luaL_typename(state, -1));
  }
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Script::Script(const std::string& path, const std::string& text, const ScriptLimits& limits)
    : limits_(limits), state_(limits.memory_max) {
  // Errors name the file without its folder, because LuaJIT would cut long names.
  const std::string name = "=" + path.substr(path.rfind('/') + 1);
  const std::string folder = folder_of(path);
  const std::string error = state_.run(std::max(kLoadMs, limits.time_ms), [&](lua_State* state) {
    open_libraries(state, limits_.trust, folder, &Script::print, this);
    // Text, not bytecode.
    if (luaL_loadbufferx(state, text.data(), text.size(), name.c_str(), "t") != 0) lua_error(state);
    lua_call(state, 0, 1);
    if (!lua_isfunction(state, -1))
      luaL_error(state, "it returns no function: end it with 'return function(request) ... end'");
    function_ = luaL_ref(state, LUA_REGISTRYINDEX);
  });
  if (!error.empty()) throw std::runtime_error("the script " + path + " cannot be used: " + error);
}

// A line of what it says goes to the log; it may be called on a thread.
int Script::print(lua_State* state) {
  Script& self = *static_cast<Script*>(lua_touserdata(state, lua_upvalueindex(1)));
  if (self.printed_.size() < kPrintedMax) self.printed_.emplace_back(text_of(state, 1).substr(0, kLineMax));
  return 0;
}

std::string Script::call(const Asked& asked, ScriptAnswer& answer) {
  const Parameters parameters = kit::Parameters::parse(asked.request.query);
  std::string error = state_.run(limits_.time_ms, [&](lua_State* state) {
    lua_rawgeti(state, LUA_REGISTRYINDEX, function_);
    push_request(state, asked, parameters);
    lua_call(state, 1, 1);
    read_answer(state, answer);
  });
  if (!error.empty() && answer.stream) drop(*std::exchange(answer.stream, std::nullopt));
  return error;
}

std::string Script::next_piece(int stream, std::optional<std::string>& piece) {
  piece.reset();
  return state_.run(limits_.time_ms, [&](lua_State* state) {
    lua_rawgeti(state, LUA_REGISTRYINDEX, stream);
    lua_call(state, 0, 1);
    if (lua_isnil(state, -1)) return;
    if (!is_text(state, -1))
      luaL_error(state, "a piece of its body is a %s: give a text", luaL_typename(state, -1));
    piece = text_of(state, -1);
  });
}

void Script::drop(int stream) {
  luaL_unref(state_.state(), LUA_REGISTRYINDEX, stream);
}

}  // namespace sluice::lua
