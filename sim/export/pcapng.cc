#include "sim/export/pcapng.hh"

namespace wakepath::exports {

namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A, kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint16_t kEnd = 0, kComment = 1, kName = 2, kApplication = 4, kResolution = 9;
constexpr std::uint16_t kRawIp = 101;  // LINKTYPE_RAW

/// Little endian, as the byte-order magic says.
template <class Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

void pad(std::string& out) {
  while (out.size() % 4 != 0) out += '\0';
}

void option(std::string& out, std::uint16_t code, std::string_view value) {
  value = value.substr(0, 0xffff);
  put(out, code);
  put(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out);
}

}  // namespace

Pcapng::Pcapng(std::string_view about) {
  std::string section;
  put(section, std::uint32_t{0x1A2B3C4D});
  put(section, std::uint32_t{1});   // version 1.0
  put(section, ~std::uint64_t{0});  // the section's length is not said
  option(section, kComment, about);
  option(section, kApplication, "Wakepath");
  option(section, kEnd, "");
  block(kSectionHeader, section);
  std::string interface;
  put(interface, std::uint32_t{kRawIp});
  put(interface, std::uint32_t{0});  // nothing is cut off
  option(interface, kName, "lo");
  option(interface, kResolution, "\x09");  // 10^-9 s
  option(interface, kEnd, "");
  block(kInterface, interface);
}

void Pcapng::add(std::uint64_t time_ns, std::string_view packet, std::string_view comment) {
  std::string body;
  put(body, std::uint32_t{0});  // the interface
  put(body, static_cast<std::uint32_t>(time_ns >> 32));
  put(body, static_cast<std::uint32_t>(time_ns));
  put(body, static_cast<std::uint32_t>(packet.size()));
  put(body, static_cast<std::uint32_t>(packet.size()));
  body += packet;
  pad(body);
  if (!comment.empty()) {
    option(body, kComment, comment);
    option(body, kEnd, "");
  }
  block(kEnhancedPacket, body);
  ++packets_;
}

void Pcapng::block(std::uint32_t type, std::string_view body) {
  const auto size = static_cast<std::uint32_t>(body.size() + 12);
  put(bytes_, type);
  put(bytes_, size);
  bytes_ += body;
  put(bytes_, size);
}

}  // namespace wakepath::exports
