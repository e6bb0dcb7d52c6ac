#include "sim/export/layout.hh"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "sim/export/layout_protocol.hh"

namespace wakepath::exports {

namespace {

std::filesystem::path beside_this_program() {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.parent_path() / "wakepath-layout";
}

}  // namespace

LayoutHelper::LayoutHelper(Options options) : options_(std::move(options)) {
  if (options_.executable.empty()) options_.executable = beside_this_program();
}

std::string LayoutHelper::start() {
  if (access(options_.executable.c_str(), X_OK) != 0)
    return fmt::format("{}: cannot be run: {}; it is built beside wakepath and belongs in the same folder",
                       options_.executable.string(), std::strerror(errno));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fmt::format("no socket for the layout helper: {}", std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  // what an aborting Graphviz prints would stand in the middle of our own output
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string name = options_.executable.string();
  std::string serve = "--serve";
  char* argv[] = {name.data(), serve.data(), nullptr};
  int error = posix_spawn(&pid_, name.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    pid_ = 0;
    return fmt::format("{}: cannot be started: {}", name, std::strerror(error));
  }
  socket_ = ends[0];
  layouts_ = 0;
  ++started_;
  return "";
}

void LayoutHelper::stop() {
  if (pid_ == 0) return;
  close(socket_);
  kill(pid_, SIGKILL);  // it has nothing to save
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  socket_ = -1;
}

void LayoutHelper::forget_the_dead() {
  if (pid_ == 0 || waitpid(pid_, nullptr, WNOHANG) != pid_) return;
  close(socket_);
  pid_ = 0;
  socket_ = -1;
}

/// Called when it hung up: it has ended or is about to.
std::string LayoutHelper::how_it_ended() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  close(socket_);
  pid_ = 0;
  socket_ = -1;
  if (WIFSIGNALED(status))
    return fmt::format("the layout helper died of signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("the layout helper ended with status {} in the middle of a layout", WEXITSTATUS(status));
}

std::string LayoutHelper::wait_for(short events, Deadline deadline) {
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd poll_for{socket_, events, 0};
    int ready = left.count() > 0 ? poll(&poll_for, 1, static_cast<int>(left.count())) : 0;
    if (ready > 0) return "";
    if (ready < 0 && errno == EINTR) continue;
    stop();
    return fmt::format("the layout took longer than {} ms and was stopped", options_.limit.count());
  }
}

std::string LayoutHelper::send_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (std::string error = wait_for(POLLOUT, deadline); !error.empty()) return error;
    ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno != EAGAIN && errno != EINTR)
      return how_it_ended();
  }
  return "";
}

std::string LayoutHelper::receive_all(char* to, std::size_t length, Deadline deadline) {
  while (length > 0) {
    if (std::string error = wait_for(POLLIN, deadline); !error.empty()) return error;
    ssize_t got = recv(socket_, to, length, MSG_DONTWAIT);
    if (got > 0) {
      to += got;
      length -= static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return how_it_ended();
    }
  }
  return "";
}

Picture LayoutHelper::layout(std::string_view dot, LayoutFormat format) {
  if (dot.size() > kMostDot) return {"", fmt::format("a graph of {} bytes is too large to lay out", dot.size())};
  if (layouts_ >= options_.layouts_per_process) stop();
  forget_the_dead();
  if (pid_ == 0)
    if (std::string error = start(); !error.empty()) return {"", error};
  ++layouts_;

  auto deadline = std::chrono::steady_clock::now() + options_.limit;
  Head head{static_cast<std::uint32_t>(format), static_cast<std::uint32_t>(dot.size())};
  auto bytes_of = [](Head& h) { return std::string_view(reinterpret_cast<char*>(&h), sizeof h); };
  if (std::string error = send_all(bytes_of(head), deadline); !error.empty()) return {"", error};
  if (std::string error = send_all(dot, deadline); !error.empty()) return {"", error};
  Head reply;
  if (std::string error = receive_all(reinterpret_cast<char*>(&reply), sizeof reply, deadline); !error.empty())
    return {"", error};
  if (reply.length > kMostPicture) {
    stop();
    return {"", "the layout helper answered with nonsense and was stopped"};
  }
  std::string bytes(reply.length, '\0');
  if (std::string error = receive_all(bytes.data(), bytes.size(), deadline); !error.empty()) return {"", error};
  if (reply.word != 0) return {"", bytes.empty() ? "Graphviz gave no reason" : bytes};
  return {std::move(bytes), ""};
}

}  // namespace wakepath::exports
