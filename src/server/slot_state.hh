#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace wakepath::server {

/// What a slot of the socket-server is for at the moment. Names and meaning follow the socket server of skynet.
enum class SlotState : uint8_t {
  invalid,          ///< free
  reserve,          ///< an id was given out; the poll thread does not know the socket yet
  plisten,          ///< listens in the kernel, but accepting waits for start()
  listen,           ///< accepts
  connecting,       ///< connect() is under way (EINPROGRESS)
  connected,        ///< reads and writes
  halfclose_read,   ///< the peer has finished, or our close waits for the write buffer: sending alone
  halfclose_write,  ///< sending has failed: reading alone, until the peer finishes
  paccept,          ///< accepted, but reading waits for start()
  bind,             ///< somebody else's descriptor: reads and writes, is never closed here
};

inline constexpr std::array kSlotStates = {
    SlotState::invalid,    SlotState::reserve,   SlotState::plisten,        SlotState::listen,
    SlotState::connecting, SlotState::connected, SlotState::halfclose_read, SlotState::halfclose_write,
    SlotState::paccept,    SlotState::bind,
};

constexpr std::string_view name_of(SlotState state) {
  switch (state) {
    case SlotState::invalid:
      return "invalid";
    case SlotState::reserve:
      return "reserve";
    case SlotState::plisten:
      return "plisten";
    case SlotState::listen:
      return "listen";
    case SlotState::connecting:
      return "connecting";
    case SlotState::connected:
      return "connected";
    case SlotState::halfclose_read:
      return "halfclose_read";
    case SlotState::halfclose_write:
      return "halfclose_write";
    case SlotState::paccept:
      return "paccept";
    case SlotState::bind:
      return "bind";
  }
  return "?";
}

struct SlotEdge {
  SlotState from, to;
  std::string_view why;
};

/// Every change of state that can happen; Slots::change lets no other pass.
inline constexpr std::array kSlotEdges = {
    SlotEdge{SlotState::invalid, SlotState::reserve, "an id is given out"},
    SlotEdge{SlotState::reserve, SlotState::invalid, "it came to nothing: the call failed, or exit came first"},
    SlotEdge{SlotState::reserve, SlotState::plisten, "command listen"},
    SlotEdge{SlotState::plisten, SlotState::listen, "command start"},
    SlotEdge{SlotState::plisten, SlotState::invalid, "closed"},
    SlotEdge{SlotState::listen, SlotState::invalid, "closed"},
    SlotEdge{SlotState::reserve, SlotState::connecting, "connect is in progress"},
    SlotEdge{SlotState::reserve, SlotState::connected, "connect was done at once, or a UDP socket was opened"},
    SlotEdge{SlotState::connecting, SlotState::connected, "the handshake is complete"},
    SlotEdge{SlotState::connecting, SlotState::invalid, "connect failed, or closed"},
    SlotEdge{SlotState::reserve, SlotState::paccept, "a connection was accepted"},
    SlotEdge{SlotState::paccept, SlotState::connected, "command start, or started by its listener"},
    SlotEdge{SlotState::paccept, SlotState::invalid, "closed, or reset by the peer"},
    SlotEdge{SlotState::connected, SlotState::halfclose_read, "FIN from the peer, or closed with data still to send"},
    SlotEdge{SlotState::connected, SlotState::halfclose_write, "sending failed, or command finish has sent our FIN"},
    SlotEdge{SlotState::connected, SlotState::invalid, "closed, or reset by the peer"},
    SlotEdge{SlotState::reserve, SlotState::bind, "command bind"},
    SlotEdge{SlotState::bind, SlotState::halfclose_read, "end of file, or closed with data still to send"},
    SlotEdge{SlotState::bind, SlotState::halfclose_write, "sending failed, or command finish"},
    SlotEdge{SlotState::bind, SlotState::invalid, "closed, or it failed"},
    SlotEdge{SlotState::halfclose_read, SlotState::invalid, "closed and drained, or sending failed"},
    SlotEdge{SlotState::halfclose_write, SlotState::invalid, "the peer has finished too, or closed"},
};

constexpr bool is_edge(SlotState from, SlotState to) {
  return std::any_of(kSlotEdges.begin(), kSlotEdges.end(),
                     [&](const SlotEdge& edge) { return edge.from == from && edge.to == to; });
}

}  // namespace wakepath::server
