#include "src/mirror/call_text.hh"

#include <fmt/format.h>

#include <cstring>

#include "sim/syscalls/words.hh"

namespace wakepath::mirror {

namespace words = kernel::words;

namespace {

std::string address(const os::Address& address) {
  const auto inet = os::SocketAddress::from(address.storage);
  return inet.present() ? inet.to_string() : "NULL";
}

/// The call with its arguments; what the model does not know is given by its name alone.
struct Arguments {
  std::string operator()(const os::call::Socket& c) const {
    return fmt::format("{}, {}, {}", words::family(c.domain), words::socket_type(c.type), c.protocol);
  }
  std::string operator()(const os::call::Bind& c) const { return fmt::format("{}, {}", c.fd, address(c.address)); }
  std::string operator()(const os::call::Listen& c) const { return fmt::format("{}, {}", c.fd, c.backlog); }
  std::string operator()(const os::call::Accept4& c) const {
    return fmt::format("{}, {}", c.fd, words::open_flags(c.flags));
  }
  std::string operator()(const os::call::Connect& c) const { return fmt::format("{}, {}", c.fd, address(c.address)); }
  std::string operator()(const os::call::Getsockname& c) const { return std::to_string(c.fd); }
  std::string operator()(const os::call::Getpeername& c) const { return std::to_string(c.fd); }
  std::string operator()(const os::call::Setsockopt& c) const {
    return fmt::format("{}, {}", c.fd, words::option(c.level, c.option));
  }
  std::string operator()(const os::call::Getsockopt& c) const {
    return fmt::format("{}, {}", c.fd, words::option(c.level, c.option));
  }
  std::string operator()(const os::call::Shutdown& c) const {
    const char* name = c.how == SHUT_RD ? "SHUT_RD" : c.how == SHUT_WR ? "SHUT_WR" : "SHUT_RDWR";
    return fmt::format("{}, {}", c.fd, name);
  }
  std::string operator()(const os::call::Close& c) const { return std::to_string(c.fd); }
  std::string operator()(const os::call::Read& c) const { return fmt::format("{}, {}", c.fd, c.size); }
  std::string operator()(const os::call::Write& c) const { return fmt::format("{}, {} bytes", c.fd, c.data.size()); }
  std::string operator()(const os::call::Send& c) const {
    return fmt::format("{}, {}, {}", c.fd, words::data(c.data), c.data.size());
  }
  std::string operator()(const os::call::Recv& c) const { return fmt::format("{}, {}", c.fd, c.size); }
  std::string operator()(const os::call::Sendto& c) const {
    return fmt::format("{}, {}, {}, {}", c.fd, words::data(c.data), c.data.size(), address(c.address));
  }
  std::string operator()(const os::call::Recvfrom& c) const { return fmt::format("{}, {}", c.fd, c.size); }
  std::string operator()(const os::call::Fcntl& c) const {
    return fmt::format("{}, {}, {}", c.fd, c.command, c.argument);
  }
  std::string operator()(const os::call::Pipe2& c) const { return fmt::format("{}", words::open_flags(c.flags)); }
  std::string operator()(const os::call::EpollCreate1& c) const {
    return fmt::format("{}", words::open_flags(c.flags));
  }
  std::string operator()(const os::call::EpollCtl& c) const {
    const auto events = c.event ? words::text(", ", words::events(c.event->events)) : words::Words();
    return fmt::format("{}, {}, {}{}", c.epfd, words::epoll_op(c.operation), c.fd, events);
  }
  std::string operator()(const os::call::EpollWait& c) const {
    return fmt::format("{}, {}, {}", c.epfd, c.max_events, c.timeout_ms);
  }
  std::string operator()(const os::call::Eventfd2& c) const {
    return fmt::format("{}, {}", c.count, words::open_flags(c.flags));
  }
  std::string operator()(const os::call::Socketpair& c) const {
    return fmt::format("{}, {}, {}", words::family(c.domain), words::socket_type(c.type), c.protocol);
  }
  std::string operator()(const os::call::Poll& c) const {
    std::string asked;
    for (const pollfd& one : c.fds)
      asked += fmt::format("{}{{{}, {}}}", asked.empty() ? "" : ", ", one.fd, words::poll_events(one.events));
    return fmt::format("[{}], {}", asked, c.timeout_ms);
  }
};

std::string output(const os::CallRecord& record) {
  switch (record.call()) {
    case os::Call::epoll_wait:
      return " " + text_of(record.output.events);
    case os::Call::poll:
      return " " + text_of(record.output.polled);
    case os::Call::recv:
      return fmt::format(" {}", words::data(record.output.data));
    case os::Call::recvfrom:
      return fmt::format(" {} from {}", words::data(record.output.data), address(record.output.address));
    case os::Call::accept4:
    case os::Call::getsockname:
    case os::Call::getpeername:
      return " " + address(record.output.address);
    case os::Call::pipe2:
    case os::Call::socketpair:
      return fmt::format(" [{}, {}]", record.output.fds[0], record.output.fds[1]);
    default:
      return "";
  }
}

}  // namespace

std::string text_of(const std::vector<epoll_event>& events) {
  std::string out = "[";
  for (const epoll_event& event : events) {
    if (out.size() > 1) out += ", ";
    out += fmt::format("{{{}, {}}}", words::events(event.events), static_cast<uint64_t>(event.data.u64));
  }
  return out + "]";
}

std::string text_of(const std::vector<pollfd>& polled) {
  std::string out = "[";
  for (const pollfd& one : polled) {
    if (one.revents == 0) continue;
    if (out.size() > 1) out += ", ";
    out += fmt::format("{{{}, {}}}", words::poll_events(one.revents), one.fd);
  }
  return out + "]";
}

std::string text_of(const os::CallRecord& record) {
  const auto* poll = std::get_if<os::call::Poll>(&record.arguments);
  const std::string_view called = poll != nullptr && poll->by_select ? "select" : os::name_of(record.call());
  const std::string call =
      fmt::format("{}: {}({})", record.thread_name, called, std::visit(Arguments{}, record.arguments));
  if (record.result < 0) {
    const char* name = strerrorname_np(record.error());
    return fmt::format("{} = -1 {}", call, name != nullptr ? name : "E?");
  }
  return fmt::format("{} = {}{}", call, record.result, output(record));
}

}  // namespace wakepath::mirror
