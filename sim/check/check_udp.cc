#include <fmt/format.h>

#include "sim/check/check.hh"
#include "sim/kernel/sock.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

int truesize_of(const sk_buff_head& queue) {
  int sum = 0;
  for (const sk_buff* skb : queue.list) sum += static_cast<int>(skb->truesize.get());
  return sum;
}

}  // namespace

void check_datagrams(const Kernel& k, Complaints& out) {
  std::size_t bound = 0;
  k.udp_socks.for_each([&](const udp_sock& up) {
    const sock& sk = up.inet.sk;
    auto same = [&](const char* what, std::int64_t is, std::int64_t should) {
      if (is != should)
        out.push_back(fmt::format("{}: {} is {}, should be {}", named("udp_sock", &up), what, is, should));
    };
    same("sk_receive_queue.qlen", sk.sk_receive_queue.qlen, static_cast<std::int64_t>(sk.sk_receive_queue.list.size()));
    same("reader_queue.qlen", up.reader_queue.qlen, static_cast<std::int64_t>(up.reader_queue.list.size()));
    same("sk_rmem_alloc", sk.sk_rmem_alloc,
         truesize_of(sk.sk_receive_queue) + truesize_of(up.reader_queue) + up.forward_deficit);
    same("sk_wmem_alloc", sk.sk_wmem_alloc, truesize_of(sk.sk_write_queue));
    same("sk_write_queue.qlen", sk.sk_write_queue.qlen, up.pending != 0 ? 1 : 0);
    same("skc_refcnt", sk.common.skc_refcnt, sk.common.skc_node.linked() ? 2 : 1);  // its socket, the hash table
    if (sk.sk_lock_owned) out.push_back(named("udp_sock", &up) + " is owned by a system call, but none runs");
    if (sk.sk_socket == nullptr) out.push_back(named("udp_sock", &up) + " belongs to nobody");
    bool hashed = sk.common.skc_node.linked();
    if (hashed != (sk.common.skc_num != 0) || hashed != up.udp_portaddr_node.linked())
      out.push_back(named("udp_sock", &up) + ": its port and its places in the tables do not agree");
    bound += hashed ? 1 : 0;
  });
  std::size_t by_port = 0;
  std::size_t by_address = 0;
  k.udp_hslots.for_each([&](const udp_hslot& slot) { by_port += slot.head.size(); });
  k.udp_hslots2.for_each([&](const udp_hslot2& slot) { by_address += slot.head.size(); });
  if (by_port != bound || by_address != bound)
    out.push_back(fmt::format("{} UDP sockets are bound, {} in the hash by port, {} in that by address", bound, by_port,
                              by_address));
}

}  // namespace wakepath::check
