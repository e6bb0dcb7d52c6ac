#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wakepath::trace {

/// Words in notes of a program's own steps that say: a service's callback begins, and ends (`"callback on_data" +
/// kOfService + "2" + kBegins + ", socket 7"`).
inline constexpr std::string_view kCallback = "callback ";
inline constexpr std::string_view kOfService = " of service ";
inline constexpr std::string_view kBegins = " begins";
inline constexpr std::string_view kEnds = " ends";

/// Whether a note says it of a callback; `which`: kBegins or kEnds. An empty `name`: of any.
[[nodiscard]] bool tells_of_callback(std::string_view note, std::string_view which, std::string_view name = {});

/// Words in notes of a program's own steps that say: this thread gives something away, and that one takes it. Who
/// records a step writes them (`"message 3 data of socket 7" + kPushed + "2, 1 waiting"`), who draws it finds them.
inline constexpr std::string_view kPushed = " pushed to service ";
inline constexpr std::string_view kTaken = " taken by service ";
inline constexpr std::string_view kIntoPipe = " goes into the control pipe";
inline constexpr std::string_view kExecuted = " is executed";

/// Words of what else the structure of a program is read from: `"service 2" + kNamed + "echo" + kBegins`,
/// `"slot 0: socket" … "(descriptor 7) listen -> invalid"`, `"socket 7: 5 of 5" + kSentByCaller + ", 0 wait"`.
inline constexpr std::string_view kService = "service ";
inline constexpr std::string_view kSlot = "slot ";
inline constexpr std::string_view kNamed = ": ";
inline constexpr std::string_view kOfSocket = "socket ";
inline constexpr std::string_view kAtDescriptor = " (descriptor ";
inline constexpr std::string_view kBecomes = " -> ";
inline constexpr std::string_view kSentByCaller = " bytes sent by the caller";

struct HandOver {
  std::string what;  ///< the same when it is given and when it is taken
  bool given = false;
};

/// What a note says of it; nothing when it is about something else.
[[nodiscard]] std::optional<HandOver> hand_over_of(std::string_view note);

}  // namespace wakepath::trace
