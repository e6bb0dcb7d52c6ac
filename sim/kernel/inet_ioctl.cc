// Models: tcp_ioctl() of net/ipv4/tcp.c, tcp_inq() of include/net/tcp.h, udp_ioctl() of net/ipv4/udp.c, Linux 6.18.
// Left out: SIOCOUTQNSD (what was not sent even once).

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

bool in_handshake(const sock* sk) { return tcp_state(sk) == TcpState::SYN_SENT || tcp_state(sk) == TcpState::SYN_RECV; }

/// Bytes that recv() would give: up to an urgent byte that is not read in line. A FIN that has come counts as one in
/// rcv_nxt.
int tcp_inq(const sock* sk) {
  if (in_handshake(sk)) return 0;
  const tcp_sock* tp = tcp_sk(sk);
  bool urgent = !sock_flag(sk, SOCK_URGINLINE_BIT) && tp->urg_data != TCP_URG_NONE &&
                !before(tp->urg_seq, tp->copied_seq) && before(tp->urg_seq, tp->rcv_nxt);
  if (urgent) return static_cast<int>(tp->urg_seq - tp->copied_seq);
  int bytes = static_cast<int>(tp->rcv_nxt - tp->copied_seq);
  return bytes > 0 && sock_flag(sk, SOCK_DONE_BIT) ? bytes - 1 : bytes;
}

}  // namespace

long tcp_ioctl(Kernel& k, sock* sk, unsigned command, int* argument) {
  Call call(k, Fn::tcp_ioctl, sk);
  if (command == SIOCATMARK) {
    *argument = tcp_sk(sk)->urg_data != TCP_URG_NONE && tcp_sk(sk)->urg_seq == tcp_sk(sk)->copied_seq ? 1 : 0;
    return call.result(0);
  }
  if (command != SIOCINQ && command != SIOCOUTQ) return call.result(k.error(Rule::ioctl_unknown, sk));
  if (tcp_state(sk) == TcpState::LISTEN) return call.result(k.error(Rule::ioctl_while_listening, sk));
  if (command == SIOCINQ)
    *argument = tcp_inq(sk);
  else
    *argument = in_handshake(sk) ? 0 : static_cast<int>(tcp_sk(sk)->write_seq - tcp_sk(sk)->snd_una);
  return call.result(0);
}

long udp_ioctl(Kernel& k, sock* sk, unsigned command, int* argument) {
  Call call(k, Fn::udp_ioctl, sk);
  if (command != SIOCINQ && command != SIOCOUTQ) return call.result(k.error(Rule::ioctl_unknown, sk));
  *argument = command == SIOCINQ ? std::max(0, first_packet_length(k, sk)) : sk->sk_wmem_alloc.get();
  return call.result(0);
}

}  // namespace wakepath::kernel
