// No part of Linux: the bytes of a packet, for who listens (Kernel::tap).
#include "sim/kernel/packet.hh"

#include <algorithm>

#include "sim/kernel/ip.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

void put16(std::string& out, u32 value) {
  out += static_cast<char>(value >> 8 & 255);
  out += static_cast<char>(value & 255);
}
void put32(std::string& out, u32 value) {
  put16(out, value >> 16);
  put16(out, value);
}
void put_at(std::string& out, std::size_t at, u16 value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value & 255);
}

/// The internet checksum's sum, RFC 1071: not yet folded, so that sums add up.
u64 sum_of(std::string_view bytes) {
  u64 sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const u32 high = static_cast<unsigned char>(bytes[i]);
    const u32 low = i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0;
    sum += high << 8 | low;
  }
  return sum;
}
u16 checksum(u64 sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<u16>(~sum);
}

struct Ends {
  std::string from, to;  ///< 4 or 16 bytes
};

Ends ends_of(const Kernel& k, const inet_flow& flow) {
  Ends ends;
  if (flow.v6 == 0) {
    put32(ends.from, flow.saddr);
    put32(ends.to, flow.daddr);
    return ends;
  }
  const auto from = in6_bytes(k, flow.saddr6), to = in6_bytes(k, flow.daddr6);
  ends.from.assign(from.begin(), from.end());
  ends.to.assign(to.begin(), to.end());
  return ends;
}

std::string ip_header(const Ends& ends, u8 protocol, std::size_t bytes) {
  std::string out;
  if (ends.from.size() == 4) {
    out += '\x45';  // version 4, five words
    out += '\0';
    put16(out, static_cast<u32>(20 + bytes));
    put32(out, 0x4000);  // DF; an atomic datagram needs no identification (RFC 6864)
    out += '\x40';
    out += static_cast<char>(protocol);
    put16(out, 0);
    out += ends.from + ends.to;
    put_at(out, 10, checksum(sum_of(out)));
    return out;
  }
  put32(out, 0x60000000);
  put16(out, static_cast<u32>(bytes));
  out += static_cast<char>(protocol);
  out += '\x40';
  return out + ends.from + ends.to;
}

/// With the pseudo-header of RFC 9293 3.1, RFC 8200 8.1.
u16 transport_checksum(const Ends& ends, u8 protocol, std::string_view bytes) {
  return checksum(sum_of(ends.from) + sum_of(ends.to) + protocol + bytes.size() + sum_of(bytes));
}

std::string tcp_options(const sk_buff& skb) {
  std::string out;
  if ((skb.flags & TCPHDR_SYN) != 0) {
    if (skb.mss != 0) {
      out += "\x02\x04";
      put16(out, skb.mss);
    }
    out += "\x01\x01\x04\x02";  // SACK permitted
    out += "\x01\x03\x03";
    out += static_cast<char>(skb.wscale);
  }
  if (!skb.sacks.empty()) {
    const std::size_t blocks = std::min<std::size_t>(skb.sacks.size(), 4);
    out += "\x01\x01\x05";
    out += static_cast<char>(2 + 8 * blocks);
    for (std::size_t i = 0; i < blocks; ++i) {
      put32(out, skb.sacks[i].first);
      put32(out, skb.sacks[i].second);
    }
  }
  return out;
}

std::string tcp_segment(const sk_buff& skb) {
  const std::string options = tcp_options(skb);
  const u32 shift = (skb.flags & TCPHDR_SYN) != 0 ? 0 : skb.wscale;
  const u32 window = std::min<u32>(skb.window.get().value >> shift, 0xffff);
  std::string out;
  put16(out, skb.source);
  put16(out, skb.dest);
  put32(out, skb.seq);
  put32(out, (skb.flags & TCPHDR_ACK) != 0 ? skb.ack_seq.get() : 0);
  put16(out, static_cast<u32>((20 + options.size()) / 4) << 12 | static_cast<u32>(skb.flags.get()));
  put16(out, window);
  put16(out, 0);
  put16(out, skb.urg_ptr);
  return out + options + std::string(skb.payload.view());
}

std::string udp_datagram(const sk_buff& skb) {
  std::string out;
  put16(out, skb.source);
  put16(out, skb.dest);
  put16(out, static_cast<u32>(8 + skb.payload.size()));
  put16(out, 0);
  return out + std::string(skb.payload.view());
}

/// Port unreachable, with the headers of the datagram that found nobody.
std::string icmp_message(const Kernel& k, const sk_buff& skb) {
  const inet_flow quoted = quoted_flow(&skb);
  std::string header;
  put16(header, quoted.source);
  put16(header, quoted.dest);
  put16(header, 8);
  put16(header, 0);
  std::string out;
  put16(out, skb.v6 ? 0x0104 : 0x0303);
  put16(out, 0);
  put32(out, 0);
  return out + ip_header(ends_of(k, quoted), IPPROTO_UDP, header.size()) + header;
}

}  // namespace

std::string packet_bytes(const Kernel& k, const sk_buff& skb) {
  const Ends ends = ends_of(k, flow_of(&skb));
  std::string body;
  std::size_t at = 16;  // where the checksum stands
  switch (skb.protocol) {
    case IPPROTO_UDP:
      body = udp_datagram(skb);
      at = 6;
      break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      body = icmp_message(k, skb);
      at = 2;
      break;
    default:
      body = tcp_segment(skb);
      break;
  }
  u16 sum = skb.protocol == IPPROTO_ICMP ? checksum(sum_of(body)) : transport_checksum(ends, skb.protocol, body);
  if (skb.protocol == IPPROTO_UDP && sum == 0) sum = 0xffff;  // 0 says that there is none
  put_at(body, at, sum);
  return ip_header(ends, skb.protocol, body.size()) + body;
}

}  // namespace wakepath::kernel
