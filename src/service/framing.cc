#include "src/service/framing.hh"

namespace wakepath::service {

void FrameReader::add(std::string_view bytes) {
  bytes_.erase(0, read_);
  read_ = 0;
  bytes_.append(bytes);
}

std::optional<std::string_view> FrameReader::next() {
  constexpr size_t kHeader = 2;
  if (pending() < kHeader) return {};
  auto byte = [&](size_t at) { return static_cast<size_t>(static_cast<unsigned char>(bytes_[read_ + at])); };
  const size_t size = byte(0) << 8 | byte(1);
  if (pending() < kHeader + size) return {};
  const std::string_view message = std::string_view(bytes_).substr(read_ + kHeader, size);
  read_ += kHeader + size;
  return message;
}

std::string framed(std::string_view message) {
  if (message.size() > FrameReader::kMost) return {};
  std::string out;
  out.reserve(message.size() + 2);
  out.push_back(static_cast<char>(message.size() >> 8));
  out.push_back(static_cast<char>(message.size() & 0xFF));
  out.append(message);
  return out;
}

}  // namespace wakepath::service
