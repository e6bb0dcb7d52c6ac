#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/os/model_threads.hh"
#include "src/os/os.hh"

namespace wakepath::os {

/// The modelled kernel as a machine: the program runs inside the model, deterministically. Its threads are threads of
/// one modelled process, and the thread that makes the ModelOs is the first of them until it destroys it; no other
/// thread may use it but those that thread_start makes.
///
/// One thread runs at a time, and time stands still while any can. Each call that goes to the model is a place where
/// another thread may come next: the first in the engine's run queue, or one that the seed chooses. When nobody can
/// run, time moves to the next timer; when there is none, the program is stuck: problem() then says who waits for what,
/// and all waiting calls end with -ECANCELED, as on shutdown().
///
/// What does not go to the model takes no time and lets nobody else run: thread_self, monotonic_ns, random, resolve. A
/// loop that only looks at the clock therefore never ends.
class ModelOs final : public Os {
 public:
  /// `k` has run nothing yet, and outlives the ModelOs; its trace is the recording of the run.
  explicit ModelOs(kernel::Kernel& k, const ModelOsOptions& options = {});
  /// By the thread that made it. Shuts down, waits for the threads that nobody has joined, and closes what is open.
  ~ModelOs() override = default;
  ModelOs(const ModelOs&) = delete;
  ModelOs& operator=(const ModelOs&) = delete;

  /// The machine is taken down: a call that sleeps, or would sleep, ends with -ECANCELED from now on (but thread_join,
  /// which waits on). What does not sleep works as before. A program that goes on for long all the same is aborted.
  void shutdown() { threads_.cancel(); }
  /// Why the machine was taken down although nobody asked for it; empty: it was not.
  const std::string& problem() const { return threads_.problem(); }
  /// The descriptors that are open, but 0, 1 and 2.
  std::vector<int> open_descriptors() const;
  /// Calls that went to the model, so far.
  uint64_t calls() const { return threads_.calls(); }
  /// For a program whose machine is somebody else's too: the calling thread lets everything run, tasks of others
  /// included, until all sleep or are idle. No time passes.
  void run_until_quiet() { threads_.run_until_quiet(); }
  /// The first thread, and so the process with its descriptors.
  kernel::task_struct* first_task() const { return threads_.first_task(); }
  /// Writes a note of the calling thread into the trace.
  void note(std::string_view text) { threads_.note(text); }
  /// A call of the calling thread that fails with `error` > 0 before it does anything, as a step of the trace: for what
  /// stands around this Os and injects faults. Returns -error.
  int refuse(const char* call, int subject, int error);

  int socket(int domain, int type, int protocol) override;
  int bind(int fd, const sockaddr* address, socklen_t size) override;
  int listen(int fd, int backlog) override;
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override;
  int connect(int fd, const sockaddr* address, socklen_t size) override;
  int getsockname(int fd, sockaddr* address, socklen_t* size) override;
  int getpeername(int fd, sockaddr* address, socklen_t* size) override;
  int setsockopt(int fd, int level, int option, const void* value, socklen_t size) override;
  int getsockopt(int fd, int level, int option, void* value, socklen_t* size) override;
  int shutdown(int fd, int how) override;
  int close(int fd) override;
  ssize_t read(int fd, void* data, size_t size) override;
  ssize_t write(int fd, const void* data, size_t size) override;
  ssize_t send(int fd, const void* data, size_t size, int flags) override;
  ssize_t recv(int fd, void* data, size_t size, int flags) override;
  ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) override;
  ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) override;
  int fcntl(int fd, int command, int argument) override;
  int pipe2(int fds[2], int flags) override;
  int epoll_create1(int flags) override;
  int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) override;
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override;
  /// Without a name server, and at once: addresses in figures, "", "localhost" and what the options know; else -ENOENT.
  int resolve(const std::string& host, uint16_t port, int type, bool passive,
              std::vector<SocketAddress>& addresses) override;
  int thread_start(const std::string& name, std::function<void()> body) override;
  int thread_join(int thread) override { return threads_.join(thread); }
  ThreadInfo thread_self() override { return threads_.self(); }
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override;
  int unpark(std::atomic<uint32_t>& word, int count) override;
  /// Virtual time.
  int64_t monotonic_ns() override { return static_cast<int64_t>(k_.now_ns()); }
  int sleep_ns(int64_t duration_ns) override;
  /// The seed's sequence.
  int random(void* data, size_t size) override;

 private:
  kernel::Kernel& k_;
  std::map<std::string, std::vector<SocketAddress>> hosts_;
  uint64_t random_;
  ModelThreads threads_;
};

}  // namespace wakepath::os
