#include "src/guest/strace_calls.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "src/guest/strace_arguments.hh"

namespace wakepath::guest {

namespace {

namespace call = os::call;
constexpr int kCloseRangeCloexec = 4;  // include/uapi/linux/close_range.h

/// One call on its way to a record.
struct Reading {
  const Arguments& of;
  const StraceResult& result;
  StraceMeaning& to;

  long value() const { return result.value.value_or(0); }
  bool worked() const { return result.value && *result.value >= 0; }

  os::CallRecord& make(os::CallArguments arguments) const {
    to.record.emplace();
    to.record->arguments = std::move(arguments);
    to.record->result = value();
    return *to.record;
  }
  int fd() const {
    to.decoration = of.at(0).decoration;
    return of.descriptor(0);
  }
  /// A call that returns a descriptor.
  void makes(os::CallArguments arguments) const {
    if (value() > kMostDescriptor)
      throw StraceMismatch(of.end(), std::to_string(value()), fmt::format("a descriptor up to {}", kMostDescriptor));
    to.made = result.decoration;
    make(std::move(arguments));
  }
  /// A call that sends: what is known of `size` bytes.
  void sends(std::size_t size) const {
    if (size > kMostGiven) throw NotShown("more than 64 MiB at once");
    if (worked() && static_cast<std::size_t>(value()) > size)
      throw StraceMismatch(of.end(), fmt::format("{} bytes sent of {}", value(), size),
                           "at most as many as were given");
    to.given = size;
  }
  /// A call that has received: `pieces` of at most `size` bytes. `may_be_more`: of a datagram that was cut.
  void receives(const Bytes& pieces, std::size_t size, bool may_be_more) const {
    if (!worked() || value() == 0) return;
    const auto count = static_cast<std::size_t>(value());
    if (count > kMostGiven) throw NotShown("more than 64 MiB at once");
    if (count > size && !may_be_more)
      throw StraceMismatch(of.end(), fmt::format("{} bytes received into {}", count, size), "at most as many");
    to.record->output.data = pieces.data.substr(0, count);
    to.record->cut = pieces.data.size() < std::min(count, size);
  }
  /// Room for what is received: no more than can matter.
  std::size_t room(std::size_t size) const {
    constexpr std::size_t kEnough = std::size_t{1} << 20;
    return std::min(size, std::max(kEnough, static_cast<std::size_t>(std::max(value(), 0L))));
  }
};

using Reader = void (*)(const Reading&);

void read_socket(const Reading& r) {
  const int domain = r.of.whole(0);
  r.makes(call::Socket{domain, r.of.whole(1), domain == AF_INET || domain == AF_INET6 ? r.of.whole(2) : 0});
}

void read_bind(const Reading& r) { r.make(call::Bind{r.fd(), r.of.address(1)}); }
void read_connect(const Reading& r) { r.make(call::Connect{r.fd(), r.of.address(1)}); }
void read_listen(const Reading& r) { r.make(call::Listen{r.fd(), r.of.whole(1)}); }
void read_shutdown(const Reading& r) { r.make(call::Shutdown{r.fd(), r.of.whole(1)}); }
void read_close(const Reading& r) { r.make(call::Close{r.fd()}); }

void read_accept(const Reading& r) {
  const bool wants_address = !r.of.at(1).is_null();
  const int flags = r.of.size() > 3 ? r.of.whole(3) : 0;
  r.makes(call::Accept4{r.fd(), wants_address, flags});
  if (r.worked() && wants_address) r.to.record->output.address = r.of.address(1);
}

template <class Kind>
void read_name(const Reading& r) {
  r.make(Kind{r.fd()});
  if (r.worked()) r.to.record->output.address = r.of.address(1);
}

void read_setsockopt(const Reading& r) {
  const auto value = r.of.option_value(3, r.of.length(4));
  r.make(call::Setsockopt{r.fd(), r.of.option_level(), r.of.option(), value.value_or("")});
  if (value) return;
  r.to.record.reset();
  r.to.why_not = "a socket option whose value is not shown";
}

void read_getsockopt(const Reading& r) {
  const std::size_t size = r.of.length(4);
  const auto value = r.worked() ? r.of.option_value(3, size) : std::string();
  r.make(call::Getsockopt{r.fd(), r.of.option_level(), r.of.option(), static_cast<socklen_t>(size)});
  if (value) return void(r.to.record->output.data = *value);
  r.to.record.reset();
  r.to.why_not = "a socket option whose value is not shown";
}

void read_read(const Reading& r) {
  const std::size_t size = r.of.length(2);
  r.make(call::Read{r.fd(), r.room(size)});
  r.receives(r.of.bytes(1, size, r.value()), size, false);
}

void read_readv(const Reading& r) {
  const Bytes pieces = r.of.pieces(r.of.at(1), r.value());
  r.make(call::Read{r.fd(), r.room(pieces.room)});
  r.receives(pieces, pieces.room, pieces.partial);
}

void read_write(const Reading& r) {
  const std::size_t size = r.of.length(2);
  Bytes bytes = r.of.bytes(1, size, static_cast<long>(size));
  os::CallRecord& record = r.make(call::Write{r.fd(), bytes.data});
  record.cut = bytes.data.size() < size;
  r.sends(size);
}

void read_writev(const Reading& r) {
  const Bytes pieces = r.of.pieces(r.of.at(1), std::numeric_limits<long>::max());
  if (pieces.partial) throw NotShown("more pieces than are shown");
  r.make(call::Write{r.fd(), pieces.data}).cut = pieces.data.size() < pieces.room;
  r.sends(pieces.room);
}

void read_send(const Reading& r) {
  const std::size_t size = r.of.length(2);
  const os::Address to = r.of.size() > 4 && !r.of.at(4).is_null() ? r.of.address(4) : os::Address{};
  Bytes bytes = r.of.bytes(1, size, static_cast<long>(size));
  r.make(call::Sendto{r.fd(), bytes.data, r.of.whole(3), to}).cut = bytes.data.size() < size;
  r.sends(size);
}

void read_recv(const Reading& r) {
  const std::size_t size = r.of.length(2);
  const int flags = r.of.whole(3);
  const bool wants_address = r.of.size() > 4 && !r.of.at(4).is_null();
  r.make(call::Recvfrom{r.fd(), r.room(size), flags, wants_address});
  if (r.worked() && wants_address) r.to.record->output.address = r.of.address(4);
  r.receives(r.of.bytes(1, size, r.value()), size, (flags & MSG_TRUNC) != 0);
}

/// Of a message, the parts that a plain call has as well; ancillary data is not followed.
void read_message(const Reading& r, bool sends) {
  const StraceValue& message = r.of.at(1);
  const int flags = r.of.whole(2);
  const StraceValue* iov = message.kind == StraceValue::Kind::group ? message.field("msg_iov") : nullptr;
  if (iov == nullptr) {
    if (r.worked()) throw StraceMismatch(message.at, "another argument", "a message with its msg_iov");
    throw NotShown("a message that is not shown");
  }
  const StraceValue* control = message.field("msg_control");
  if (control != nullptr && control->kind == StraceValue::Kind::group && !control->items.empty())
    throw NotShown("ancillary data");
  const StraceValue* name = message.field("msg_name");
  const bool wants_address = name != nullptr && !name->is_null();
  const Bytes pieces = r.of.pieces(*iov, sends ? std::numeric_limits<long>::max() : r.value());
  const os::Address address = wants_address ? r.of.address_in(*name) : os::Address{};
  if (sends) {
    if (pieces.partial) throw NotShown("more pieces than are shown");
    r.make(call::Sendto{r.fd(), pieces.data, flags, address}).cut = pieces.data.size() < pieces.room;
    return r.sends(pieces.room);
  }
  r.make(call::Recvfrom{r.fd(), r.room(pieces.room), flags, wants_address});
  if (r.worked()) r.to.record->output.address = address;
  r.receives(pieces, pieces.room, pieces.partial || (flags & MSG_TRUNC) != 0);
}

/// Into a socket, like a write of what nobody sees.
void read_sendfile(const Reading& r) {
  const auto count = static_cast<std::size_t>(std::max(r.value(), 0L));
  r.make(call::Write{r.fd(), {}}).cut = true;
  r.sends(r.worked() ? count : std::min(r.of.length(3), kMostGiven));
  if (!r.worked() && r.value() != -EAGAIN) r.to.record.reset();
}

void read_fcntl(const Reading& r) {
  const int fd = r.fd();
  const StraceValue& command = r.of.at(1);
  const auto known = r.of.try_number(1);
  if (!known) return;  // a lock, a lease: of files
  const int number = static_cast<int>(*known);
  switch (number) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      return r.makes(call::Fcntl{fd, number, r.of.whole(2)});
    case F_SETFD:
      r.to.close_on_exec = (r.of.whole(2) & FD_CLOEXEC) != 0;
      [[fallthrough]];
    case F_SETFL:
      return void(r.make(call::Fcntl{fd, number, r.of.whole(2)}));
    case F_GETFD:
    case F_GETFL:
      return void(r.make(call::Fcntl{fd, number, 0}));
    default:
      r.to.why_not = "fcntl(" + command.text + ")";
  }
}

void read_ioctl(const Reading& r) {
  const int fd = r.fd();
  const auto request = r.of.try_number(1);
  if (!request) return;
  if (*request == FIOCLEX || *request == FIONCLEX) r.to.close_on_exec = *request == FIOCLEX;
  if (*request != FIONBIO) return;
  const StraceValue& value = r.of.at(2);
  const bool shown = value.kind == StraceValue::Kind::group && !value.items.empty();
  if (!shown) throw NotShown("ioctl(FIONBIO) whose value is not shown");
  const bool on = r.of.number_in(value.items.front().value) != 0;
  r.make(call::Fcntl{fd, F_SETFL, on ? O_NONBLOCK : 0});
}

void read_dup(const Reading& r) {
  const int fd = r.fd();
  if (r.of.size() > 1 && r.of.descriptor(1) == fd) return;
  if (r.of.size() > 1 && r.worked()) r.to.closes = {r.of.descriptor(1)};
  const bool on_exec = r.of.size() > 2 && (r.of.whole(2) & O_CLOEXEC) != 0;
  r.makes(call::Fcntl{fd, on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, r.of.size() > 1 ? r.of.descriptor(1) : 0});
}

void read_close_range(const Reading& r) {
  const int flags = r.of.size() > 2 ? r.of.whole(2) : 0;
  if (r.worked()) r.to.closes = {r.of.number(0), std::min(r.of.number(1), kMostDescriptor), flags & kCloseRangeCloexec};
}

/// The two descriptors that a call has made.
void read_ends(const Reading& r, const StraceValue& ends) {
  if (ends.kind != StraceValue::Kind::group || ends.items.size() != 2)
    throw StraceMismatch(ends.at, "another argument", "two descriptors in brackets");
  auto& fds = r.to.record->output.fds;
  for (std::size_t i = 0; i < 2; ++i) fds[i] = r.of.descriptor_in(ends.items[i].value);
  if (fds[0] < 0 || fds[1] < 0 || fds[0] == fds[1])
    throw StraceMismatch(ends.at, fmt::format("[{}, {}]", fds[0], fds[1]), "two different descriptors");
}

void read_pipe(const Reading& r) {
  r.make(call::Pipe2{r.of.size() > 1 ? r.of.whole(1) : 0});
  if (r.worked()) read_ends(r, r.of.at(0));
}

void read_socketpair(const Reading& r) {
  r.make(call::Socketpair{r.of.whole(0), r.of.whole(1), r.of.whole(2)});
  if (r.worked()) read_ends(r, r.of.at(3));
}

void read_eventfd(const Reading& r) {
  r.makes(call::Eventfd2{static_cast<unsigned>(r.of.whole(0)), r.of.size() > 1 ? r.of.whole(1) : 0});
}

void read_epoll_create(const Reading& r) { r.makes(call::EpollCreate1{0}); }
void read_epoll_create1(const Reading& r) { r.makes(call::EpollCreate1{r.of.whole(0)}); }

void read_epoll_ctl(const Reading& r) {
  const StraceValue& event = r.of.at(3);
  std::optional<epoll_event> known;
  if (event.kind == StraceValue::Kind::group) known = r.of.event_in(event);
  r.make(call::EpollCtl{r.fd(), r.of.whole(1), r.of.descriptor(2), known});
}

void read_epoll_wait(const Reading& r, int timeout) {
  r.make(call::EpollWait{r.fd(), r.of.whole(2), timeout});
  if (!r.worked() || r.value() == 0) return;
  const StraceValue& events = r.of.at(1);
  if (events.kind != StraceValue::Kind::group)
    throw StraceMismatch(events.at, "another argument", "the events in brackets");
  if (events.cut) {
    r.to.record.reset();
    r.to.why_not = "epoll_wait that reported more events than are shown";
    return;
  }
  if (static_cast<long>(events.items.size()) != r.value())
    throw StraceMismatch(events.at, fmt::format("{} events", events.items.size()), fmt::format("{}", r.value()));
  for (const auto& item : events.items) r.to.record->output.events.push_back(r.of.event_in(item.value));
}

pollfd polled_in(const Arguments& of, const StraceValue& value, const char* events) {
  if (value.kind != StraceValue::Kind::group) throw StraceMismatch(value.at, "another argument", "{fd=…, events=…}");
  const StraceValue* fd = value.field("fd");
  const StraceValue* what = value.field(events);
  if (fd != nullptr && what == nullptr && of.descriptor_in(*fd) < 0)
    return {of.descriptor_in(*fd), 0, 0};  // passed over
  if (fd == nullptr || what == nullptr)
    throw StraceMismatch(value.at, "another group", "a group with its fd and events");
  const auto bits = static_cast<short>(of.number_in(*what));
  return {of.descriptor_in(*fd), bits, bits};
}

/// `= 1 ([{fd=5, revents=POLLIN}], left {tv_sec=0, …})`
void read_polled(const Reading& r) {
  const std::size_t end = r.result.more.find(']');  // decorations are not shown here
  if (!r.result.more.starts_with("([") || end == std::string_view::npos)
    throw NotShown("poll that does not show what it found");
  const std::string found_text = std::string(r.result.more.substr(1, end)) + ")";
  std::size_t at = 0;
  const std::vector<StraceValue> found_values = read_arguments(found_text, at);
  for (const auto& item : found_values.at(0).items) {
    pollfd found = polled_in(r.of, item.value, "revents");
    const auto& asked = std::get<call::Poll>(r.to.record->arguments).fds;
    const auto same = std::find_if(asked.begin(), asked.end(), [&](const pollfd& one) { return one.fd == found.fd; });
    if (same != asked.end()) found.events = same->events;
    r.to.record->output.polled.push_back(found);
  }
  if (static_cast<long>(r.to.record->output.polled.size()) != r.value())
    throw NotShown("poll that found more than is shown");
}

void read_poll(const Reading& r, int timeout) {
  const StraceValue& asked = r.of.at(0);
  if (asked.kind != StraceValue::Kind::group) {
    if (r.worked() && r.of.number(1) > 0) throw NotShown("poll whose descriptors are not shown");
    return;  // it only sleeps
  }
  if (asked.cut) throw NotShown("poll of more descriptors than are shown");
  call::Poll poll{{}, timeout};
  for (const auto& item : asked.items) {
    poll.fds.push_back(polled_in(r.of, item.value, "events"));
    poll.fds.back().revents = 0;
  }
  r.make(std::move(poll));
  if (r.worked() && r.value() > 0) read_polled(r);
}

/// The three sets of select(), as what poll() would ask for.
constexpr std::array<std::pair<const char*, short>, 3> kSets = {
    {{"in [", POLLIN}, {"out [", POLLOUT}, {"except [", POLLPRI}}};

/// `= 2 (in [3 5], out [4], left {tv_sec=0, …})`
void read_selected(const Reading& r) {
  auto& record = *r.to.record;
  long bits = 0;
  for (const pollfd& asked : std::get<call::Poll>(record.arguments).fds) {
    pollfd found{asked.fd, asked.events, 0};
    for (const auto& [name, bit] : kSets) {
      const std::size_t begin = r.result.more.find(name);
      if (begin == std::string_view::npos) continue;
      std::string_view set = r.result.more.substr(begin + std::string_view(name).size());
      set = set.substr(0, set.find(']'));
      const std::string padded = fmt::format(" {} ", set);
      if (padded.find(fmt::format(" {} ", asked.fd)) == std::string::npos) continue;
      found.revents |= bit;
      ++bits;
    }
    if (found.revents != 0) record.output.polled.push_back(found);
  }
  if (bits != r.value()) throw NotShown("select that does not show all that it found");
}

void read_select(const Reading& r, int timeout) {
  std::map<int, short> asked;
  for (std::size_t set = 0; set < kSets.size(); ++set) {
    const StraceValue& members = r.of.at(1 + set);
    if (members.is_null()) continue;
    if (members.kind != StraceValue::Kind::group || members.cut) throw NotShown("select whose sets are not shown");
    for (const auto& item : members.items) asked[r.of.descriptor_in(item.value)] |= kSets[set].second;
  }
  if (asked.empty()) return;  // it only sleeps
  call::Poll poll{{}, timeout, true};
  for (const auto& [fd, events] : asked) poll.fds.push_back({fd, events, 0});
  r.make(std::move(poll));
  if (r.worked() && r.value() > 0) read_selected(r);
}

void read_execve(const Reading& r) { r.to.word = r.of.at(0).text; }

void read_prctl(const Reading& r) {
  if (r.of.at(0).text == "PR_SET_NAME" && r.of.size() > 1) r.to.word = r.of.at(1).text;
}

const std::map<std::string_view, Reader>& readers() {
  static const std::map<std::string_view, Reader> kReaders = {
      {"socket", read_socket},
      {"bind", read_bind},
      {"listen", read_listen},
      {"accept", read_accept},
      {"accept4", read_accept},
      {"connect", read_connect},
      {"getsockname", read_name<call::Getsockname>},
      {"getpeername", read_name<call::Getpeername>},
      {"setsockopt", read_setsockopt},
      {"getsockopt", read_getsockopt},
      {"shutdown", read_shutdown},
      {"close", read_close},
      {"read", read_read},
      {"readv", read_readv},
      {"write", read_write},
      {"writev", read_writev},
      {"send", read_send},
      {"sendto", read_send},
      {"recv", read_recv},
      {"recvfrom", read_recv},
      {"sendmsg", [](const Reading& r) { read_message(r, true); }},
      {"recvmsg", [](const Reading& r) { read_message(r, false); }},
      {"sendfile", read_sendfile},
      {"sendfile64", read_sendfile},
      {"fcntl", read_fcntl},
      {"fcntl64", read_fcntl},
      {"ioctl", read_ioctl},
      {"dup", read_dup},
      {"dup2", read_dup},
      {"dup3", read_dup},
      {"close_range", read_close_range},
      {"pipe", read_pipe},
      {"pipe2", read_pipe},
      {"socketpair", read_socketpair},
      {"eventfd", read_eventfd},
      {"eventfd2", read_eventfd},
      {"epoll_create", read_epoll_create},
      {"epoll_create1", read_epoll_create1},
      {"epoll_ctl", read_epoll_ctl},
      {"epoll_wait", [](const Reading& r) { read_epoll_wait(r, r.of.whole(3)); }},
      {"epoll_pwait", [](const Reading& r) { read_epoll_wait(r, r.of.whole(3)); }},
      {"epoll_pwait2", [](const Reading& r) { read_epoll_wait(r, r.of.milliseconds(3)); }},
      {"poll", [](const Reading& r) { read_poll(r, r.of.whole(2)); }},
      {"ppoll", [](const Reading& r) { read_poll(r, r.of.milliseconds(2)); }},
      {"select", [](const Reading& r) { read_select(r, r.of.milliseconds(4)); }},
      {"_newselect", [](const Reading& r) { read_select(r, r.of.milliseconds(4)); }},
      {"pselect6", [](const Reading& r) { read_select(r, r.of.milliseconds(4)); }},
      {"execve", read_execve},
      {"prctl", read_prctl},
  };
  return kReaders;
}

}  // namespace

bool has_meaning(std::string_view name) { return readers().contains(name); }

StraceMeaning meaning_of(std::string_view name, const std::vector<StraceValue>& arguments, const StraceResult& result,
                         std::size_t end) {
  StraceMeaning meaning;
  const Arguments of(arguments, end);
  try {
    readers().at(name)({of, result, meaning});
  } catch (const NotShown& why) {
    meaning.record.reset();
    meaning.why_not = why.what();
  }
  return meaning;
}

}  // namespace wakepath::guest
