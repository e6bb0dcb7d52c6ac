// wakepath doctor: what this machine offers, a line each, found by trying and not by guessing from versions.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "sim/export/layout.hh"
#include "src/cli/commands.hh"
#include "src/guest/strace_run.hh"
#include "src/scenario/kernel_versions.hh"

namespace wakepath::cli {

namespace {

struct Finding {
  bool ok = false;
  std::string words;  ///< what was found, and what it means
};

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Runs `attempt` in a child of its own, so that nothing of it stays; its errno, 0 for success.
int try_in_child(const std::function<bool()>& attempt) {
  pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(attempt() ? 0 : errno);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
}

Finding kernel(const scenario::HostKernel& host) {
  if (!host.not_linux.empty()) return {false, host.not_linux + ": scenarios run on the model alone"};
  bool same = host.version == scenario::KernelVersion{6, 18};
  return {same || host.version.major >= 5,
          fmt::format("Linux {}; the model follows 6.18{}", host.release,
                      same ? "" : ": results agree where it says so, call paths may differ in detail")};
}

/// Which known differences between kernels apply to this one.
Finding versions(const scenario::HostKernel& host) {
  const scenario::VersionTable& table = scenario::version_table();
  std::string points;
  for (const scenario::VersionDifference* d : scenario::applying(table, host.version))
    points += fmt::format("{}{} (before {})", points.empty() ? "" : ", ", d->point, d->first.text());
  bool judged = host.version >= table.judged_from;
  return {judged, fmt::format("{}; {}",
                              judged ? "every difference to the model fails a run"
                                     : "older than " + table.judged_from.text() + ": differences are only reported",
                              points.empty() ? "no known difference applies" : "known, and excused: " + points)};
}

Finding display() {
  const char* x = std::getenv("DISPLAY");
  const char* wayland = std::getenv("WAYLAND_DISPLAY");
  if (x != nullptr && *x != '\0') return {true, fmt::format("DISPLAY={}: the stage opens a window", x)};
  if (wayland != nullptr && *wayland != '\0')
    return {true, fmt::format("WAYLAND_DISPLAY={}: the stage opens a window if XWayland runs", wayland)};
  return {false, "no DISPLAY: text and pictures instead of the window"};
}

Finding opengl() {
  void* egl = dlopen("libEGL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (egl == nullptr) return {false, "no libEGL.so.1: no pictures of the stage (package libegl1)"};
  // EGL 1.5 and EGL_MESA_platform_surfaceless: a renderer without any display
  constexpr unsigned kSurfaceless = 0x31DD;
  using GetDisplay = void* (*)(unsigned, void*, const long*);
  using Initialize = unsigned (*)(void*, int*, int*);
  auto get = reinterpret_cast<GetDisplay>(dlsym(egl, "eglGetPlatformDisplay"));
  auto initialize = reinterpret_cast<Initialize>(dlsym(egl, "eglInitialize"));
  int major = 0, minor = 0;
  void* surface = get != nullptr ? get(kSurfaceless, nullptr, nullptr) : nullptr;
  if (surface == nullptr || initialize == nullptr || initialize(surface, &major, &minor) == 0)
    return {false, "EGL is there but starts no renderer (package libgl1-mesa-dri)"};
  // No eglTerminate(): it unloads Mesa's driver, which then leaks. The program ends soon.
  return {true, fmt::format("EGL {}.{} renders without a display: the stage can be drawn into a file", major, minor)};
}

Finding graphviz() {
  exports::LayoutHelper helper;
  constexpr std::string_view kGraph = "digraph { a -> b }";
  exports::Picture svg = helper.layout(kGraph, exports::LayoutFormat::kSvg);
  if (!svg.ok()) return {false, "no pictures (--format dot works): " + svg.error};
  exports::Picture png = helper.layout(kGraph, exports::LayoutFormat::kPng);
  if (!png.ok()) return {true, "draws SVG, no PNG (packages libgvc6-plugins-gtk, libgvc6): " + png.error};
  return {true, "draws SVG and PNG"};
}

Finding namespaces() {
  int error = try_in_child([] { return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0; });
  if (error == 0) return {true, "a private network for each scenario: ports are free, nothing else is seen"};
  return {false, fmt::format("no private network ({}): scenarios share the machine's loopback", std::strerror(error))};
}

Finding fifo() {
  int error = try_in_child([] {
    sched_param priority{};
    priority.sched_priority = 1;
    return sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
  });
  if (error == 0) return {true, "actors of a scenario can be put before everything else: steadier order"};
  return {false, fmt::format("not allowed ({}): actors run under the normal scheduler", std::strerror(error))};
}

Finding sock_diag() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.ok())
    return {false, fmt::format("{}: states and queues of sockets stay unchecked", std::strerror(errno))};
  struct {
    nlmsghdr head;
    inet_diag_req_v2 request;
  } ask{};
  ask.head.nlmsg_len = sizeof ask;
  ask.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.request.sdiag_family = AF_INET;
  ask.request.sdiag_protocol = IPPROTO_TCP;
  ask.request.idiag_states = ~0u;
  char answer[32768];
  timeval limit{2, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (send(socket.get(), &ask, sizeof ask, 0) < 0 || recv(socket.get(), answer, sizeof answer, 0) <= 0)
    return {false, fmt::format("no answer ({}): states and queues of sockets stay unchecked", std::strerror(errno))};
  nlmsghdr head{};
  std::memcpy(&head, answer, sizeof head);
  if (head.nlmsg_type == NLMSG_ERROR) return {false, "refused: states and queues of sockets stay unchecked"};
  return {true, "state, queues and accept queue of every TCP socket can be compared with the model"};
}

Finding fdinfo() {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  Descriptor event(eventfd(0, EFD_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &wanted);
  std::ifstream in(fmt::format("/proc/self/fdinfo/{}", epoll.get()));
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("tfd:")) return {true, "the interest list of an epoll can be compared with the model"};
  return {false, "/proc/self/fdinfo has no 'tfd:' lines: interest lists stay unchecked"};
}

Finding tracepoints() {
  perf_event_attr attribute{};
  attribute.size = sizeof attribute;
  attribute.type = PERF_TYPE_TRACEPOINT;
  for (const char* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream in(std::string(root) + "/events/sock/inet_sock_set_state/id");
    if (!(in >> attribute.config)) continue;
    Descriptor event(static_cast<int>(syscall(SYS_perf_event_open, &attribute, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    if (event.ok()) return {true, "kernel functions that really ran can be recorded with their call chains"};
    return {false, fmt::format("listed but not allowed ({}): call paths are the model's", std::strerror(errno))};
  }
  return {false, "tracefs is not mounted or not readable: call paths are the model's, results are still compared"};
}

Finding following() {
  const guest::TracedRun run = guest::run_under_strace({"true"}, "/dev/null");
  if (!run.error.empty()) return {false, "record -- COMMAND: " + run.error};
  if (run.status != 0) return {false, "record -- COMMAND: ptrace is not allowed here"};
  return {true, "record -- COMMAND can follow any program on this kernel"};
}

void say(std::string_view what, const Finding& finding, bool colour) {
  std::string_view word = finding.ok ? "ok" : "missing";
  std::string_view paint = finding.ok ? "\x1b[32m" : "\x1b[33m";
  fmt::print("{:<14}{}{:<9}{}{}\n", what, colour ? paint : "", word, colour ? "\x1b[0m" : "", finding.words);
}

}  // namespace

int doctor() {
  const char* plain = std::getenv("NO_COLOR");
  bool colour = isatty(STDOUT_FILENO) != 0 && (plain == nullptr || *plain == '\0');
  std::fflush(stdout);  // before the first fork
  say("kernel", kernel(scenario::host_kernel()), colour);
  say("versions", versions(scenario::host_kernel()), colour);
  say("display", display(), colour);
  say("OpenGL", opengl(), colour);
  say("Graphviz", graphviz(), colour);
  say("namespaces", namespaces(), colour);
  say("SCHED_FIFO", fifo(), colour);
  say("sock_diag", sock_diag(), colour);
  say("epoll fdinfo", fdinfo(), colour);
  say("tracepoints", tracepoints(), colour);
  say("strace", following(), colour);
  return 0;
}

}  // namespace wakepath::cli
