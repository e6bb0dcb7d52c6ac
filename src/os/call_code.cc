#include "src/os/call_code.hh"

#include <algorithm>
#include <cstring>
#include <optional>

namespace wakepath::os {

namespace {

struct SightHead {
  int32_t fd, state;
  uint64_t bytes_received;
  uint32_t unacknowledged, address, waiting, unread;
  uint16_t port;
  bool has_room;
};

template <class T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T take(std::string_view& from) {
  T value{};
  std::memcpy(&value, from.data(), sizeof value);
  from.remove_prefix(sizeof value);
  return value;
}

void read_sights(std::string_view bytes, std::vector<Sight>& sights) {
  while (bytes.size() >= sizeof(SightHead)) {
    const auto head = take<SightHead>(bytes);
    sights.push_back({.fd = head.fd,
                      .state = head.state,
                      .bytes_received = head.bytes_received,
                      .unacknowledged = head.unacknowledged,
                      .has_room = head.has_room,
                      .address = head.address,
                      .port = head.port,
                      .waiting = head.waiting,
                      .unread = std::string(bytes.substr(0, head.unread))});
    bytes.remove_prefix(head.unread);
  }
}

Address address_in(std::string_view bytes) {
  Address address;
  address.size = static_cast<socklen_t>(std::min(bytes.size(), sizeof address.storage));
  std::memcpy(&address.storage, bytes.data(), address.size);
  return address;
}

/// `size` bytes, of which not all may be in the log: those that the kernel did not take, those beyond its limit.
std::string given(std::string_view kept, uint64_t size) {
  std::string data(kept);
  data.resize(static_cast<size_t>(size));
  return data;
}

std::optional<epoll_event> event_of(const LogEntry& e) {
  if ((e.flags & kNullEvent) != 0) return std::nullopt;
  epoll_event event{};
  event.events = static_cast<uint32_t>(e.d);
  event.data.u64 = e.wide;
  return event;
}

CallArguments arguments_of(const LogEntry& e, std::string_view bytes) {
  switch (static_cast<Call>(e.kind)) {
    case Call::socket:
      return call::Socket{e.a, e.b, e.c};
    case Call::bind:
      return call::Bind{e.a, address_in(bytes)};
    case Call::listen:
      return call::Listen{e.a, e.b};
    case Call::accept4:
      return call::Accept4{e.a, e.b != 0, e.c};
    case Call::connect:
      return call::Connect{e.a, address_in(bytes)};
    case Call::getsockname:
      return call::Getsockname{e.a};
    case Call::getpeername:
      return call::Getpeername{e.a};
    case Call::setsockopt:
      return call::Setsockopt{e.a, e.b, e.c, std::string(bytes)};
    case Call::getsockopt:
      return call::Getsockopt{e.a, e.b, e.c, static_cast<socklen_t>(e.wide)};
    case Call::shutdown:
      return call::Shutdown{e.a, e.b};
    case Call::close:
      return call::Close{e.a};
    case Call::read:
      return call::Read{e.a, static_cast<size_t>(e.wide)};
    case Call::write:
      return call::Write{e.a, given(bytes, e.wide)};
    case Call::send:
      return call::Send{e.a, given(bytes, e.wide), e.b};
    case Call::recv:
      return call::Recv{e.a, static_cast<size_t>(e.wide), e.b};
    case Call::sendto: {
      const auto address = static_cast<size_t>(e.c);
      return call::Sendto{e.a, given(bytes.substr(address), e.wide), e.b, address_in(bytes.substr(0, address))};
    }
    case Call::recvfrom:
      return call::Recvfrom{e.a, static_cast<size_t>(e.wide), e.b, e.c != 0};
    case Call::fcntl:
      return call::Fcntl{e.a, e.b, e.c};
    case Call::pipe2:
      return call::Pipe2{e.a};
    case Call::epoll_create1:
      return call::EpollCreate1{e.a};
    case Call::epoll_ctl:
      return call::EpollCtl{e.a, e.b, e.c, event_of(e)};
    case Call::epoll_wait:
      return call::EpollWait{e.a, e.b, e.c};
    case Call::eventfd2:
    case Call::socketpair:
    case Call::poll:
      break;  // no ring has them
  }
  return call::Close{-1};
}

void read_output(const LogEntry& e, std::string_view bytes, CallOutput& output) {
  switch (static_cast<Call>(e.kind)) {
    case Call::read:
    case Call::recv:
      output.data = given(bytes, static_cast<uint64_t>(e.result));
      break;
    case Call::getsockopt:
      output.data = bytes;
      break;
    case Call::recvfrom:
      output.address = address_in(bytes.substr(0, static_cast<size_t>(e.d)));
      output.data = bytes.substr(static_cast<size_t>(e.d));
      break;
    case Call::accept4:
    case Call::getsockname:
    case Call::getpeername:
      output.address = address_in(bytes);
      break;
    case Call::pipe2:
      output.fds = {e.b, e.c};
      break;
    case Call::epoll_wait:
      output.events.resize(bytes.size() / sizeof(epoll_event));
      if (!bytes.empty()) std::memcpy(output.events.data(), bytes.data(), bytes.size());
      break;
    default:
      break;
  }
}

}  // namespace

std::string bytes_of(const std::vector<Sight>& sights) {
  std::string bytes;
  for (const Sight& sight : sights) {
    SightHead head{};
    head = {sight.fd,
            sight.state,
            sight.bytes_received,
            sight.unacknowledged,
            sight.address,
            sight.waiting,
            static_cast<uint32_t>(sight.unread.size()),
            sight.port,
            sight.has_room};
    append(bytes, head);
    bytes += sight.unread;
  }
  append(bytes, static_cast<uint32_t>(bytes.size()));
  return bytes;
}

void decode(const LogEntry& entry, std::string_view bytes, CallRecord& record) {
  record.sequence = entry.ticket;
  record.may_block = (entry.flags & kMayBlock) != 0;
  record.sleeps = (entry.flags & kSleeps) != 0;
  record.cut = (entry.flags & kCut) != 0;
  record.passed_by = (entry.flags & kPassedBy) != 0;
  record.result = entry.result;
  record.output = {};
  record.sights.clear();
  if ((entry.flags & kHasSights) != 0) {
    std::string_view size = bytes.substr(bytes.size() - sizeof(uint32_t));
    const size_t sights = take<uint32_t>(size);
    bytes.remove_suffix(sizeof(uint32_t));
    read_sights(bytes.substr(bytes.size() - sights), record.sights);
    bytes.remove_suffix(sights);
  }
  record.arguments = arguments_of(entry, bytes);
  if (entry.result >= 0 && (entry.flags & kEntering) == 0) read_output(entry, bytes, record.output);
}

}  // namespace wakepath::os
