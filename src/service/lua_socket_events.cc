// What a message about a socket means to the script.

#include <cerrno>
#include <lua.hpp>
#include <utility>

#include "src/service/lua_service.hh"
#include "src/service/runtime.hh"

namespace wakepath::service {

namespace {

/// For the function that wants every message: its arguments.
struct Told {
  int reference;
  const server::Message* message;
};

int tell(lua_State* state) {
  const auto& told = *static_cast<const Told*>(lua_touserdata(state, 1));
  const server::Message& message = *told.message;
  lua_rawgeti(state, LUA_REGISTRYINDEX, told.reference);
  const std::string_view type = server::name_of(message.type);
  lua_pushlstring(state, type.data(), type.size());
  lua_pushinteger(state, static_cast<lua_Integer>(message.id));
  switch (message.type) {
    case server::MessageType::data:
    case server::MessageType::udp:
      lua_pushlstring(state, message.data.view().data(), message.data.size());
      break;
    case server::MessageType::accept:
      lua_pushinteger(state, static_cast<lua_Integer>(message.accepted));
      break;
    case server::MessageType::warning:
      lua_pushinteger(state, static_cast<lua_Integer>(message.kilobytes));
      break;
    default:
      lua_pushlstring(state, message.text.data(), message.text.size());
      break;
  }
  lua_call(state, 3, 0);
  return 0;
}

}  // namespace

/// True when the script has one function for all messages, which was called.
bool LuaService::call_back(const server::Message& message) {
  if (callback_ == LUA_NOREF) return false;
  Told told{callback_, &message};
  failure_.clear();
  if (!protect(&tell, &told, 0)) log(failure_);
  run_ready();
  return true;
}

/// Gives the coroutine that waits for `socket` what it waits for, if that is there.
void LuaService::wake_reader(server::SocketId id, LuaSocket& socket) {
  lua_State* coroutine = socket.waiter;
  if (coroutine == nullptr) return;
  const auto slice = slice_of(socket, socket.want);
  if (!slice && !socket.closed) {
    if (socket.paused) {  // it waits for more than the socket was allowed to keep
      socket.paused = false;
      sockets().start(self(), id);
    }
    return;
  }
  socket.waiter = nullptr;
  if (socket.want.kind == LuaWant::Kind::ready || socket.want.kind == LuaWant::Kind::open) {
    lua_pushboolean(coroutine, slice ? 1 : 0);
    return resume(coroutine, 1);
  }
  int arguments = 1;
  size_t used = socket.rest().size();
  if (slice) {
    if (!push_text(coroutine, slice->text)) lua_pushnil(coroutine);
    used = slice->used;
  } else if (socket.want.kind == LuaWant::Kind::all) {
    if (!push_text(coroutine, socket.rest())) lua_pushnil(coroutine);
  } else {
    lua_pushnil(coroutine);
    if (!push_text(coroutine, socket.rest())) lua_pushnil(coroutine);
    arguments = 2;
  }
  socket.consume(used);
  resume(coroutine, arguments);  // may forget the socket
}

void LuaService::on_open(server::Message& message) {
  if (call_back(message)) return;
  const auto found = lua_sockets_.find(message.id);
  if (found == lua_sockets_.end() || found->second.waiter == nullptr || found->second.want.kind != LuaWant::Kind::open)
    return;
  lua_State* coroutine = std::exchange(found->second.waiter, nullptr);
  lua_pushboolean(coroutine, 1);
  resume(coroutine, 1);
  run_ready();
}

/// A coroutine for each connection.
void LuaService::on_accept(server::Message& message) {
  if (call_back(message)) return;
  const auto listener = lua_sockets_.find(message.id);
  if (listener == lua_sockets_.end() || listener->second.on_accept == LUA_NOREF)
    return sockets().shutdown(message.accepted);
  const int function = listener->second.on_accept;
  lua_sockets_.try_emplace(message.accepted);
  spawn(function, message.accepted, message.peer.to_string(), {}, true);
}

/// The coroutine of a connection has failed: nobody else knows how to go on with it.
void LuaService::give_up(server::SocketId id) {
  sockets().shutdown(id);
  over(id, "its coroutine has failed", true);
}

/// f(id, first, second) in a new coroutine, texts without data left out. `answers_for`: it fails, the socket is closed.
void LuaService::spawn(int function_reference, server::SocketId id, std::string_view first, std::string_view second,
                       bool answers_for) {
  lua_State* coroutine = new_coroutine(function_reference);
  if (coroutine == nullptr) return sockets().shutdown(id);
  lua_pushinteger(coroutine, static_cast<lua_Integer>(id));
  int arguments = 1;
  for (const std::string_view text : {first, second}) {
    if (text.data() == nullptr) continue;
    if (!push_text(coroutine, text)) lua_pushnil(coroutine);
    ++arguments;
  }
  if (answers_for) clients_[coroutine] = id;
  resume(coroutine, arguments);
  run_ready();
}

void LuaService::on_data(server::Message& message) {
  if (call_back(message)) return;
  const auto found = lua_sockets_.find(message.id);
  if (found == lua_sockets_.end()) return sockets().shutdown(message.id);
  LuaSocket& socket = found->second;
  const std::string_view bytes = message.data.view();
  if (socket.waiter != nullptr && socket.want.kind == LuaWant::Kind::some && socket.rest().empty()) {
    lua_State* coroutine = std::exchange(socket.waiter, nullptr);  // straight from one to the other
    if (!push_text(coroutine, bytes)) lua_pushnil(coroutine);
    resume(coroutine, 1);
    return run_ready();
  }
  socket.add(bytes);
  const size_t waiting = socket.rest().size();
  if (socket.limit > 0 && waiting > socket.limit) {
    log("socket " + std::to_string(message.id) + " is closed: more than " + std::to_string(socket.limit) +
        " bytes wait to be read");
    sockets().shutdown(message.id);
    return over(message.id, "its limit was passed", true);
  }
  if (waiting > LuaSocket::kPauseAt && !socket.paused && socket.waiter == nullptr) {
    socket.paused = true;
    sockets().pause(message.id);
  }
  wake_reader(message.id, socket);
  run_ready();
}

void LuaService::on_udp(server::Message& message) {
  if (call_back(message)) return;
  const auto found = lua_sockets_.find(message.id);
  if (found == lua_sockets_.end() || found->second.on_datagram == LUA_NOREF) return;
  const std::string from = message.peer.packed();
  spawn(found->second.on_datagram, message.id, message.data.empty() ? std::string_view("") : message.data.view(), from);
}

void LuaService::on_close(server::Message& message) {
  if (call_back(message)) return;
  over(message.id, "closed by the peer", false);
}

void LuaService::on_error(server::Message& message) {
  if (call_back(message)) return;
  const auto found = lua_sockets_.find(message.id);
  if (found == lua_sockets_.end()) return;
  if (found->second.listener || found->second.on_datagram != LUA_NOREF) return log(message.text);
  const bool gone = message.error != EPIPE;  // else sending alone has failed
  over(message.id, message.text, gone);
}

/// Nothing more will come from that socket: whoever waits for it hears of it.
void LuaService::over(server::SocketId id, std::string_view why, bool gone) {
  const auto found = lua_sockets_.find(id);
  if (found == lua_sockets_.end()) return;
  LuaSocket& socket = found->second;
  socket.gone = socket.gone || gone;
  const bool first = !std::exchange(socket.closed, true);
  if (first) socket.why = why;
  const int on_close = first ? socket.on_close : LUA_NOREF;
  wake_reader(id, socket);
  if (on_close != LUA_NOREF) spawn(on_close, id, {}, {});
  run_ready();
}

void LuaService::on_warning(server::Message& message) {
  if (call_back(message)) return;
  const auto found = lua_sockets_.find(message.id);
  if (found == lua_sockets_.end() || found->second.on_warning == LUA_NOREF) {
    if (message.kilobytes > 0)
      log("socket " + std::to_string(message.id) + ": " + std::to_string(message.kilobytes) + " KB wait to be sent");
    return;
  }
  lua_State* coroutine = new_coroutine(found->second.on_warning);
  if (coroutine == nullptr) return;
  lua_pushinteger(coroutine, static_cast<lua_Integer>(message.id));
  lua_pushinteger(coroutine, static_cast<lua_Integer>(message.kilobytes));
  resume(coroutine, 2);
  run_ready();
}

}  // namespace wakepath::service
