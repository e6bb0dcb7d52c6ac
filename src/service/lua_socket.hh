#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/server/slots.hh"

struct lua_State;

namespace wakepath::service {

/// What a script's coroutine reads from a socket.
struct LuaWant {
  enum class Kind : uint8_t { some, bytes, line, all, ready, open };
  static constexpr size_t kLongestSeparator = 15;

  Kind kind = Kind::some;
  uint8_t separator_size = 0;
  char separator[kLongestSeparator + 1] = {};  // line
  size_t bytes = 0;                            // bytes
};

/// A socket as a script sees it: what has come and was not read yet, and who waits for more.
struct LuaSocket {
  static constexpr size_t kPauseAt = 128 * 1024;  ///< unread bytes at which it is no longer read from
  static constexpr int kNone = -2;                ///< LUA_NOREF

  std::string unread;
  size_t head = 0;     // of unread, read already
  size_t scanned = 0;  // of the rest, known to hold no separator
  LuaWant want;
  lua_State* waiter = nullptr;
  bool closed = false;  // by the peer, or by an error: nothing more will come
  bool gone = false;    // of the server
  bool paused = false;
  bool listener = false;
  size_t limit = 0;  // of unread bytes: more, and the socket is closed; 0: none
  std::string why;   // closed: how
  int on_accept = kNone, on_close = kNone, on_warning = kNone, on_datagram = kNone;  // references of the registry

  std::string_view rest() const { return std::string_view(unread).substr(head); }
  void add(std::string_view bytes);
  void consume(size_t bytes);
};

/// What there is for a want: `text` is what the script gets, `used` what goes with it (a separator more).
struct LuaSlice {
  std::string_view text;
  size_t used = 0;
};
/// Nothing when more must come first.
std::optional<LuaSlice> slice_of(LuaSocket& socket, const LuaWant& want);

using LuaSockets = std::unordered_map<server::SocketId, LuaSocket>;  // never walked through

}  // namespace wakepath::service
