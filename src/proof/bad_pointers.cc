// Now and then a pointer of a call leads to no memory of the caller's.

#include <map>
#include <utility>

#include "src/proof/kinds.hh"

namespace wakepath::proof {
namespace {

using Choices = std::vector<const char*>;

/// Of a call that has an argument there: what may stand instead. Pieces are small, since how much of a large buffer is
/// copied at once is the machine's own.
const std::map<std::string, std::pair<size_t, Choices>>& in_place() {
  static const Choices data = {"NULL * 8", "NULL * 8", "NULL * 100", "NULL * 0", "OUTSIDE * 8", "OUTSIDE * 0"};
  static const Choices sent = {"[\"ab\", NULL * 3]", "[NULL * 8]", "[NULL * 0, \"abc\"]", "[OUTSIDE * 3]", "NULL"};
  static const Choices room = {"[3, NULL * 3]", "[1, NULL * 100]", "[NULL * 8]", "[8, OUTSIDE * 0]", "OUTSIDE"};
  static const Choices nowhere = {"NULL", "OUTSIDE"};
  static const std::map<std::string, std::pair<size_t, Choices>> all = {
      {"write", {1, data}},          {"send", {1, data}},
      {"sendto", {1, data}},         {"writev", {1, sent}},
      {"sendmsg", {1, sent}},        {"readv", {1, room}},
      {"bind", {1, nowhere}},        {"connect", {1, nowhere}},
      {"setsockopt", {3, nowhere}},  {"poll", {0, nowhere}},
      {"ppoll", {0, nowhere}},       {"signalfd4", {0, nowhere}},
      {"sigprocmask", {1, nowhere}}, {"memfd_create", {0, nowhere}},
      {"epoll_pwait", {3, nowhere}}, {"ioctl", {2, nowhere}},
      {"select", {0, {"OUTSIDE"}}},
  };
  return all;
}

/// What may stand behind the arguments.
const std::map<std::string, Choices>& behind() {
  static const Choices buffer = {"buffer=NULL", "buffer=NULL", "buffer=OUTSIDE"};
  static const Choices address = {"addr=NULL", "addr=OUTSIDE", "len=NULL"};
  static const std::map<std::string, Choices> all = {
      {"read", buffer},
      {"recv", buffer},
      {"recvmsg", buffer},
      {"recvfrom", {"buffer=NULL", "buffer=OUTSIDE", "addr=NULL", "addr=OUTSIDE", "len=NULL"}},
      {"accept", address},
      {"accept4", address},
      {"getsockname", address},
      {"getpeername", address},
      {"getsockopt", {"value=NULL", "value=OUTSIDE", "len=NULL"}},
  };
  return all;
}

}  // namespace

void lead_astray(World& w, ProgramStep& s) {
  if (const auto found = behind().find(s.function); found != behind().end()) {
    s.args.push_back(w.random.one_of(found->second));
  } else if (s.function == "pipe2" || s.function == "socketpair") {
    s.targets.clear();
    s.args.push_back("fds=NULL");
  } else if (s.function == "timerfd_settime") {
    s.args = {s.args[0], "NULL"};
  } else if (const auto place = in_place().find(s.function); place != in_place().end()) {
    const auto& [at, choices] = place->second;
    s.args.resize(std::max(s.args.size(), at + 1));
    s.args[at] = w.random.one_of(choices);
  }
}

}  // namespace wakepath::proof
