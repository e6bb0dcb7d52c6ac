// The table `socket` of a script. No frame of a C function here has anything to destroy: each may be left by longjmp.
// What needs strings and the like of C++ is done by the noexcept functions above them, which call nothing of Lua.

#include <algorithm>
#include <cstring>
#include <lua.hpp>
#include <system_error>

#include "src/service/lua_api.hh"
#include "src/service/lua_service.hh"
#include "src/service/runtime.hh"

namespace wakepath::service {

namespace {

using server::Opened;
using server::SocketId;

// ---- without Lua

LuaSocket* find(LuaService& service, SocketId id) noexcept {
  const auto found = service.socket_table().find(id);
  return found == service.socket_table().end() ? nullptr : &found->second;
}

LuaSocket& enter(LuaService& service, SocketId id) noexcept { return service.socket_table()[id]; }

Opened open_listener(LuaService& service, std::string_view host, uint16_t port, int backlog) noexcept {
  return service.runtime().listen(service.self(), std::string(host), port, {.backlog = backlog, .nodelay = true});
}

Opened open_connection(LuaService& service, std::string_view host, uint16_t port) noexcept {
  return service.sockets().connect(service.self(), std::string(host), port);
}

/// The first address of that name.
bool address_of(LuaService& service, std::string_view host, uint16_t port, os::SocketAddress& address) noexcept {
  const auto parsed = os::SocketAddress::parse(host, port);
  if (parsed) return address = *parsed, true;
  std::vector<os::SocketAddress> addresses;
  if (service.runtime().os().resolve(std::string(host), port, SOCK_DGRAM, false, addresses) < 0) return false;
  if (!addresses.empty()) address = addresses.front();
  return !addresses.empty();
}

int send_datagram(LuaService& service, SocketId id, std::string_view to, std::string_view data) noexcept {
  const auto address = os::SocketAddress::unpack(to);
  if (!address) return -EINVAL;
  return service.sockets().udp_send(id, *address, server::Payload::borrowed(data));
}

/// A short text for people, in memory that stays.
struct Short {
  char text[128];
};

template <class Make>
Short short_of(Make make) noexcept {
  Short out{};
  const std::string text = make();
  std::memcpy(out.text, text.data(), std::min(text.size(), sizeof out.text - 1));
  return out;
}

Short error_text(int error) noexcept {
  return short_of([&] { return std::generic_category().message(-error); });
}

void resume_reading(LuaService& service, SocketId id, LuaSocket& socket) noexcept {
  if (!socket.paused || socket.rest().size() > LuaSocket::kPauseAt / 2) return;
  socket.paused = false;
  service.sockets().start(service.self(), id);
}

// ---- C functions

SocketId id_at(lua_State* state, int index) { return static_cast<SocketId>(luaL_checkinteger(state, index)); }

uint16_t port_at(lua_State* state, int index) {
  const lua_Integer port = luaL_checkinteger(state, index);
  luaL_argcheck(state, port >= 0 && port <= 65'535, index, "a port is 0 to 65535");
  return static_cast<uint16_t>(port);
}

int fail(lua_State* state, int error) {
  const Short text = error_text(error);
  lua_pushnil(state);
  lua_pushstring(state, text.text);
  return 2;
}

int result_of(lua_State* state, int error) {
  if (error < 0) return fail(state, error);
  lua_pushboolean(state, 1);
  return 1;
}

int socket_listen(lua_State* state) {
  const std::string_view host = text_at(state, 1);
  const uint16_t port = port_at(state, 2);
  const auto backlog = static_cast<int>(luaL_optinteger(state, 3, 128));
  LuaService& service = LuaService::of(state);
  const Opened opened = open_listener(service, host, port, backlog);
  if (opened.error < 0) return fail(state, opened.error);
  enter(service, opened.id).listener = true;
  lua_pushinteger(state, static_cast<lua_Integer>(opened.id));
  lua_pushinteger(state, opened.address.port);
  return 2;
}

void keep_function(lua_State* state, int index, int& reference) {
  luaL_checktype(state, index, LUA_TFUNCTION);
  lua_pushvalue(state, index);
  const int kept = luaL_ref(state, LUA_REGISTRYINDEX);
  luaL_unref(state, LUA_REGISTRYINDEX, reference);
  reference = kept;
}

/// start(listener, f): f(id, address) in a coroutine of its own for each connection. start(id): begins to read.
int socket_start(lua_State* state) {
  LuaService& service = LuaService::of(state);
  const SocketId id = id_at(state, 1);
  LuaSocket& socket = enter(service, id);  // a connection may have been accepted by another service
  if (!lua_isnoneornil(state, 2)) keep_function(state, 2, socket.on_accept);
  socket.paused = false;
  service.sockets().start(service.self(), id);
  lua_pushboolean(state, 1);
  return 1;
}

int connected(lua_State* state, int, lua_KContext context) {
  LuaService& service = LuaService::of(state);
  const auto id = static_cast<SocketId>(context);
  if (lua_toboolean(state, -1) != 0) {
    lua_pushinteger(state, static_cast<lua_Integer>(id));
    return 1;
  }
  const LuaSocket* socket = find(service, id);
  lua_pushnil(state);
  lua_pushstring(state, socket == nullptr ? "closed" : socket->why.c_str());
  service.socket_table().erase(id);
  return 2;
}

int socket_connect(lua_State* state) {
  const std::string_view host = text_at(state, 1);
  const uint16_t port = port_at(state, 2);
  check_may_wait(state);
  LuaService& service = LuaService::of(state);
  const Opened opened = open_connection(service, host, port);
  if (opened.error < 0) return fail(state, opened.error);
  LuaSocket& socket = enter(service, opened.id);
  socket.waiter = state;
  socket.want = {.kind = LuaWant::Kind::open};
  service.waits();
  return lua_yieldk(state, 0, static_cast<lua_KContext>(opened.id), &connected);
}

/// What is there, or what comes: one text; at the end nil and what is left.
int read_want(lua_State* state, const LuaWant& want) {
  LuaService& service = LuaService::of(state);
  const SocketId id = id_at(state, 1);
  LuaSocket* socket = find(service, id);
  if (socket == nullptr) return fail(state, -EBADF);
  if (socket->waiter != nullptr) return luaL_error(state, "another coroutine reads from this socket");
  const auto slice = slice_of(*socket, want);
  if (!slice && !socket->closed) {
    check_may_wait(state);
    if (socket->paused) {
      socket->paused = false;
      service.sockets().start(service.self(), id);
    }
    socket->want = want;
    socket->waiter = state;
    service.waits();
    return lua_yield(state, 0);
  }
  if (want.kind == LuaWant::Kind::ready) {
    lua_pushboolean(state, slice ? 1 : 0);
    return 1;
  }
  const bool all = want.kind == LuaWant::Kind::all;
  if (!slice && !all) lua_pushnil(state);
  const std::string_view text = slice ? slice->text : socket->rest();
  lua_pushlstring(state, text.data(), text.size());
  socket->consume(slice ? slice->used : text.size());
  resume_reading(service, id, *socket);
  return slice || all ? 1 : 2;
}

int socket_read(lua_State* state) {
  if (lua_isnoneornil(state, 2)) return read_want(state, {});
  const lua_Integer bytes = luaL_checkinteger(state, 2);
  luaL_argcheck(state, bytes >= 0, 2, "a number of bytes is not negative");
  return read_want(state, {.kind = LuaWant::Kind::bytes, .bytes = static_cast<size_t>(bytes)});
}

int socket_readline(lua_State* state) {
  size_t size = 0;
  const char* separator = luaL_optlstring(state, 2, "\n", &size);
  luaL_argcheck(state, size > 0 && size <= LuaWant::kLongestSeparator, 2, "a separator has 1 to 15 bytes");
  LuaWant want{.kind = LuaWant::Kind::line, .separator_size = static_cast<uint8_t>(size)};
  std::memcpy(want.separator, separator, size);
  return read_want(state, want);
}

int socket_readall(lua_State* state) { return read_want(state, {.kind = LuaWant::Kind::all}); }
int socket_block(lua_State* state) { return read_want(state, {.kind = LuaWant::Kind::ready}); }

int write_with(lua_State* state, server::Priority priority) {
  const SocketId id = id_at(state, 1);
  if (lua_istable(state, 2)) {
    luaL_Buffer buffer;
    luaL_buffinit(state, &buffer);
    const auto count = static_cast<lua_Integer>(lua_rawlen(state, 2));
    for (lua_Integer i = 1; i <= count; ++i) {
      lua_rawgeti(state, 2, i);
      if (lua_isstring(state, -1) == 0) return luaL_error(state, "write: piece %d is no text", static_cast<int>(i));
      luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    lua_replace(state, 2);
  }
  const std::string_view text = text_at(state, 2);
  return result_of(state, LuaService::of(state).sockets().send(id, server::Payload::borrowed(text), priority));
}

int socket_write(lua_State* state) { return write_with(state, server::Priority::high); }
int socket_lwrite(lua_State* state) { return write_with(state, server::Priority::low); }

/// Whoever waits for it gets nil. What was accepted before is forgotten, and so is the id.
void forget(lua_State* state, LuaService& service, SocketId id) {
  LuaSocket* socket = find(service, id);
  if (socket == nullptr) return;
  for (const int reference : {socket->on_accept, socket->on_close, socket->on_warning, socket->on_datagram})
    luaL_unref(state, LUA_REGISTRYINDEX, reference);
  if (socket->waiter != nullptr) {
    lua_pushnil(socket->waiter);
    service.run_later(socket->waiter, 1);
  }
  service.socket_table().erase(id);
}

int socket_close(lua_State* state) {
  LuaService& service = LuaService::of(state);
  const SocketId id = id_at(state, 1);
  forget(state, service, id);
  service.sockets().close(id);
  return 0;
}

int socket_shutdown(lua_State* state) {
  LuaService& service = LuaService::of(state);
  const SocketId id = id_at(state, 1);
  forget(state, service, id);
  service.sockets().shutdown(id);
  return 0;
}

int socket_finish(lua_State* state) {
  LuaService::of(state).sockets().finish(id_at(state, 1));
  return 0;
}

/// No more data is read until start(). What has been read already can still be taken.
int socket_pause(lua_State* state) {
  LuaService& service = LuaService::of(state);
  const SocketId id = id_at(state, 1);
  if (LuaSocket* socket = find(service, id)) socket->paused = true;
  service.sockets().pause(id);
  return 0;
}

int socket_nodelay(lua_State* state) {
  return result_of(state, LuaService::of(state).sockets().nodelay(id_at(state, 1)));
}

int socket_limit(lua_State* state) {
  const auto bytes = static_cast<size_t>(luaL_checkinteger(state, 2));
  if (LuaSocket* socket = find(LuaService::of(state), id_at(state, 1))) socket->limit = bytes;
  return 0;
}

int socket_onclose(lua_State* state) {
  LuaSocket* socket = find(LuaService::of(state), id_at(state, 1));
  if (socket == nullptr) return fail(state, -EBADF);
  keep_function(state, 2, socket->on_close);
  return 0;
}

int socket_warning(lua_State* state) {
  LuaSocket* socket = find(LuaService::of(state), id_at(state, 1));
  if (socket == nullptr) return fail(state, -EBADF);
  keep_function(state, 2, socket->on_warning);
  return 0;
}

int socket_invalid(lua_State* state) {
  lua_pushboolean(state, find(LuaService::of(state), id_at(state, 1)) == nullptr ? 1 : 0);
  return 1;
}

int socket_disconnected(lua_State* state) {
  const LuaSocket* socket = find(LuaService::of(state), id_at(state, 1));
  lua_pushboolean(state, socket == nullptr || socket->closed ? 1 : 0);
  return 1;
}

// ---- UDP: f(id, data, from) in a coroutine for each datagram; `from` is for sendto() and udp_address()

int datagram_socket(lua_State* state, bool dial) {
  luaL_checktype(state, 1, LUA_TFUNCTION);
  const std::string_view host = text_at(state, 2);
  const uint16_t port = port_at(state, 3);
  LuaService& service = LuaService::of(state);
  os::SocketAddress address;
  if (!address_of(service, host, port, address)) return fail(state, -ENOENT);
  const Opened opened =
      dial ? service.sockets().udp_dial(service.self(), address) : service.sockets().udp(service.self(), address);
  if (opened.error < 0) return fail(state, opened.error);
  keep_function(state, 1, enter(service, opened.id).on_datagram);
  lua_pushinteger(state, static_cast<lua_Integer>(opened.id));
  lua_pushinteger(state, opened.address.port);
  return 2;
}

int socket_udp(lua_State* state) { return datagram_socket(state, false); }
int socket_udp_dial(lua_State* state) { return datagram_socket(state, true); }

int socket_udp_connect(lua_State* state) {
  const SocketId id = id_at(state, 1);
  const std::string_view host = text_at(state, 2);
  LuaService& service = LuaService::of(state);
  os::SocketAddress address;
  if (!address_of(service, host, port_at(state, 3), address)) return fail(state, -ENOENT);
  return result_of(state, service.sockets().udp_connect(id, address));
}

int socket_sendto(lua_State* state) {
  const std::string_view to = text_at(state, 2);
  return result_of(state, send_datagram(LuaService::of(state), id_at(state, 1), to, text_at(state, 3)));
}

int socket_udp_address(lua_State* state) {
  const std::string_view packed = text_at(state, 1);
  const Short text = short_of([&] {
    const auto address = os::SocketAddress::unpack(packed);
    return address ? address->to_string() : std::string();
  });
  if (text.text[0] == '\0') return fail(state, -EINVAL);
  lua_pushstring(state, text.text);
  return 1;
}

/// callback(f): f(kind, id, what) for every message about every socket, instead of coroutines; callback(nil) ends that.
int socket_callback(lua_State* state) {
  LuaService& service = LuaService::of(state);
  int reference = service.callback_reference();
  if (lua_isnoneornil(state, 1)) {
    luaL_unref(state, LUA_REGISTRYINDEX, reference);
    reference = LUA_NOREF;
  } else {
    keep_function(state, 1, reference);
  }
  service.set_callback(reference);
  return 0;
}

const luaL_Reg kSocketFunctions[] = {
    {"listen", &socket_listen},
    {"start", &socket_start},
    {"connect", &socket_connect},
    {"open", &socket_connect},
    {"read", &socket_read},
    {"readline", &socket_readline},
    {"readall", &socket_readall},
    {"block", &socket_block},
    {"write", &socket_write},
    {"lwrite", &socket_lwrite},
    {"close", &socket_close},
    {"shutdown", &socket_shutdown},
    {"finish", &socket_finish},
    {"pause", &socket_pause},
    {"nodelay", &socket_nodelay},
    {"limit", &socket_limit},
    {"onclose", &socket_onclose},
    {"warning", &socket_warning},
    {"invalid", &socket_invalid},
    {"disconnected", &socket_disconnected},
    {"udp", &socket_udp},
    {"udp_dial", &socket_udp_dial},
    {"udp_connect", &socket_udp_connect},
    {"sendto", &socket_sendto},
    {"udp_address", &socket_udp_address},
    {"callback", &socket_callback},
    {nullptr, nullptr},
};

}  // namespace

void open_socket(lua_State* state) {
  luaL_newlib(state, kSocketFunctions);
  lua_setglobal(state, "socket");
}

}  // namespace wakepath::service
