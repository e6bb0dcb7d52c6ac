#include "src/server/poller.hh"

#include "src/server/epoll_poller.hh"
#include "src/server/kqueue_poller.hh"

namespace wakepath::server {

std::string_view name_of(PollerKind kind) {
  switch (kind) {
    case PollerKind::epoll_level:
      return "epoll";
    case PollerKind::epoll_edge:
      return "epoll-edge";
    case PollerKind::kqueue:
      return "kqueue";
  }
  return "?";
}

std::unique_ptr<Poller> Poller::make(PollerKind kind, os::Os& os) {
  switch (kind) {
    case PollerKind::epoll_level:
      return std::make_unique<EpollPoller>(os, false);
    case PollerKind::epoll_edge:
      return std::make_unique<EpollPoller>(os, true);
    case PollerKind::kqueue:
      return make_kqueue_poller(os);
  }
  return nullptr;
}

}  // namespace wakepath::server
