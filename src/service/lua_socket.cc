#include "src/service/lua_socket.hh"

#include <algorithm>

namespace wakepath::service {

void LuaSocket::add(std::string_view bytes) {
  if (head > 0 && head >= unread.size() / 2) {
    unread.erase(0, head);
    head = 0;
  }
  unread.append(bytes);
}

void LuaSocket::consume(size_t bytes) {
  head += bytes;
  scanned = 0;
  if (head < unread.size()) return;
  head = 0;
  constexpr size_t kKept = 4096;  // an idle socket costs no more
  if (unread.capacity() > kKept) {
    unread = std::string();
  } else {
    unread.clear();
  }
}

std::optional<LuaSlice> slice_of(LuaSocket& socket, const LuaWant& want) {
  const std::string_view rest = socket.rest();
  switch (want.kind) {
    case LuaWant::Kind::some:
      if (rest.empty()) return {};
      return LuaSlice{rest, rest.size()};
    case LuaWant::Kind::bytes:
      if (rest.size() < want.bytes) return {};
      return LuaSlice{rest.substr(0, want.bytes), want.bytes};
    case LuaWant::Kind::line: {
      const std::string_view separator(want.separator, want.separator_size);
      const size_t at = rest.find(separator, std::min(socket.scanned, rest.size()));
      if (at == std::string_view::npos) {
        socket.scanned = rest.size() < separator.size() ? 0 : rest.size() - separator.size() + 1;
        return {};
      }
      return LuaSlice{rest.substr(0, at), at + separator.size()};
    }
    case LuaWant::Kind::ready:
      if (rest.empty()) return {};
      return LuaSlice{};
    case LuaWant::Kind::all:
    case LuaWant::Kind::open:
      break;
  }
  return {};
}

}  // namespace wakepath::service
