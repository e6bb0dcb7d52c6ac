#include "src/server/kqueue_poller.hh"

#include <algorithm>

#if defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || defined(__DragonFly__) || \
    defined(__APPLE__) || defined(WAKEPATH_KQUEUE)
#define WAKEPATH_HAS_KQUEUE 1
#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>

#include <cerrno>
#include <utility>
#endif

namespace wakepath::server {

std::array<KChange, 2> changes_to_add(int fd, uint64_t key, bool read, bool write) {
  using Action = KChange::Action;
  return {KChange{fd, KFilter::read, read ? Action::add_enabled : Action::add_disabled, key},
          KChange{fd, KFilter::write, write ? Action::add_enabled : Action::add_disabled, key}};
}

std::array<KChange, 2> changes_to_enable(int fd, uint64_t key, bool read, bool write) {
  using Action = KChange::Action;
  return {KChange{fd, KFilter::read, read ? Action::enable : Action::disable, key},
          KChange{fd, KFilter::write, write ? Action::enable : Action::disable, key}};
}

std::array<KChange, 2> changes_to_remove(int fd) {
  return {KChange{fd, KFilter::read, KChange::Action::remove, 0},
          KChange{fd, KFilter::write, KChange::Action::remove, 0}};
}

int translate(std::span<const KEvent> events, std::span<Ready> ready) {
  size_t count = 0;
  std::array<bool, Poller::kBatch> read_over{}, write_over{};
  for (const KEvent& event : events) {
    const auto begin = ready.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    const auto found = std::find_if(begin, end, [&](const Ready& entry) { return entry.key == event.key; });
    const auto at = static_cast<size_t>(found - begin);
    if (found == end) ready[count++] = {.key = event.key};
    Ready& entry = ready[at];
    (event.filter == KFilter::read ? entry.readable : entry.writable) = true;
    if (event.eof) (event.filter == KFilter::read ? read_over : write_over)[at] = true;
    if (event.error != 0) entry.error = true;
    // the write filter ends only when nothing can be sent any more; the read filter's end may be a mere FIN
    entry.hangup = read_over[at] && write_over[at];
  }
  return static_cast<int>(count);
}

#ifdef WAKEPATH_HAS_KQUEUE

namespace {

struct kevent to_native(const KChange& change) {
  using Action = KChange::Action;
  unsigned short flags = 0;
  switch (change.action) {
    case Action::add_enabled:
      flags = EV_ADD | EV_ENABLE;
      break;
    case Action::add_disabled:
      flags = EV_ADD | EV_DISABLE;
      break;
    case Action::enable:
      flags = EV_ENABLE;
      break;
    case Action::disable:
      flags = EV_DISABLE;
      break;
    case Action::remove:
      flags = EV_DELETE;
      break;
  }
  struct kevent native {};
  EV_SET(&native, static_cast<uintptr_t>(change.fd), change.filter == KFilter::read ? EVFILT_READ : EVFILT_WRITE, flags,
         0, 0, reinterpret_cast<void*>(static_cast<uintptr_t>(change.key)));
  return native;
}

KEvent from_native(const struct kevent& native) {
  const bool eof = (native.flags & EV_EOF) != 0;
  const bool failed = (native.flags & EV_ERROR) != 0;
  return {.fd = static_cast<int>(native.ident),
          .filter = native.filter == EVFILT_READ ? KFilter::read : KFilter::write,
          .eof = eof,
          .error = failed ? static_cast<int>(native.data)
                   : eof  ? static_cast<int>(native.fflags)
                          : 0,
          .key = reinterpret_cast<uintptr_t>(native.udata)};
}

class KqueuePoller final : public Poller {
 public:
  explicit KqueuePoller(os::Os& os) : os_(os) {}
  ~KqueuePoller() override { release(); }

  bool edge_triggered() const override { return false; }
  int create() override {
    queue_ = ::kqueue();
    return queue_ < 0 ? -errno : 0;
  }
  bool valid() const override { return queue_ >= 0; }
  void release() override {
    if (queue_ >= 0) os_.close(std::exchange(queue_, -1));
  }
  int add(int fd, uint64_t key, bool read, bool write) override { return apply(changes_to_add(fd, key, read, write)); }
  int del(int fd) override { return apply(changes_to_remove(fd)); }
  int enable(int fd, uint64_t key, bool read, bool write) override {
    return apply(changes_to_enable(fd, key, read, write));
  }
  int wait(std::span<Ready, kBatch> ready, int timeout_ms) override {
    struct kevent native[kBatch];
    const timespec limit{.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1'000'000L};
    int count = 0;
    do {
      count = ::kevent(queue_, nullptr, 0, native, kBatch, timeout_ms < 0 ? nullptr : &limit);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    std::array<KEvent, kBatch> events;
    std::transform(native, native + count, events.begin(), from_native);
    return translate(std::span(events).first(static_cast<size_t>(count)), ready);
  }
  int nonblocking(int fd) override {
    const int flags = os_.fcntl(fd, F_GETFL, 0);
    if (flags < 0) return flags;
    if ((flags & O_NONBLOCK) != 0) return 1;
    const int set = os_.fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return set < 0 ? set : 0;
  }

 private:
  int apply(const std::array<KChange, 2>& changes) {
    struct kevent native[] = {to_native(changes[0]), to_native(changes[1])};
    return ::kevent(queue_, native, 2, nullptr, 0, nullptr) < 0 ? -errno : 0;
  }
  os::Os& os_;
  int queue_ = -1;
};

}  // namespace

std::unique_ptr<Poller> make_kqueue_poller(os::Os& os) { return std::make_unique<KqueuePoller>(os); }

#else

std::unique_ptr<Poller> make_kqueue_poller(os::Os& /*os*/) { return nullptr; }

#endif

}  // namespace wakepath::server
