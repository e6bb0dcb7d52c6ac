#include "src/mirror/replay.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>

#include "sim/syscalls/syscalls.hh"
#include "sim/syscalls/words.hh"
#include "src/mirror/call_text.hh"

namespace wakepath::mirror {

using namespace kernel;
namespace call = os::call;
using Started = std::optional<MaySleep<long>>;

namespace {

std::vector<int> ints_of(const std::string& bytes) {
  std::vector<int> out(bytes.size() / sizeof(int));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(int));
  return out;
}

template <class T>
T value_of(const std::string& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

struct Maker {
  Kernel& k;
  Replay& to;

  /// How much of a send the model is given.
  std::size_t taken(std::size_t size) const { return std::min(size, to.most_sent); }

  Started operator()(const call::Socket& c) const { return sys_socket(k, c.domain, c.type, c.protocol); }
  Started operator()(const call::Bind& c) const { return sys_bind(k, c.fd, address_of(c.address)); }
  Started operator()(const call::Listen& c) const { return sys_listen(k, c.fd, c.backlog); }
  Started operator()(const call::Accept4& c) const { return sys_accept4(k, c.fd, &to.address, c.flags); }
  Started operator()(const call::Connect& c) const { return sys_connect(k, c.fd, address_of(c.address)); }
  Started operator()(const call::Getsockname& c) const { return sys_getsockname(k, c.fd, &to.address); }
  Started operator()(const call::Getpeername& c) const { return sys_getpeername(k, c.fd, &to.address); }
  Started operator()(const call::Setsockopt& c) const {
    if (c.level == SOL_SOCKET && c.option == SO_LINGER) {
      const auto wanted = value_of<linger>(c.value);
      return sys_setsockopt(k, c.fd, c.level, c.option, {wanted.l_onoff, wanted.l_linger});
    }
    if (c.level == SOL_SOCKET && (c.option == SO_RCVTIMEO || c.option == SO_SNDTIMEO)) {
      const auto time = value_of<timeval>(c.value);
      return sys_setsockopt(k, c.fd, c.level, c.option,
                            {static_cast<int>(time.tv_sec), static_cast<int>(time.tv_usec)});
    }
    return sys_setsockopt(k, c.fd, c.level, c.option, {value_of<int>(c.value)});
  }
  Started operator()(const call::Getsockopt& c) const { return sys_getsockopt(k, c.fd, c.level, c.option, &to.value); }
  Started operator()(const call::Shutdown& c) const { return sys_shutdown(k, c.fd, c.how); }
  Started operator()(const call::Close& c) const { return sys_close(k, c.fd); }
  Started operator()(const call::Read& c) const {
    to.buffer.resize(c.size);
    return sys_read(k, c.fd, to.buffer.data(), c.size);
  }
  Started operator()(const call::Write& c) const { return sys_write(k, c.fd, c.data.data(), taken(c.data.size())); }
  Started operator()(const call::Send& c) const {
    return sys_send(k, c.fd, c.data.data(), taken(c.data.size()), c.flags);
  }
  Started operator()(const call::Recv& c) const {
    to.buffer.resize(c.size);
    return sys_recv(k, c.fd, to.buffer.data(), c.size, c.flags);
  }
  Started operator()(const call::Sendto& c) const {
    if (c.address.size == 0) return sys_send(k, c.fd, c.data.data(), c.data.size(), c.flags);
    return sys_sendto(k, c.fd, c.data.data(), c.data.size(), c.flags, address_of(c.address));
  }
  Started operator()(const call::Recvfrom& c) const {
    to.buffer.resize(c.size);
    return sys_recvfrom(k, c.fd, to.buffer.data(), c.size, c.flags, &to.from);
  }
  Started operator()(const call::Fcntl& c) const { return sys_fcntl(k, c.fd, c.command, c.argument); }
  Started operator()(const call::Pipe2& c) const { return sys_pipe2(k, to.fds, c.flags); }
  Started operator()(const call::EpollCreate1& c) const { return sys_epoll_create1(k, c.flags); }
  Started operator()(const call::EpollCtl& c) const {
    user_epoll_event event{};
    if (c.event) event = {c.event->events, c.event->data.u64};
    return sys_epoll_ctl(k, c.epfd, c.operation, c.fd, event);
  }
  Started operator()(const call::EpollWait& c) const {
    to.events.resize(static_cast<std::size_t>(std::clamp(c.max_events, 0, 4096)));
    return sys_epoll_wait(k, c.epfd, to.events.data(), std::min(c.max_events, 4096), c.timeout_ms);
  }
  Started operator()(const call::Eventfd2& c) const { return sys_eventfd2(k, c.count, c.flags); }
  Started operator()(const call::Socketpair& c) const {
    return sys_socketpair(k, c.domain, c.type, c.protocol, to.fds);
  }
  /// What was found stands in `polled`, when there is one.
  Started select(const call::Poll& c) const {
    int highest = -1;
    for (const pollfd& one : c.fds) highest = std::max(highest, one.fd);
    const auto size = static_cast<std::size_t>(highest + 1);
    to.sets = {std::vector<bool>(size), std::vector<bool>(size), std::vector<bool>(size)};
    for (const pollfd& one : c.fds) {
      const auto place = static_cast<std::size_t>(one.fd);
      to.sets.in[place] = (one.events & POLLIN) != 0;
      to.sets.out[place] = (one.events & POLLOUT) != 0;
      to.sets.ex[place] = (one.events & POLLPRI) != 0;
    }
    return sys_select(k, highest + 1, &to.sets, c.timeout_ms);
  }
  Started operator()(const call::Poll& c) const {
    to.polled = c.fds;
    if (c.by_select) return select(c);
    return sys_poll(k, to.polled.data(), to.polled.size(), c.timeout_ms);
  }
};

std::string differs(const char* on, std::string_view model, std::string_view kernel) {
  return model == kernel ? "" : fmt::format("{}: the model has {}, the kernel {}", on, model, kernel);
}

std::string result_text(long result) {
  if (result >= 0) return std::to_string(result);
  const char* name = strerrorname_np(static_cast<int>(-result));
  return fmt::format("-1 {}", name != nullptr ? name : "E?");
}

std::string events_text(const std::vector<user_epoll_event>& events, long count) {
  std::vector<epoll_event> same;
  for (long i = 0; i < count; ++i) {
    epoll_event event{};
    event.events = events[static_cast<std::size_t>(i)].events;
    event.data.u64 = events[static_cast<std::size_t>(i)].data;
    same.push_back(event);
  }
  return text_of(same);
}

}  // namespace

Address address_of(const os::Address& address) {
  const auto endpoint = address.ipv4();
  return endpoint ? Address{endpoint->address, endpoint->port} : Address{};
}

Started Replay::call(Kernel& k, const os::CallRecord& record) { return std::visit(Maker{k, *this}, record.arguments); }

std::string Replay::difference(const os::CallRecord& record, long result, bool with_data) const {
  if (record.call() == os::Call::epoll_wait && record.result >= 0 && result >= 0)
    return differs("events", events_text(events, result), text_of(record.output.events));
  if (record.call() == os::Call::poll && record.result >= 0 && result >= 0)
    return differs("events", text_of(found(record)), text_of(record.output.polled));
  if (result != record.result) return differs("result", result_text(result), result_text(record.result));
  if (result < 0) return "";
  switch (record.call()) {
    case os::Call::read:
    case os::Call::recv:
      return with_data ? data_differs(record, result) : "";
    case os::Call::recvfrom: {
      const bool asked = std::get<call::Recvfrom>(record.arguments).wants_address && from;
      const Address theirs = address_of(record.output.address);
      if (asked && *from != theirs) return differs("address", words::address(*from), words::address(theirs));
      return with_data ? data_differs(record, result) : "";
    }
    case os::Call::accept4:
      if (!std::get<call::Accept4>(record.arguments).wants_address) return "";
      [[fallthrough]];
    case os::Call::getsockname:
    case os::Call::getpeername:
      if (address.family == AF_UNIX) return "";  // of a pair: it has no name
      return differs("address", words::address(address), words::address(address_of(record.output.address)));
    case os::Call::getsockopt:
      return differs("value", words::option_value(value), words::option_value(ints_of(record.output.data)));
    case os::Call::pipe2:
    case os::Call::socketpair:
      return differs("descriptors", fmt::format("[{}, {}]", fds[0], fds[1]),
                     fmt::format("[{}, {}]", record.output.fds[0], record.output.fds[1]));
    default:
      return "";
  }
}

std::string Replay::data_differs(const os::CallRecord& record, long result) const {
  const std::size_t size = std::min(buffer.size(), static_cast<std::size_t>(result));
  if (std::string_view(buffer.data(), size) == record.output.data) return "";
  return fmt::format("data: the model has {}, the kernel {}", words::data({buffer.data(), size}),
                     words::data(record.output.data));
}

std::vector<pollfd> Replay::found(const os::CallRecord& record) const {
  std::vector<pollfd> out = polled;
  if (!std::get<call::Poll>(record.arguments).by_select) return out;
  for (pollfd& one : out) {
    const auto place = static_cast<std::size_t>(one.fd);
    one.revents = static_cast<short>((sets.in[place] ? POLLIN : 0) | (sets.out[place] ? POLLOUT : 0) |
                                     (sets.ex[place] ? POLLPRI : 0));
  }
  return out;
}

bool Replay::polled_more(const os::CallRecord& record) const {
  const std::vector<pollfd> model = found(record);
  return std::all_of(record.output.polled.begin(), record.output.polled.end(), [&](const pollfd& theirs) {
    return std::any_of(model.begin(), model.end(), [&](const pollfd& ours) {
      return ours.fd == theirs.fd && (theirs.revents & ~ours.revents) == 0;
    });
  });
}

bool Replay::holds_more(const os::CallRecord& record, long result,
                        const std::function<uint32_t(uint64_t)>& lost) const {
  auto wanted = record.output.events.begin();
  const auto end = record.output.events.end();
  for (long i = 0; i < result && wanted != end; ++i) {
    const user_epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data == wanted->data.u64 && (wanted->events & ~(event.events | lost(event.data))) == 0) ++wanted;
  }
  return wanted == end;
}

int descriptor_of(const os::CallRecord& record) {
  return std::visit(
      [](const auto& c) {
        if constexpr (requires { c.epfd; })
          return c.epfd;
        else if constexpr (requires { c.fd; })
          return c.fd;
        else
          return -1;
      },
      record.arguments);
}

bool copies_descriptor(const os::CallRecord& record) {
  const auto* copy = std::get_if<call::Fcntl>(&record.arguments);
  return copy != nullptr && (copy->command == F_DUPFD || copy->command == F_DUPFD_CLOEXEC);
}

}  // namespace wakepath::mirror
