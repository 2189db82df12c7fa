#include "lua/limited_state.h"

#include <stdexcept>
#include <string_view>

namespace sluice::lua {
namespace {

// Between two looks at the time and the memory. A single instruction may take some milliseconds, when it
// copies a text that is as large as the memory.
constexpr int kInstructions = 32;
// Unwinding an error takes a time that grows with the square of the depth.
constexpr std::ptrdiff_t kStackMax = 64 * 1024;

// "script.lua:7: " of the line that runs, or has called what runs, in a file of the script's author; an empty
// text if that cannot be told, because the caller has left its place by a tail call.
void push_place(lua_State* state) {
  lua_Debug at{};
  for (int level = 0; lua_getstack(state, level, &at) != 0; ++level) {
    lua_getinfo(state, "Sl", &at);
    if (at.currentline <= 0 || std::string_view(at.source) == kOwnChunk) continue;
    lua_pushfstring(state, "%s:%d: ", at.short_src, at.currentline);
    return;
  }
  lua_pushliteral(state, "");
}

int collect(lua_State* state) {
  lua_gc(state, LUA_GCCOLLECT, 0);
  return 0;
}

}  // namespace

struct LimitedState::Entered {
  Erased work;
  void* erased;
};

LimitedState::LimitedState(std::uint64_t memory_max)
    : state_(luaL_newstate()), memory_max_(memory_max), high_(memory_max - memory_max / 4) {
  if (state_ == nullptr) throw std::runtime_error("there is no memory for a state of LuaJIT");
  // lua_newstate takes no allocator on some platforms. So LuaJIT's own goes on, behind one that counts.
  allocator_ = lua_getallocf(state_, &allocator_data_);
  used_ = static_cast<std::uint64_t>(lua_gc(state_, LUA_GCCOUNT, 0)) * 1024;
  lua_setallocf(state_, &LimitedState::allocate, this);
  luaJIT_setmode(state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
}

LimitedState::~LimitedState() {
  lua_close(state_);
}

LimitedState& LimitedState::of(lua_State* state) {
  void* self = nullptr;
  lua_getallocf(state, &self);
  return *static_cast<LimitedState*>(self);
}

void* LimitedState::allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
  LimitedState& limited = *static_cast<LimitedState*>(self);
  if (block == nullptr) old_size = 0;
  if (new_size > old_size) {
    const std::uint64_t wanted = limited.used_ + (new_size - old_size);
    if (wanted > limited.memory_max_) return nullptr;
    if (wanted > limited.high_ && !limited.is_crowded_ && limited.late_.empty()) {
      // The next instruction calls the hook. Like a signal's handler, this may set it at any time.
      limited.is_crowded_ = true;
      lua_sethook(limited.state_, &LimitedState::hook, LUA_MASKCOUNT, 1);
    }
  }
  void* moved = limited.allocator_(limited.allocator_data_, block, old_size, new_size);
  if (moved == nullptr && new_size > 0) return nullptr;
  limited.used_ += new_size;
  limited.used_ -= limited.used_ < old_size ? limited.used_ : old_size;
  return moved;
}

void LimitedState::check_depth(lua_State* state) {
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  if (of(state).stack_ - here > kStackMax) luaL_error(state, "too many calls within each other");
}

void LimitedState::raise_late(lua_State* state) {
  LimitedState& limited = of(state);
  if (limited.late_.empty()) {
    push_place(state);
    limited.late_ = lua_tostring(state, -1);
    limited.late_ += "it takes more than ";
    limited.late_ += std::to_string(limited.time_ms_);
    limited.late_ += " ms of processor time: let it do less, or raise time_max";
    // From now on each instruction raises it, so that no pcall can go on behind it.
    lua_sethook(state, &LimitedState::hook, LUA_MASKCOUNT, 1);
  }
  lua_pushstring(state, limited.late_.c_str());
  lua_error(state);
  __builtin_unreachable();
}

void LimitedState::hook(lua_State* state, lua_Debug*) {
  LimitedState& limited = of(state);
  if (!limited.late_.empty() || limited.budget_.is_spent()) raise_late(state);
  if (!limited.is_crowded_) return;
  // LuaJIT does not collect when an allocation fails. So that garbage is not taken for what is in use, it is
  // collected before.
  lua_gc(state, LUA_GCCOLLECT, 0);
  limited.is_crowded_ = false;
  lua_sethook(state, &LimitedState::hook, LUA_MASKCOUNT, kInstructions);
  if (limited.used_ < limited.high_) return;
  push_place(state);
  lua_pushliteral(state, "it has not enough memory: let it keep less, or raise memory_max");
  lua_concat(state, 2);
  lua_error(state);
}

int LimitedState::enter(lua_State* state) {
  const Entered& entered = *static_cast<const Entered*>(lua_touserdata(state, 1));
  lua_settop(state, 0);
  entered.work(state, entered.erased);
  return 0;
}

void LimitedState::arm() {
  late_.clear();
  is_crowded_ = false;
  budget_.begin(time_ms_);
  lua_sethook(state_, &LimitedState::hook, LUA_MASKCOUNT, kInstructions);
}

std::string LimitedState::run_erased(std::uint64_t time_ms, Erased work, void* erased) {
  Entered entered{work, erased};
  stack_ = static_cast<const char*>(__builtin_frame_address(0));
  time_ms_ = time_ms;
  arm();
  const int status = lua_cpcall(state_, &LimitedState::enter, &entered);
  std::string error;
  if (status == LUA_ERRMEM) {
    error = "it has not enough memory: let it keep less, or raise memory_max";
  } else if (status != 0) {
    const bool is_text = lua_type(state_, -1) == LUA_TSTRING;
    error = is_text ? lua_tostring(state_, -1) : "it has raised an error that is no text";
    if (error.empty()) error = "it has raised an error without a text";
  }
  // A pcall may have caught it, and returned without one more instruction.
  if (!late_.empty()) error = late_;
  lua_settop(state_, 0);
  // The next call may use the same places of the stack, and so keep what is left in them.
  if (status == LUA_ERRMEM || used_ >= high_) lua_cpcall(state_, &collect, nullptr);
  return error;
}

}  // namespace sluice::lua
