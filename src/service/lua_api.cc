// The table `wakepath` of a script. No frame here has anything to destroy: each of these functions may be left by
// longjmp.

#include "src/service/lua_api.hh"

#include <lua.hpp>

#include "src/service/lua_service.hh"
#include "src/service/runtime.hh"

namespace wakepath::service {

extern const char* const kSocketChannelLua;  // socketchannel.cc.in

std::string_view text_at(lua_State* state, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

void check_may_wait(lua_State* state) {
  if (!LuaService::of(state).may_wait(state) || lua_isyieldable(state) == 0)
    luaL_error(state, "only a coroutine that wakepath has made can wait here (see wakepath.fork)");
}

namespace {

int64_t seconds_to_ns(lua_Number seconds) {
  constexpr lua_Number kMost = 1e9;  // thirty years
  return seconds <= 0 ? 0 : static_cast<int64_t>((seconds < kMost ? seconds : kMost) * 1e9);
}

/// A handle, or a name that a service was launched with.
Handle service_at(lua_State* state, int index) {
  if (lua_type(state, index) == LUA_TNUMBER) return static_cast<Handle>(luaL_checkinteger(state, index));
  return LuaService::of(state).runtime().find(text_at(state, index));
}

int api_self(lua_State* state) {
  lua_pushinteger(state, LuaService::of(state).self());
  return 1;
}

int api_exit(lua_State* state) {
  LuaService& service = LuaService::of(state);
  service.runtime().kill(service.self());
  return 0;
}

int api_kill(lua_State* state) {
  const Handle handle = service_at(state, 1);
  lua_pushboolean(state, LuaService::of(state).runtime().kill(handle) == 0 ? 1 : 0);
  return 1;
}

int api_query(lua_State* state) {
  const Handle handle = service_at(state, 1);
  if (handle == 0) return 0;
  lua_pushinteger(state, handle);
  return 1;
}

int api_now(lua_State* state) {
  lua_pushnumber(state, static_cast<lua_Number>(LuaService::of(state).runtime().os().monotonic_ns()) / 1e9);
  return 1;
}

int api_log(lua_State* state) {
  const std::string_view text = text_at(state, 1);
  LuaService::of(state).log(text);
  return 0;
}

int api_memory(lua_State* state) {
  lua_pushinteger(state, static_cast<lua_Integer>(LuaService::of(state).memory()));
  return 1;
}

int api_sleep(lua_State* state) {
  const lua_Number seconds = luaL_checknumber(state, 1);
  check_may_wait(state);
  LuaService& service = LuaService::of(state);
  service.runtime().timeout(service.self(), service.wait_for_session(state), seconds_to_ns(seconds));
  return lua_yield(state, 0);
}

int api_timeout(lua_State* state) {
  const lua_Number seconds = luaL_checknumber(state, 1);
  luaL_checktype(state, 2, LUA_TFUNCTION);
  lua_settop(state, 2);
  const int reference = luaL_ref(state, LUA_REGISTRYINDEX);
  LuaService::of(state).call_after(seconds_to_ns(seconds), reference);
  return 0;
}

/// fork(f, ...): f(...) in a coroutine of its own, when this one waits or ends. Returns the coroutine.
int api_fork(lua_State* state) {
  luaL_checktype(state, 1, LUA_TFUNCTION);
  const int count = lua_gettop(state);
  lua_State* coroutine = lua_newthread(state);
  lua_pushvalue(state, -1);
  lua_rawsetp(state, LUA_REGISTRYINDEX, coroutine);
  lua_insert(state, 1);
  if (lua_checkstack(coroutine, count) == 0) return luaL_error(state, "too many arguments");
  lua_xmove(state, coroutine, count);
  LuaService::of(state).run_later(coroutine, count - 1);
  return 1;
}

int api_wait(lua_State* state) {
  check_may_wait(state);
  LuaService::of(state).wait_for_wakeup(state);
  return lua_yield(state, 0);
}

int api_wakeup(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTHREAD);
  lua_pushboolean(state, LuaService::of(state).wakeup(lua_tothread(state, 1)) ? 1 : 0);
  return 1;
}

int api_send(lua_State* state) {
  const Handle to = service_at(state, 1);
  const std::string_view text = text_at(state, 2);
  lua_pushboolean(state, LuaService::of(state).request(to, text, nullptr) != 0 ? 1 : 0);
  return 1;
}

int called(lua_State* state, int, lua_KContext) {
  if (lua_toboolean(state, -2) != 0) return 1;
  return lua_error(state);
}

/// The answer; raises the reason when there is none.
int api_call(lua_State* state) {
  const Handle to = service_at(state, 1);
  const std::string_view text = text_at(state, 2);
  check_may_wait(state);
  if (LuaService::of(state).request(to, text, state) == 0) return luaL_error(state, "call: there is no such service");
  return lua_yieldk(state, 0, 0, &called);
}

int api_ret(lua_State* state) {
  const std::string_view text = text_at(state, 1);
  lua_pushboolean(state, LuaService::of(state).answer(state, text, false) ? 1 : 0);
  return 1;
}

int api_dispatch(lua_State* state) {
  luaL_checktype(state, 1, LUA_TFUNCTION);
  lua_settop(state, 1);
  LuaService& service = LuaService::of(state);
  luaL_unref(state, LUA_REGISTRYINDEX, service.dispatch_reference());
  service.set_dispatch(luaL_ref(state, LUA_REGISTRYINDEX));
  return 0;
}

const luaL_Reg kFunctions[] = {
    {"self", &api_self},       {"exit", &api_exit}, {"kill", &api_kill},     {"query", &api_query},
    {"now", &api_now},         {"log", &api_log},   {"memory", &api_memory}, {"sleep", &api_sleep},
    {"timeout", &api_timeout}, {"fork", &api_fork}, {"wait", &api_wait},     {"wakeup", &api_wakeup},
    {"send", &api_send},       {"call", &api_call}, {"ret", &api_ret},       {"dispatch", &api_dispatch},
    {nullptr, nullptr},
};

/// What require("socketchannel") runs, the first time.
int load_socket_channel(lua_State* state) {
  const std::string_view source = kSocketChannelLua;
  if (luaL_loadbufferx(state, source.data(), source.size(), "@socketchannel.lua", "t") != LUA_OK)
    return lua_error(state);
  lua_call(state, 0, 1);
  return 1;
}

}  // namespace

void open_wakepath(lua_State* state) {
  luaL_newlib(state, kFunctions);
  lua_pushinteger(state, LuaService::of(state).port());
  lua_setfield(state, -2, "port");
  lua_setglobal(state, "wakepath");
  luaL_getsubtable(state, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(state, &load_socket_channel);
  lua_setfield(state, -2, "socketchannel");
  lua_pop(state, 1);
}

}  // namespace wakepath::service
