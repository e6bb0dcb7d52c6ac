#include "src/service/mailbox.hh"

#include <algorithm>
#include <utility>

namespace wakepath::service {

namespace {
size_t bytes_of(const Message& message) { return message.text.size() + message.socket.data.size(); }
}  // namespace

uint64_t Mailbox::push(Message&& message) {
  if (count_ == ring_.size()) {
    constexpr size_t kFirst = 8;
    std::vector<Message> larger(std::max(kFirst, ring_.size() * 2));
    for (size_t i = 0; i < count_; ++i) larger[i] = std::move(ring_[(head_ + i) % ring_.size()]);
    ring_ = std::move(larger);
    head_ = 0;
  }
  bytes_ += bytes_of(message);
  ring_[(head_ + count_++) & (ring_.size() - 1)] = std::move(message);
  return ++last_serial_;
}

uint64_t Mailbox::take(std::vector<Message>& out, size_t most) {
  const uint64_t first = last_serial_ - count_ + 1;
  const size_t taken = std::min(most, count_);
  for (size_t i = 0; i < taken; ++i) {
    bytes_ -= bytes_of(ring_[head_]);
    out.push_back(std::move(ring_[head_]));
    head_ = (head_ + 1) & (ring_.size() - 1);
  }
  count_ -= taken;
  if (count_ == 0) overload_at_ = kOverload;
  return first;
}

size_t Mailbox::overload() {
  if (count_ < overload_at_) return 0;
  overload_at_ *= 2;
  return count_;
}

void Mailbox::clear() {
  ring_ = std::vector<Message>();
  head_ = count_ = bytes_ = 0;
  overload_at_ = kOverload;
}

}  // namespace wakepath::service
