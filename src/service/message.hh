#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/server/message.hh"

namespace wakepath::service {

/// Names a service, and is the owner of its sockets: generation << 16 | place, so that the first services are 1, 2, 3.
/// 0 names none. A handle of a service that is gone finds nothing until its place has been taken 65,536 times.
using Handle = server::ServiceId;

/// Names an answer that somebody waits for; of one service, from 1, never used twice. 0: none is expected.
using Session = uint64_t;

enum class MessageKind : uint8_t {
  socket,    ///< `socket` says what happened to a socket
  timeout,   ///< the time asked for as `session` has passed
  request,   ///< `text` from `source`, who waits for an answer when there is a `session`
  response,  ///< the answer to the own request `session`
  failure,   ///< there will be none: `text` says why
};

/// What lies in a service's queue.
struct Message {
  MessageKind kind = MessageKind::socket;
  Handle source = 0;  ///< request, response, failure: who sent it
  Session session = 0;
  std::string text;
  server::Message socket;
};

/// For the probe and for people: "data", "timeout", …
std::string_view type_of(const Message& message);
/// The function of Service that handles it: "on_data", …
std::string_view callback_of(const Message& message);

}  // namespace wakepath::service
