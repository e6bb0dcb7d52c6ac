// UDP: what programs outside have sent shows when it is read; that nobody listens there, as an error.

#include <fmt/format.h>
#include <sys/socket.h>

#include "src/mirror/mirror.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;
namespace call = os::call;

namespace {

bool on_loopback(u32 ip) { return ip >> 24 == 127; }

/// What a call sends, and where to: port 0 when it does not say.
struct Sending {
  bool sends = false;
  Address to;
};

Sending sending_of(const os::CallRecord& record) {
  if (const auto* to = std::get_if<call::Sendto>(&record.arguments)) return {true, address_of(to->address)};
  return {record.call() == os::Call::send || record.call() == os::Call::write, {}};
}

bool is_receiving(os::Call call) {
  return call == os::Call::recvfrom || call == os::Call::recv || call == os::Call::read;
}

}  // namespace

std::string Mirror::why_datagram_not_checked(const os::CallRecord& record) const {
  const sock* sk = datagram_sock_of(first_, descriptor_of(record));
  if (sk == nullptr) {
    if (record.call() == os::Call::sendto || record.call() == os::Call::recvfrom)
      return "sendto and recvfrom of what is no datagram socket of the model's";
    return "";
  }
  if (const auto* connect = std::get_if<call::Connect>(&record.arguments))
    return on_loopback(address_of(connect->address).ip) ? "" : "connect of a datagram socket to beyond loopback";
  if (const auto* recv = std::get_if<call::Recvfrom>(&record.arguments);
      recv != nullptr && (recv->flags & ~MSG_DONTWAIT) != 0)
    return "recvfrom with flags that are not mirrored";
  const Sending sending = sending_of(record);
  if (!sending.sends || record.result < 0) return "";
  if (sending.to.port != 0 && !on_loopback(sending.to.ip)) return "a datagram to an address beyond loopback";
  return sk->common.skc_num == 0 ? "sendto has given the socket a port that its answer does not tell" : "";
}

bool Mirror::settle_datagram(Actor& actor, const os::CallRecord& record) {
  sock* sk = datagram_sock_of(actor.task, descriptor_of(record));
  if (sk == nullptr) return false;
  const std::string evidence = fmt::format("{} = {}", os::name_of(record.call()), record.result);
  const Sending sending = sending_of(record);
  if (record.result == -ECONNREFUSED && (sending.sends || is_receiving(record.call()))) {
    datagrams_.refuse(sk, evidence);
  } else if (sending.sends && record.result >= 0) {
    datagrams_.expect(sending.to.port != 0 ? sending.to : connected_to(sk));
  } else if (is_receiving(record.call()) && record.result >= 0) {
    const Address told = address_of(record.output.address);
    const Address from = told.port != 0 ? told : connected_to(sk);
    actor.unsure = !datagrams_.supply(sk, from, record.output.data, evidence);
  }
  return true;
}

/// The socket was readable, and the model's is not: what is read next has come. An error is that of the peer's machine.
void Mirror::settle_datagram_event(Actor& actor, sock* sk, int fd, uint32_t lacking, const std::string& evidence) {
  if ((lacking & EPOLLERR) != 0) datagrams_.refuse(sk, evidence);
  if ((lacking & EPOLLIN) == 0) return;
  if (!looked_ahead_) look_ahead();
  const auto found = next_reading_.find(fd);
  if (found == next_reading_.end() || found->second->result < 0) {
    actor.unsure = true;
    return;
  }
  const os::CallRecord& reading = *found->second;
  const Address told = address_of(reading.output.address);
  const std::string both = fmt::format("{}; then {} = {}", evidence, os::name_of(reading.call()), reading.result);
  const Address from = told.port != 0 ? told : connected_to(sk);
  if (!datagrams_.supply(sk, from, reading.output.data, both)) actor.unsure = true;
}

}  // namespace wakepath::mirror
