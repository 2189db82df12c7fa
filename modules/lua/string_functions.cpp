#include "lua/string_functions.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "lua/limited_state.h"
#include "lua/pattern_match.h"

namespace sluice::lua {
namespace {

bool is_spent(void* limited) {
  return static_cast<LimitedState*>(limited)->is_time_spent();
}

std::string_view text_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

// A search for one pattern in one text. It has no destructor, because errors of Lua may pass over it.
struct Search {
  std::string_view text;
  std::string_view pattern;
  bool is_anchored = false;
  alignas(PatternMatch) unsigned char place[sizeof(PatternMatch)];
  PatternMatch* match = nullptr;

  // What the matcher throws becomes an error of Lua only when no variable of C++ is left.
  template <typename Work>
  const char* guarded(lua_State* state, Work work) {
    const char* why = nullptr;
    bool is_late = false;
    const char* result = nullptr;
    try {
      result = work();
    } catch (const WrongPattern& wrong) {
      why = wrong.why;
    } catch (const TimeIsSpent&) {
      is_late = true;
    }
    if (is_late) LimitedState::raise_late(state);
    if (why != nullptr) luaL_error(state, "%s", why);
    return result;
  }
  // `anchors`: whether a ^ at the beginning is one.
  void begin(lua_State* state, bool anchors) {
    is_anchored = anchors && !pattern.empty() && pattern.front() == '^';
    guarded(state, [&]() -> const char* {
      match = new (place) PatternMatch(text, pattern, &is_spent, &LimitedState::of(state));
      return nullptr;
    });
  }
  const char* at(lua_State* state, const char* from) {
    return guarded(state, [&] { return match->at(from, pattern.data() + (is_anchored ? 1 : 0)); });
  }
  // The first match at `from` or behind; `from` is then where it begins.
  const char* first(lua_State* state, const char*& from) {
    for (;; ++from) {
      const char* end = at(state, from);
      if (end != nullptr || is_anchored || from >= match->end()) return end;
    }
  }
};

void push_capture(lua_State* state, const PatternMatch& match, int index) {
  const PatternMatch::Capture& capture = match.capture(index);
  if (capture.size == PatternMatch::kPosition) {
    lua_pushinteger(state, capture.begin - match.begin() + 1);
  } else if (capture.size < 0) {
    luaL_error(state, "the pattern has a ( without its )");
  } else {
    lua_pushlstring(state, capture.begin, static_cast<std::size_t>(capture.size));
  }
}

int push_captures(lua_State* state, const PatternMatch& match) {
  luaL_checkstack(state, match.captures(), "there are too many captures");
  for (int index = 0; index < match.captures(); ++index) push_capture(state, match, index);
  return match.captures();
}

// The captures, or the whole match where the pattern has none.
int push_found(lua_State* state, const PatternMatch& match, const char* from, const char* end) {
  if (match.captures() > 0) return push_captures(state, match);
  lua_pushlstring(state, from, static_cast<std::size_t>(end - from));
  return 1;
}

// The third argument: from 1, or from the end with a negative number.
const char* begin_at(lua_State* state, std::string_view text) {
  const lua_Integer given = luaL_optinteger(state, 3, 1);
  const auto size = static_cast<lua_Integer>(text.size());
  return text.data() + std::clamp<lua_Integer>(given < 0 ? size + given : given - 1, 0, size);
}

int find_plain(lua_State* state, std::string_view text, std::string_view wanted, const char* from) {
  const std::string_view rest = text.substr(static_cast<std::size_t>(from - text.data()));
  // Not std::string_view::find, whose time grows with the product of both sizes.
  const void* found = wanted.empty() ? from : memmem(rest.data(), rest.size(), wanted.data(), wanted.size());
  if (found == nullptr) {
    lua_pushnil(state);
    return 1;
  }
  const std::ptrdiff_t begin = static_cast<const char*>(found) - text.data();
  lua_pushinteger(state, begin + 1);
  lua_pushinteger(state, begin + static_cast<std::ptrdiff_t>(wanted.size()));
  return 2;
}

int find_or_match(lua_State* state, bool finds) {
  Search search;
  search.text = text_at(state, 1);
  search.pattern = text_at(state, 2);
  const char* from = begin_at(state, search.text);
  const bool is_plain = search.pattern.find_first_of("^$*+?.([%-") == std::string_view::npos;
  if (finds && (is_plain || lua_toboolean(state, 4) != 0))
    return find_plain(state, search.text, search.pattern, from);
  search.begin(state, true);
  const char* end = search.first(state, from);
  if (end == nullptr) {
    lua_pushnil(state);
    return 1;
  }
  if (!finds) return push_found(state, *search.match, from, end);
  lua_pushinteger(state, from - search.text.data() + 1);
  lua_pushinteger(state, end - search.text.data());
  return 2 + push_captures(state, *search.match);
}

int find(lua_State* state) {
  return find_or_match(state, true);
}

int match(lua_State* state) {
  return find_or_match(state, false);
}

// Upvalues: the text, the pattern, and where to go on.
int next_match(lua_State* state) {
  Search search;
  search.text = text_at(state, lua_upvalueindex(1));
  search.pattern = text_at(state, lua_upvalueindex(2));
  const auto done = static_cast<std::size_t>(lua_tointeger(state, lua_upvalueindex(3)));
  if (done > search.text.size()) return 0;
  search.begin(state, false);
  const char* from = search.text.data() + done;
  const char* end = search.first(state, from);
  if (end == nullptr) return 0;
  lua_pushinteger(state, end - search.text.data() + (end == from ? 1 : 0));
  lua_replace(state, lua_upvalueindex(3));
  return push_found(state, *search.match, from, end);
}

int gmatch(lua_State* state) {
  text_at(state, 1);
  text_at(state, 2);
  lua_settop(state, 2);
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, &next_match, 3);
  return 1;
}

// The third argument of gsub, a text: %1 stands for a capture, %0 for the whole match, %% for itself.
void add_text(lua_State* state, luaL_Buffer& out, const PatternMatch& match, const char* from,
              const char* end) {
  const std::string_view text = text_at(state, 3);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      luaL_addchar(&out, text[i]);
      continue;
    }
    const char name = text[++i];
    if (name < '0' || name > '9') {
      luaL_addchar(&out, name);
    } else if (name == '0' || (name == '1' && match.captures() == 0)) {
      luaL_addlstring(&out, from, static_cast<std::size_t>(end - from));
    } else {
      if (name - '1' >= match.captures()) luaL_error(state, "the pattern has no capture %%%c", name);
      push_capture(state, match, name - '1');
      luaL_addvalue(&out);
    }
  }
}

