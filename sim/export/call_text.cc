#include "sim/export/call_text.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace wakepath::exports {

std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> out;
  if (list.size() < 2) return out;
  list = list.substr(1, list.size() - 2);
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    char c = i < list.size() ? list[i] : ',';
    if (i < list.size()) {
      if (quoted && c == '\\') {
        ++i;
        continue;
      }
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      depth += c == '[' || c == '{' || c == '(' ? 1 : c == ']' || c == '}' || c == ')' ? -1 : 0;
    }
    if (c != ',' || (depth > 0 && i < list.size())) continue;
    std::string_view element = list.substr(begin, i - begin);
    while (element.starts_with(' ')) element.remove_prefix(1);
    if (!element.empty()) out.push_back(element);
    begin = i + 1;
  }
  return out;
}

int number_of(std::string_view text) {
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

CallText::CallText(std::string_view call) {
  std::size_t open = call.find('(');
  name = call.substr(0, open);
  if (open != std::string_view::npos) arguments = elements(call.substr(open));
}

std::string_view CallText::argument(std::size_t index) const {
  return index < arguments.size() ? arguments[index] : std::string_view();
}

CallFamily CallText::family() const {
  using Named = std::pair<std::string_view, CallFamily>;
  static constexpr std::array<Named, 18> kFamilies = {{{"epoll_wait", CallFamily::kEpollWait},
                                                       {"epoll_pwait", CallFamily::kEpollWait},
                                                       {"poll", CallFamily::kPoll},
                                                       {"ppoll", CallFamily::kPoll},
                                                       {"select", CallFamily::kSelect},
                                                       {"accept", CallFamily::kAccept},
                                                       {"accept4", CallFamily::kAccept},
                                                       {"connect", CallFamily::kConnect},
                                                       {"recv", CallFamily::kRead},
                                                       {"recvfrom", CallFamily::kRead},
                                                       {"recvmsg", CallFamily::kRead},
                                                       {"read", CallFamily::kRead},
                                                       {"readv", CallFamily::kRead},
                                                       {"send", CallFamily::kWrite},
                                                       {"sendto", CallFamily::kWrite},
                                                       {"sendmsg", CallFamily::kWrite},
                                                       {"write", CallFamily::kWrite},
                                                       {"writev", CallFamily::kWrite}}};
  auto found =
      std::find_if(kFamilies.begin(), kFamilies.end(), [&](const Named& named) { return named.first == name; });
  return found != kFamilies.end() ? found->second : CallFamily::kOther;
}

std::string_view CallText::timeout() const {
  switch (family()) {
    case CallFamily::kEpollWait:
      return argument(2);
    case CallFamily::kPoll:
      return argument(1);
    case CallFamily::kSelect:
      return argument(4);
    default:
      return "";
  }
}

}  // namespace wakepath::exports
