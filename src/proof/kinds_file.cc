#include "src/proof/kinds.hh"

namespace wakepath::proof {
namespace {

constexpr std::size_t kMostActors = 8;
constexpr std::size_t kMostThreads = 4;

bool make_close(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_anything);
  s.args = {fd.empty() ? w.any_fd(process) : fd};
  return true;
}

bool make_dup(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_anything);
  s.targets = {w.fresh("d")};
  s.args = {fd};
  return !fd.empty();
}

bool make_dup2(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_anything);
  s.targets = {w.fresh("d")};
  s.args = {fd, w.random.one_of({"3", "4", "5", "6", "9", "20", "-1"})};
  return !fd.empty();
}

bool make_dup3(World& w, const std::string& process, ProgramStep& s) {
  const bool made = make_dup2(w, process, s);
  s.args.push_back(w.random.one_of({"O_CLOEXEC", "0", "0", "1"}));
  return made;
}

/// Mostly more than a program needs: with few descriptors little else happens.
bool make_setrlimit(World& w, const std::string&, ProgramStep& s) {
  s.args = {"RLIMIT_NOFILE", w.random.one_of({"20000", "64", "20000", "20001", "64", "12", "9", "7"})};
  return true;
}

bool make_fcntl(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_anything);
  s.args = {fd, w.random.one_of({"F_GETFL", "F_SETFL", "F_SETFL", "F_SETFL", "F_GETFD", "F_SETFD", "F_DUPFD"})};
  if (s.args[1] == "F_SETFL") {
    s.args.push_back(w.random.one_of({"O_NONBLOCK", "O_NONBLOCK", "0", "O_APPEND", "O_DIRECT", "O_ASYNC"}));
  } else if (s.args[1] == "F_SETFD") {
    s.args.push_back(w.random.one_of({"FD_CLOEXEC", "0"}));
  } else if (s.args[1] == "F_DUPFD") {
    s.args[1] = w.random.one_of({"F_DUPFD", "F_DUPFD_CLOEXEC"});
    s.args.push_back(w.random.one_of({"0", "3", "7", "20", "-1"}));
    s.targets = {w.fresh("d")};
  }
  return !fd.empty();
}

bool make_pipe(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("r"), w.fresh("w")};
  s.args = {w.random.one_of({"0", "O_NONBLOCK", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECT", "O_DIRECT|O_NONBLOCK", "1"})};
  return true;
}

bool make_socketpair(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("u"), w.fresh("v")};
  s.args = {w.random.percent(96) ? "AF_UNIX" : "AF_INET",
            std::string(w.random.one_of({"SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"})) +
                (w.random.percent(40) ? "|SOCK_NONBLOCK" : ""),
            "0"};
  return true;
}

bool make_eventfd(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("e")};
  s.args = {
      w.random.one_of({"0", "0", "1", "3"}),
      w.random.one_of({"0", "EFD_NONBLOCK", "EFD_NONBLOCK", "EFD_SEMAPHORE", "EFD_SEMAPHORE|EFD_NONBLOCK", "1024"})};
  return true;
}

bool make_memfd(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("m")};
  s.args = {"\"m\"", w.random.one_of({"0", "MFD_CLOEXEC", "MFD_ALLOW_SEALING", "1024"})};
  return true;
}

/// Mostly of files that have a position.
bool make_lseek(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(
      process, [&](const Object& o, const Descriptor&) { return o.sort == Sort::memory_file || w.random.percent(10); });
  s.args = {fd, w.random.one_of({"0", "0", "0", "3", "100", "4096", "9000", "-1", "-7", "4294967301"}),
            w.random.one_of({"SEEK_SET", "SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE", "9"})};
  return !fd.empty();
}

bool make_timerfd(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("t")};
  s.args = {w.random.one_of({"CLOCK_MONOTONIC", "CLOCK_REALTIME"}), w.random.one_of({"0", "TFD_NONBLOCK"})};
  return true;
}

/// Periods are long against the pace of a program: a second expiry must not come by chance.
bool make_timerfd_settime(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, [](const Object& o, const Descriptor&) { return o.sort == Sort::timerfd; });
  s.args = {fd, w.random.one_of({"40ms", "0ms", "100s"}), "0ms"};
  return !fd.empty();
}

bool make_signalfd(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("g")};
  s.args = {"[SIGUSR1]", w.random.one_of({"0", "SFD_NONBLOCK"})};
  return true;
}

bool make_sigprocmask(World& w, const std::string&, ProgramStep& s) {
  s.args = {w.random.one_of({"SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"}), w.random.one_of({"[SIGUSR1]", "[SIGUSR2]"})};
  return true;
}

bool make_fork(World& w, const std::string& process, ProgramStep& s) {
  s.args = {w.new_actor_name(process)};
  return w.actors().size() < kMostActors;
}

bool make_thread(World& w, const std::string& process, ProgramStep& s) {
  s.args = {w.new_actor_name(process)};
  return w.actors().size() < kMostActors && w.threads_of(process) < kMostThreads;
}

bool make_execve(World& w, const std::string& process, ProgramStep&) { return w.threads_of(process) == 1; }

bool make_exit(World& w, const std::string&, ProgramStep&) { return w.idle().size() > 2; }

}  // namespace

bool is_anything(const Object&, const Descriptor&) { return true; }

const std::vector<Kind> kFileKinds = {
    {"close", 22, make_close},
    {"dup", 6, make_dup},
    {"dup2", 5, make_dup2},
    {"dup3", 4, make_dup3},
    {"setrlimit", 2, make_setrlimit},
    {"fcntl", 9, make_fcntl},
    {"pipe2", 6, make_pipe},
    {"socketpair", 6, make_socketpair},
    {"eventfd", 5, make_eventfd},
    {"memfd_create", 4, make_memfd},
    {"lseek", 9, make_lseek},
    {"timerfd_create", 4, make_timerfd},
    {"timerfd_settime", 18, make_timerfd_settime},
    {"signalfd4", 2, make_signalfd},
    {"sigprocmask", 3, make_sigprocmask},
    {"fork", 3, make_fork},
    {"thread", 4, make_thread},
    {"execve", 3, make_execve},
    {"exit", 5, make_exit},
};

}  // namespace wakepath::proof
