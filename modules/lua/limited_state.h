// A state of LuaJIT with bounds: for the memory that it has, and for the processor time of each call.
//
// The memory is counted by the state's allocator. The time is looked at by a debug hook, every few
// instructions. Compiled code calls no hooks, so the compiler is off, and code is interpreted; a confined
// worker could not make machine code anyway. Functions in C that call back into Lua ask check_depth, because
// the C stack has no other bound, and those that can take long ask check_time.
//
// Errors of Lua leave C++ functions without destroying their variables, on some platforms. So what is called
// in `run` keeps all that has a destructor outside of it.
//
// One thread at a time.
#pragma once

#include <lua.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "lua/time_budget.h"

namespace sluice::lua {

// The name of a chunk that is this module's own, so errors do not name its lines.
inline constexpr const char* kOwnChunk = "=sluice";

class LimitedState {
 public:
  // Throws std::runtime_error if there is no memory for it.
  explicit LimitedState(std::uint64_t memory_max);
  LimitedState(const LimitedState&) = delete;
  LimitedState& operator=(const LimitedState&) = delete;
  ~LimitedState();

  // Calls `work(lua_State*)`, and what it calls in Lua, for at most that time. Returns the error that has ended
  // it, with the line, or an empty text.
  template <typename Work>
  std::string run(std::uint64_t time_ms, Work work) {
    return run_erased(
        time_ms, [](lua_State* state, void* erased) { (*static_cast<Work*>(erased))(state); }, &work);
  }

  // For Lua values that are kept between two calls.
  lua_State* state() const { return state_; }
  std::uint64_t memory() const { return used_; }

  // For functions in C.
  static LimitedState& of(lua_State* state);
  bool is_time_spent() { return budget_.is_spent(); }
  // Each raises an error of Lua if there is too much of it.
  static void check_depth(lua_State* state);
  [[noreturn]] static void raise_late(lua_State* state);

 private:
  using Erased = void (*)(lua_State*, void*);
  struct Entered;

  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size);
  static void hook(lua_State* state, lua_Debug* where);
  static int enter(lua_State* state);
  std::string run_erased(std::uint64_t time_ms, Erased work, void* erased);
  void arm();

  lua_State* state_;
  lua_Alloc allocator_ = nullptr;  // LuaJIT's own
  void* allocator_data_ = nullptr;
  const std::uint64_t memory_max_;
  const std::uint64_t high_;  // from here on, garbage is collected at once
  bool is_crowded_ = false;   // the next hook does so
  std::uint64_t used_ = 0;
  TimeBudget budget_;
  std::uint64_t time_ms_ = 0;
  std::string late_;             // the error, if the budget of this call is spent
  const char* stack_ = nullptr;  // where the C stack was when the call began
};

}  // namespace sluice::lua
