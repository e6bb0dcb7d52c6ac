#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wakepath::exports {

/// Packets as a capture in the format pcapng, which Wireshark and tshark open: one interface of raw IP packets
/// (LINKTYPE_RAW), times in ns. https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
class Pcapng {
 public:
  /// `about` becomes the capture's comment.
  explicit Pcapng(std::string_view about);
  /// Headers and data of an IPv4 or IPv6 packet; `comment` may be empty.
  void add(std::uint64_t time_ns, std::string_view packet, std::string_view comment);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t packets() const { return packets_; }

 private:
  void block(std::uint32_t type, std::string_view body);

  std::string bytes_;
  std::size_t packets_ = 0;
};

}  // namespace wakepath::exports
