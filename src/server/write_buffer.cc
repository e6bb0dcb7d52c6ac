#include "src/server/write_buffer.hh"

#include <cerrno>
#include <utility>

#include "src/os/retry.hh"

namespace wakepath::server {

ssize_t Sink::put(os::Os& os, std::string_view bytes, const os::SocketAddress& to) const {
  return os::retry_on_eintr([&]() -> ssize_t {
    if (kind == Kind::file) return os.write(fd, bytes.data(), bytes.size());
    if (!to.present()) return os.send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    const os::SocketAddress::Native native = to.native();
    return os.sendto(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, native.get(), native.size);
  });
}

void WriteBuffer::Queue::push(Piece* piece) {
  (tail == nullptr ? head : tail->next) = piece;
  tail = piece;
}

WriteBuffer::Piece* WriteBuffer::Queue::pop() {
  Piece* piece = head;
  head = std::exchange(piece->next, nullptr);
  if (head == nullptr) tail = nullptr;
  return piece;
}

void WriteBuffer::append(Payload payload, size_t sent, Priority priority) {
  const std::string_view rest = payload.view().substr(sent);
  if (rest.empty()) return;
  bytes_ += rest.size();
  Queue& queue = queue_for(priority);
  // Many small pieces are one: a system call and eighty bytes each are saved.
  std::string* before = queue.tail == nullptr ? nullptr : queue.tail->payload.own_string();
  if (before != nullptr && before->size() + rest.size() <= kJoined) {
    before->append(rest);
    return;
  }
  const bool joins_later = rest.size() < kJoined / 2;
  auto* piece = new Piece;
  if (joins_later || !payload.keeps_itself()) {
    piece->payload = Payload(std::string(rest));
  } else {
    piece->payload = std::move(payload);
    piece->sent = sent;
  }
  ++pieces_;
  queue.push(piece);
}

void WriteBuffer::append_datagram(Payload payload, const os::SocketAddress& to) {
  bytes_ += payload.size();
  ++pieces_;
  auto* piece = new Piece;
  piece->to = to;
  piece->payload = payload.keeps_itself() ? std::move(payload) : Payload(std::string(payload.view()));
  high_.push(piece);
}

void WriteBuffer::clear() {
  for (Queue* queue : {&high_, &low_})
    while (queue->head != nullptr) delete queue->pop();
  bytes_ = pieces_ = 0;
}

WriteBuffer::Flushed WriteBuffer::flush(os::Os& os, Sink sink, size_t budget) {
  Flushed result;
  while (!empty()) {
    if (result.sent >= budget) return {.error = kMore, .sent = result.sent};
    Queue& queue = high_.head != nullptr ? high_ : low_;
    Piece& head = *queue.head;
    const std::string_view left = head.payload.view().substr(head.sent);
    const ssize_t done = sink.put(os, left, head.to);
    if (done == -EAGAIN) return {.error = -EAGAIN, .sent = result.sent};
    const bool datagram = sink.kind == Sink::Kind::datagram;
    if (done < 0 && !datagram) return {.error = static_cast<int>(done), .sent = result.sent};
    const size_t gone = datagram ? left.size() : static_cast<size_t>(done);
    bytes_ -= gone;
    if (done > 0) result.sent += static_cast<size_t>(done);
    if (gone == left.size()) {
      delete queue.pop();
      --pieces_;
      if (done < 0) return {.error = static_cast<int>(done), .sent = result.sent};
      continue;
    }
    head.sent += gone;
    if (&queue == &low_) high_.push(low_.pop());  // its rest must not wait behind another message
    return {.error = -EAGAIN, .sent = result.sent, .short_count = true};  // as likely as not, its buffer is full
  }
  return result;
}

}  // namespace wakepath::server
