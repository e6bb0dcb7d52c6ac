// A call of a log as the record that the mirror follows: its bytes, and what else the log knows of its descriptor.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "src/guest/strace_import.hh"
#include "src/mirror/replay.hh"

namespace wakepath::guest {

namespace {

namespace call = os::call;

os::Address as_address(const os::Endpoint& endpoint) {
  const sockaddr_in inet = endpoint.to_sockaddr();
  return os::Address::copy(reinterpret_cast<const sockaddr*>(&inet), sizeof inet);
}

/// The bytes that a call was given; nullptr when it sends nothing.
std::string* given_to(os::CallRecord& record) {
  if (auto* write = std::get_if<call::Write>(&record.arguments)) return &write->data;
  if (auto* send = std::get_if<call::Sendto>(&record.arguments)) return &send->data;
  return nullptr;
}

/// The room that a call received into.
std::size_t room_of(const os::CallRecord& record) {
  if (const auto* read = std::get_if<call::Read>(&record.arguments)) return read->size;
  if (const auto* recv = std::get_if<call::Recvfrom>(&record.arguments)) return recv->size;
  return 0;
}

/// sendto and recvfrom of what is no datagram socket.
void make_plain(os::CallRecord& record) {
  if (auto* send = std::get_if<call::Sendto>(&record.arguments)) {
    record.arguments = call::Send{send->fd, std::string(std::move(send->data)), send->flags};
  } else if (const auto* recv = std::get_if<call::Recvfrom>(&record.arguments)) {
    record.arguments = call::Recv{recv->fd, recv->size, recv->flags};
    record.output.address = {};
  }
}

}  // namespace

os::CallRecord StraceTeller::record_of(const StraceCall& call, std::size_t event, bool entering) {
  os::CallRecord record = *call.meaning.record;
  const int fd = mirror::descriptor_of(record);
  record.sleeps = record.may_block = sleeping_[log_.events[event].call];
  const auto taken = static_cast<std::size_t>(std::max(record.result, 0L));
  if (std::string* given = given_to(record)) {
    record.cut = given->size() < (entering ? call.meaning.given : taken);
    given->resize(call.meaning.given);
  }
  std::visit(
      [&](auto& arguments) {
        if constexpr (requires { arguments.address; }) stand_in(arguments.address);
      },
      record.arguments);
  if (entering) {
    record.result = 0;
    record.output = {};
  } else {
    if (const std::size_t room = room_of(record); room > 0) record.output.data.resize(std::min(taken, room));
    add_sights(event, record);
    stand_in(record.output.address);
  }
  const Descriptor* known = find(fd);
  if (known == nullptr || !known->datagram) make_plain(record);
  return record;
}

void StraceTeller::add_sights(std::size_t event, os::CallRecord& record) {
  const int fd = mirror::descriptor_of(record);
  switch (record.call()) {
    case os::Call::accept4:
      if (record.result < 0 || record.output.address.size != 0) return;
      if (const auto from = address_of(static_cast<int>(record.result), event, true))
        record.output.address = as_address(*from);
      return;
    case os::Call::bind:
    case os::Call::listen:
      if (record.result < 0) return;
      [[fallthrough]];
    case os::Call::connect:  // it has given the socket a port even when nobody listens there
      if (auto own = address_of(fd, event + 1, false)) {
        stand_in(*own);
        record.sights.push_back({.fd = fd, .address = own->address, .port = own->port});
      }
      return;
    case os::Call::epoll_wait:
      for (const epoll_event& reported : record.output.events) {
        if ((reported.events & (EPOLLHUP | EPOLLERR)) == 0) continue;
        const auto about = registered_.find({fd, reported.data.u64});
        if (about == registered_.end()) continue;
        if (const auto sight = sight_of_end(about->second, event)) record.sights.push_back(*sight);
      }
      return;
    case os::Call::poll:
      for (const pollfd& found : record.output.polled)
        if ((found.revents & (POLLHUP | POLLERR)) != 0)
          if (const auto sight = sight_of_end(found.fd, event)) record.sights.push_back(*sight);
      return;
    default:
      return;
  }
}

/// Of a connection that has ended: what was still unread, and whether a FIN was behind it, as the reads that follow
/// tell it. nullopt when they do not.
std::optional<os::Sight> StraceTeller::sight_of_end(int fd, std::size_t event) const {
  const auto traits = traits_.find(fd);
  if (traits == traits_.end()) return std::nullopt;
  os::Sight sight{.fd = fd};
  const auto& all = traits->second;
  const auto later = [](std::size_t e, const Trait& t) { return e < t.event; };
  for (auto at = std::upper_bound(all.begin(), all.end(), event, later); at != all.end(); ++at) {
    const Trait& trait = *at;
    if (trait.kind == Trait::Kind::address || trait.kind == Trait::Kind::use) continue;
    if (trait.kind == Trait::Kind::end) return std::nullopt;
    const StraceCall& reading = log_.calls[trait.call];
    if (reading.result == 0 || reading.result == -ECONNRESET) {
      sight.state = reading.result == 0 ? TCP_CLOSE_WAIT : TCP_CLOSE;
      sight.waiting = static_cast<uint32_t>(sight.unread.size());
      return sight;
    }
    if (reading.result < 0) continue;
    std::string data = reading.meaning.record->output.data;
    data.resize(static_cast<std::size_t>(reading.result));
    sight.unread += data;
    if (sight.unread.size() > kMostGiven) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace wakepath::guest
