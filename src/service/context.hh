#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/os/mutex.hh"
#include "src/server/slots.hh"
#include "src/service/mailbox.hh"
#include "src/service/service.hh"

namespace wakepath::service {

/// What a service has done so far. One thread at a time writes, any may look.
struct ContextFigures {
  server::Relaxed<uint64_t> messages;  ///< handled
  server::Relaxed<uint64_t> errors;    ///< thrown
  server::Relaxed<int64_t> busy_ns;    ///< spent in callbacks
};

/// The place of a service: its queue, and who runs it. Places are never freed, so a pointer to one stays good; whether
/// it is still the same service's, the handle says.
///
/// `scheduled` is what makes a service's callbacks never overlap: who sets it owes the context one run, and only who
/// runs it may take it back.
struct Context {
  std::atomic<Handle> handle{0};  ///< 0: free. Written under the lock
  os::MutexWord lock;

  // ---- under the lock
  Mailbox mailbox;
  std::vector<server::SocketId> held;  ///< sockets that are not read while so much waits
  bool scheduled = false;              ///< waits to be run, or runs
  std::atomic<bool> dying = false;     ///< is to be taken away by its next run; also read without the lock

  // ---- whoever runs it
  std::unique_ptr<Service> service;
  int64_t message_ns = 0;           ///< what a message takes, a moving mean
  uint32_t runs = 0;                ///< measured so far
  std::atomic<bool> quick = false;  ///< fit to be run by the socket thread

  Context* next = nullptr;  ///< in the queue of those that are scheduled
  std::string name;         ///< set before the handle
  ContextFigures figures;
  uint32_t place = 0;
  uint32_t generation = 0;
};

/// All places, made as they are needed in chunks that never move.
class Contexts {
 public:
  static constexpr size_t kMost = 65'535;

  explicit Contexts(os::Os& os) : os_(os), lock_(os) {}
  ~Contexts();
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;

  /// Any thread. A place with a new handle that nobody finds before publish(); null when all are taken.
  Context* reserve(Handle& handle);
  /// From now on find() finds it.
  void publish(Context& context, Handle handle);
  /// Any thread, no lock. Under the context's lock the handle must be looked at again.
  Context* find(Handle handle) const;
  /// The place is free. Its handle is 0 already.
  void release(Context& context);

  /// Places made so far; at(i) for i below it.
  size_t made() const { return made_.load(std::memory_order_acquire); }
  Context& at(size_t index) const { return chunks_[index / kChunk].load(std::memory_order_acquire)[index % kChunk]; }

 private:
  static constexpr size_t kChunk = 256;

  os::Os& os_;
  os::Mutex lock_;  // guards free_ and growth
  std::vector<uint32_t> free_;
  std::array<std::atomic<Context*>, kMost / kChunk + 1> chunks_{};
  std::atomic<size_t> made_{0};
};

}  // namespace wakepath::service
