#include "src/scenario/timers.hh"

#include <poll.h>

#include <algorithm>

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLongest = 10s;
constexpr int kMaxNests = 5;  // epolls on epolls: EP_MAX_NESTS + 1 of fs/eventpoll.c

void keep_first(std::optional<Duration>& first, std::optional<Duration> other) {
  if (other && (!first || *other < *first)) {
    first = other;
  }
}

std::optional<Duration> behind(Machine& machine, const std::string& process, int fd, int depth) {
  std::optional<Duration> first = machine.runs_out(process, fd);
  if (depth > 0) {
    for (const int watched : machine.watched_for_reading(process, fd)) {
      keep_first(first, behind(machine, process, watched, depth - 1));
    }
  }
  return first;
}

std::vector<int> waits_to_read(const Request& r) {
  std::vector<int> out;
  switch (r.call) {
    case Call::read:
    case Call::readv:
    case Call::epoll_wait:
    case Call::epoll_pwait:
      out.push_back(static_cast<int>(r.numbers[0]));
      break;
    case Call::poll:
    case Call::ppoll:
    case Call::select:
      for (const Request::Poll& poll : r.polls) {
        if ((poll.events & POLLIN) != 0) {
          out.push_back(poll.fd);
        }
      }
      break;
    default:
      break;
  }
  return out;
}

}  // namespace

std::optional<Duration> first_timerfd(Machine& machine, const std::string& process, const Request& request) {
  std::optional<Duration> first;
  for (const int fd : waits_to_read(request)) {
    keep_first(first, behind(machine, process, fd, kMaxNests));
  }
  return first && *first <= kLongest ? first : std::nullopt;
}

}  // namespace wakepath::scenario
