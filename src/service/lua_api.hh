#pragma once

#include <string_view>

struct lua_State;

namespace wakepath::service {

/// Make the global tables `wakepath` and `socket`. Raise Lua errors: to be called protected.
void open_wakepath(lua_State* state);
void open_socket(lua_State* state);

/// The string that the running function was given there; points into Lua. Raises a Lua error when there is none.
std::string_view text_at(lua_State* state, int index);
/// Raises a Lua error when the running function is not in a coroutine that may wait.
void check_may_wait(lua_State* state);

}  // namespace wakepath::service
