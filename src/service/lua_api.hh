#pragma once

struct lua_State;

namespace wakepath::service {

/// Make the global tables `wakepath` and `socket`. Raise Lua errors: to be called protected.
void open_wakepath(lua_State* state);
void open_socket(lua_State* state);

}  // namespace wakepath::service