// What takes the place of a match: by a text, a table or a function. nil and false leave it as it is.
void add_replacement(lua_State* state, luaL_Buffer& out, const PatternMatch& match, const char* from,
                     const char* end) {
  const int type = lua_type(state, 3);
  if (type == LUA_TSTRING || type == LUA_TNUMBER) return add_text(state, out, match, from, end);
  if (type == LUA_TTABLE) {
    if (match.captures() > 0) {
      push_capture(state, match, 0);
    } else {
      lua_pushlstring(state, from, static_cast<std::size_t>(end - from));
    }
    lua_gettable(state, 3);
  } else {
    lua_pushvalue(state, 3);
    const int count = push_found(state, match, from, end);
    lua_call(state, count, 1);
  }
  if (lua_toboolean(state, -1) == 0) {
    lua_pop(state, 1);
    lua_pushlstring(state, from, static_cast<std::size_t>(end - from));
  } else if (lua_isstring(state, -1) == 0) {
    luaL_error(state, "the replacement is a %s: give a text", luaL_typename(state, -1));
  }
  luaL_addvalue(&out);
}

int gsub(lua_State* state) {
  LimitedState::check_depth(state);
  Search search;
  search.text = text_at(state, 1);
  search.pattern = text_at(state, 2);
  const int type = lua_type(state, 3);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TTABLE && type != LUA_TFUNCTION)
    return luaL_argerror(state, 3, "give a text, a table or a function");
  const lua_Number most = luaL_optnumber(state, 4, static_cast<lua_Number>(search.text.size()) + 1);
  lua_settop(state, 3);
  search.begin(state, true);
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  const char* here = search.text.data();
  lua_Number count = 0;
  while (count < most) {
    const char* end = search.at(state, here);
    if (end != nullptr) {
      ++count;
      add_replacement(state, out, *search.match, here, end);
      if (LimitedState::of(state).is_time_spent()) LimitedState::raise_late(state);
    }
    if (end != nullptr && end > here) {
      here = end;
    } else if (here < search.match->end()) {
      luaL_addchar(&out, *here++);
    } else {
      break;
    }
    if (search.is_anchored) break;
  }
  luaL_addlstring(&out, here, static_cast<std::size_t>(search.match->end() - here));
  luaL_pushresult(&out);
  lua_pushnumber(state, count);
  return 2;
}

constexpr luaL_Reg kFunctions[] = {{"find", &find}, {"match", &match}, {"gmatch", &gmatch}, {"gsub", &gsub}};

}  // namespace

void put_string_functions(lua_State* state) {
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace sluice::lua
