// Models: tcp_setsockopt(), tcp_getsockopt(), tcp_init_sock() of net/ipv4/tcp.c and tcp_prot of net/ipv4/tcp_ipv4.c,
// Linux 6.18. Left out: options that no call of the model can tell; they give -ENOPROTOOPT, and a scenario that asks
// for one is refused before it runs.

#include <netinet/tcp.h>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

long tcp_setsockopt(Kernel& k, sock* sk, int option, OptionValue value) {
  Call call(k, Fn::tcp_setsockopt, sk);
  if (value.empty()) return call.result(k.error(Rule::option_too_short, sk));
  if (option != TCP_NODELAY) return call.result(k.error(Rule::option_unknown, sk));
  tcp_sk(sk)->nonagle = value[0] != 0;
  if (value[0] != 0) {
    lock_sock(k, sk);
    __tcp_push_pending_frames(k, sk, true);
    release_sock(k, sk);
  }
  return call.result(0);
}

long tcp_getsockopt(Kernel& k, sock* sk, int option, std::vector<int>* value) {
  Call call(k, Fn::tcp_getsockopt, sk);
  if (option != TCP_NODELAY) return call.result(k.error(Rule::option_unknown, sk));
  *value = {tcp_sk(sk)->nonagle ? 1 : 0};
  return call.result(0);
}

int tcp_init_sock(Kernel& k, sock* sk) {
  sk->sk_rcvbuf = 131072;   // net.ipv4.tcp_rmem
  sk->sk_sndbuf = 2626560;  // what net.ipv4.tcp_wmem grows to on loopback
  sk->sk_write_space = sk_stream_write_space;
  tcp_init_timers(k, sk);
  return 0;
}

namespace {

sock* tcp_slab_alloc(Kernel& k) { return as_sock(k.tcp_socks.make()); }
void tcp_slab_free(Kernel& k, sock* sk) { k.tcp_socks.free(tcp_sk(sk)); }

}  // namespace

const proto tcp_prot = {.name = "TCP",
                        .slab_alloc = tcp_slab_alloc,
                        .slab_free = tcp_slab_free,
                        .init = tcp_init_sock,
                        .close = tcp_close,
                        .connect = tcp_v4_connect,
                        .get_port = inet_csk_get_port,
                        .setsockopt = tcp_setsockopt,
                        .getsockopt = tcp_getsockopt,
                        .sendmsg = tcp_sendmsg,
                        .recvmsg = tcp_recvmsg,
                        .backlog_rcv = tcp_v4_do_rcv,
                        .protocol = IPPROTO_TCP,
                        .disconnect = tcp_disconnect,
                        .shutdown = tcp_shutdown,
                        .no_autobind = true,
                        .ioctl = tcp_ioctl};

}  // namespace wakepath::kernel
