#include "sim/trace/hand_over.hh"

namespace wakepath::trace {

bool tells_of_callback(std::string_view note, std::string_view which, std::string_view name) {
  if (!note.starts_with(kCallback)) return false;
  note.remove_prefix(kCallback.size());
  const bool is_its = name.empty() || (note.starts_with(name) && note.substr(name.size()).starts_with(kOfService));
  return is_its && note.find(which) != std::string_view::npos;
}

std::optional<HandOver> hand_over_of(std::string_view note) {
  for (std::string_view words : {kPushed, kTaken, kIntoPipe, kExecuted}) {
    const std::size_t at = note.find(words);
    if (at == std::string_view::npos) continue;
    std::string_view behind = note.substr(at + words.size());
    behind = behind.substr(0, behind.find_first_not_of("0123456789"));  // the service: each counts its own messages
    return HandOver{std::string(note.substr(0, at)).append(" ").append(behind), words == kPushed || words == kIntoPipe};
  }
  return {};
}

}  // namespace wakepath::trace
