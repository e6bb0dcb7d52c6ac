#include "src/proof/errors.hh"

#include <fmt/format.h>

#include <algorithm>

#include "src/scenario/text_output.hh"

namespace wakepath::proof {
namespace {

/// `x = dup(y)` as a step; arguments are parted at commas outside of brackets.
ProgramStep step(const std::string& actor, const std::string& text) {
  ProgramStep out;
  out.actor = actor;
  const std::size_t open = text.find('(');
  const std::size_t equals = text.rfind(" = ", open);
  std::size_t name = 0;
  if (equals != std::string::npos) {
    name = equals + 3;
    const std::string left = text.substr(0, equals);
    const std::size_t comma = left.find(", ");
    out.targets = comma == std::string::npos ? std::vector<std::string>{left}
                                             : std::vector<std::string>{left.substr(0, comma), left.substr(comma + 2)};
  }
  out.function = text.substr(name, open - name);
  const std::string inside = text.substr(open + 1, text.size() - open - 2);
  int depth = 0;
  std::string arg;
  for (const char c : inside) {
    depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
    if (c == ',' && depth == 0) {
      out.args.push_back(arg);
      arg.clear();
    } else if (c != ' ' || !arg.empty()) {
      arg.push_back(c);
    }
  }
  if (!arg.empty()) {
    out.args.push_back(arg);
  }
  return out;
}

std::vector<ProgramStep> steps(const std::vector<std::string>& lines) {
  std::vector<ProgramStep> out;
  for (const std::string& line : lines) {
    out.push_back(step(line.substr(0, 1), line.substr(3)));
  }
  return out;
}

using Lines = std::vector<std::string>;

Lines operator+(Lines a, const Lines& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Sockets of a family that listens and connects.
void connected_family(std::vector<Situation>& out, const std::string& name, const std::string& domain,
                      const std::string& type, const std::string& address) {
  const auto add = [&](const std::string& what, const Lines& lines) {
    out.push_back({name + " " + what, steps(lines)});
  };
  const std::string kind = fmt::format("{}, {}|SOCK_NONBLOCK, 0", domain, type);
  const Lines unbound = {fmt::format("a: x = socket({})", kind)};
  const Lines bound = unbound + Lines{fmt::format("a: bind(x, {})", address)};
  const Lines listening = bound + Lines{"a: listen(x, 1)"};
  const Lines server = {fmt::format("b: l = socket({})", kind), fmt::format("b: bind(l, {})", address),
                        "b: listen(l, 0)"};
  const Lines connected = server + unbound + Lines{"a: connect(x, addr(b.l))", "b: c = accept(l)"};
  add("unbound", unbound);
  add("bound", bound);
  add("listening", listening);
  add("listening, one waits", listening + Lines{fmt::format("b: c = socket({})", kind), "b: connect(c, addr(a.x))"});
  if (domain != "AF_UNIX") {
    add("connecting", server + Lines{fmt::format("b: c = socket({})", kind), "b: connect(c, addr(l))"} + unbound +
                          Lines{"a: connect(x, addr(b.l))"});
    add("refused", unbound + Lines{fmt::format("a: connect(x, {}5009)", address.substr(0, address.size() - 1))});
    add("reset", connected + Lines{"a: send(x, \"unread\")", "b: close(c)"});
    add("reset, error taken",
        connected + Lines{"a: send(x, \"unread\")", "b: close(c)", "a: getsockopt(x, SOL_SOCKET, SO_ERROR)"});
  }
  add("connected", connected);
  add("connected, data waits", connected + Lines{"b: send(c, \"data\")"});
  add("half-closed by itself", connected + Lines{"a: shutdown(x, SHUT_WR)"});
  add("half-closed by the peer", connected + Lines{"b: shutdown(c, SHUT_WR)"});
  add("deaf by itself", connected + Lines{"a: shutdown(x, SHUT_RD)"});
  if (domain != "AF_UNIX") {
    add("in TIME_WAIT", connected + Lines{"a: shutdown(x, SHUT_WR)", "b: close(c)"});
    const std::string client = fmt::format("socket({})", kind);
    add("listening, deaf",
        bound + Lines{"a: listen(x, 0)", "b: c = " + client, "b: connect(c, addr(a.x))", "b: d = " + client,
                      "b: connect(d, addr(a.x))", "b: e = " + client, "b: connect(e, addr(a.x))"});
  }
  add("closed by both", connected + Lines{"b: shutdown(c, SHUT_WR)", "a: shutdown(x, SHUT_WR)"});
  add("left by the peer", connected + Lines{"b: close(c)"});
}

void files(std::vector<Situation>& out) {
  const auto add = [&](const std::string& what, const Lines& lines) { out.push_back({what, steps(lines)}); };
  add("closed", {"a: x = socket(AF_INET, SOCK_STREAM, 0)", "a: close(x)"});
  add("null device", {"a: x = dup(0)"});
  add("pipe, reading end", {"a: x, w = pipe2(O_NONBLOCK)"});
  add("pipe, writing end", {"a: r, x = pipe2(O_NONBLOCK)"});
  add("pipe without writers", {"a: x, w = pipe2(O_NONBLOCK)", "a: close(w)"});
  add("pipe without readers", {"a: r, x = pipe2(O_NONBLOCK)", "a: close(r)"});
  add("epoll", {"a: x = epoll_create1(0)"});
  add("epoll in an epoll",
      {"a: x = epoll_create1(0)", "a: q = epoll_create1(0)", "a: epoll_ctl(q, EPOLL_CTL_ADD, x, EPOLLIN)"});
  add("eventfd", {"a: x = eventfd(0, EFD_NONBLOCK)"});
  add("file in memory", {"a: x = memfd_create(\"m\", 0)", "a: write(x, \"0123456789\")", "a: lseek(x, 2, SEEK_SET)"});
  add("timerfd", {"a: x = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)"});
  add("signalfd", {"a: x = signalfd4([SIGUSR1], SFD_NONBLOCK)"});
}

/// UDP. `ip` is the address of this machine in the family.
void datagrams_over(std::vector<Situation>& out, const std::string& name, const std::string& domain,
                    const std::string& ip) {
  const auto add = [&](const std::string& what, const Lines& lines) {
    out.push_back({name + " " + what, steps(lines)});
  };
  const std::string kind = fmt::format("socket({}, SOCK_DGRAM|SOCK_NONBLOCK, 0)", domain);
  const Lines unbound = {"a: x = " + kind};
  add("unbound", unbound);
  add("bound", unbound + Lines{fmt::format("a: bind(x, {}:0)", ip)});
  add("connected",
      Lines{"b: l = " + kind, fmt::format("b: bind(l, {}:0)", ip)} + unbound + Lines{"a: connect(x, addr(b.l))"});
  add("refused", unbound + Lines{fmt::format("a: connect(x, {}:5009)", ip), "a: send(x, \"nobody\")"});
  const Lines connected =
      Lines{"b: l = " + kind, fmt::format("b: bind(l, {}:0)", ip)} + unbound + Lines{"a: connect(x, addr(b.l))"};
  for (const char* how : {"SHUT_RD", "SHUT_WR", "SHUT_RDWR"}) {
    add(fmt::format("connected, {}", how), connected + Lines{fmt::format("a: shutdown(x, {})", how)});
  }
  add("connected, data waits, SHUT_RD",
      connected + Lines{"b: sendto(l, \"data\", 0, addr(a.x))", "a: shutdown(x, SHUT_RD)"});
  add("bound, shut down", unbound + Lines{fmt::format("a: bind(x, {}:0)", ip), "a: shutdown(x, SHUT_RDWR)"});
}

void datagrams(std::vector<Situation>& out) {
  const auto add = [&](const std::string& what, const Lines& lines) { out.push_back({what, steps(lines)}); };
  datagrams_over(out, "UDP", "AF_INET", "127.0.0.1");
  datagrams_over(out, "UDP over IPv6", "AF_INET6", "[::1]");
  datagrams_over(out, "UDP over IPv4 from IPv6", "AF_INET6", "[::ffff:127.0.0.1]");
  const Lines six = {"a: x = socket(AF_INET6, SOCK_DGRAM|SOCK_NONBLOCK, 0)"};
  add("UDP of both families", six + Lines{"a: bind(x, [::]:0)"});
  add("UDP of IPv6 alone", six + Lines{"a: setsockopt(x, IPPROTO_IPV6, IPV6_V6ONLY, 1)"});
  const std::string local = "x = socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK, 0)";
  add("unix datagram unbound", {"a: " + local});
  add("unix datagram bound", {"a: " + local, "a: bind(x, unix:@x)"});
  add("unix datagram connected", {"b: l = socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK, 0)", "b: bind(l, unix:@l)",
                                  "a: " + local, "a: connect(x, addr(b.l))"});
  for (const char* type : {"SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"}) {
    add(fmt::format("socketpair {}", type), {fmt::format("a: x, y = socketpair(AF_UNIX, {}|SOCK_NONBLOCK, 0)", type)});
    add(fmt::format("socketpair {} left by the peer", type),
        {fmt::format("a: x, y = socketpair(AF_UNIX, {}|SOCK_NONBLOCK, 0)", type), "a: close(y)"});
  }
}

using Options = std::vector<std::pair<const char*, const char*>>;

const Options kSocketOptions = {{"SO_REUSEADDR", "1"},     {"SO_REUSEPORT", "1"},     {"SO_KEEPALIVE", "1"},
                                {"SO_LINGER", "{1, 0}"},   {"SO_RCVLOWAT", "3"},      {"SO_SNDLOWAT", "7"},
                                {"SO_RCVTIMEO", "{0, 1}"}, {"SO_SNDTIMEO", "{2, 0}"}, {"SO_OOBINLINE", "1"},
                                {"SO_BROADCAST", "1"},     {"SO_DOMAIN", "2"},        {"SO_PROTOCOL", "6"},
                                {"SO_TYPE", "1"},          {"SO_ACCEPTCONN", "1"},    {"SO_RCVTIMEO", "{1, -1}"}};
const Options kTcpOptions = {{"TCP_CORK", "1"},          {"TCP_DEFER_ACCEPT", "3"},    {"TCP_MAXSEG", "1000"},
                             {"TCP_MAXSEG", "1"},        {"TCP_KEEPIDLE", "5"},        {"TCP_KEEPIDLE", "0"},
                             {"TCP_KEEPINTVL", "6"},     {"TCP_KEEPCNT", "7"},         {"TCP_LINGER2", "8"},
                             {"TCP_SYNCNT", "4"},        {"TCP_SYNCNT", "500"},        {"TCP_USER_TIMEOUT", "9000"},
                             {"TCP_USER_TIMEOUT", "-1"}, {"TCP_NOTSENT_LOWAT", "100"}, {"TCP_QUICKACK", "1"}};

/// Each is read, set, and read again: calls one behind the other.
std::string all_options(const char* level, const Options& options) {
  std::string out;
  for (const auto& [name, value] : options) {
    out += fmt::format("{}getsockopt(x, {}, {}); setsockopt(x, {}, {}, {}); getsockopt(x, {}, {})",
                       out.empty() ? "" : "; ", level, name, level, name, value, level, name);
  }
  return out;
}

}  // namespace

const std::vector<Situation>& situations() {
  static const std::vector<Situation> all = [] {
    std::vector<Situation> out;
    files(out);
    connected_family(out, "TCP", "AF_INET", "SOCK_STREAM", "127.0.0.1:0");
    connected_family(out, "TCP over IPv6", "AF_INET6", "SOCK_STREAM", "[::1]:0");
    connected_family(out, "TCP over IPv4 from IPv6", "AF_INET6", "SOCK_STREAM", "[::ffff:127.0.0.1]:0");
    out.push_back({"TCP of IPv6 alone", steps({"a: x = socket(AF_INET6, SOCK_STREAM|SOCK_NONBLOCK, 0)",
                                               "a: setsockopt(x, IPPROTO_IPV6, IPV6_V6ONLY, 1)"})});
    datagrams(out);
    connected_family(out, "unix stream", "AF_UNIX", "SOCK_STREAM", "unix:@s");
    connected_family(out, "unix seqpacket", "AF_UNIX", "SOCK_SEQPACKET", "unix:@s");
    return out;
  }();
  return all;
}

const std::vector<std::string>& calls_on_a_descriptor() {
  static const std::vector<std::string> all = {
      all_options("SOL_SOCKET", kSocketOptions),
      all_options("IPPROTO_TCP", kTcpOptions),
      all_options("IPPROTO_UDP", {{"UDP_CORK", "1"}, {"UDP_CORK", "0"}}),
      all_options("IPPROTO_IPV6", {{"IPV6_V6ONLY", "0"}}),
      "read(x, 10)",
      "read(x, 0)",
      "write(x, \"abcdefgh\")",
      "write(x, \"\")",
      "readv(x, [4, 4])",
      "writev(x, [\"ab\", \"cd\"])",
      "send(x, \"abc\")",
      "send(x, \"abc\", MSG_NOSIGNAL)",
      "send(x, \"a\", MSG_OOB)",
      "recv(x, 10)",
      "recv(x, 0)",
      "recv(x, 10, MSG_PEEK)",
      "recv(x, 10, MSG_OOB)",
      "sendto(x, \"abc\", 0, 127.0.0.1:5008)",
      "sendto(x, \"abc\", 0, [::1]:5008)",
      "sendto(x, \"abc\", 0, [::ffff:127.0.0.1]:5008)",
      "recvfrom(x, 10, 0)",
      "sendmsg(x, [\"abc\"])",
      "recvmsg(x, 10)",
      "n = accept(x)",
      "n = accept4(x, SOCK_NONBLOCK)",
      "n = accept4(x, 3)",
      "bind(x, 127.0.0.1:0)",
      "bind(x, 192.0.2.1:0)",
      "bind(x, [::1]:0)",
      "bind(x, [::ffff:127.0.0.1]:0)",
      "bind(x, unix:@other)",
      "connect(x, 127.0.0.1:5007)",
      "connect(x, [::1]:5007)",
      "connect(x, [::ffff:127.0.0.1]:5007)",
      "connect(x, unix:@nobody)",
      "listen(x, 4)",
      "listen(x, -1)",
      "shutdown(x, SHUT_RD)",
      "shutdown(x, SHUT_WR)",
      "shutdown(x, SHUT_RDWR)",
      "shutdown(x, 7)",
      "getsockname(x)",
      "getpeername(x)",
      "setsockopt(x, SOL_SOCKET, SO_REUSEADDR, 1)",
      "setsockopt(x, SOL_SOCKET, SO_ERROR, 1)",
      "setsockopt(x, IPPROTO_TCP, TCP_NODELAY, 1)",
      "setsockopt(x, IPPROTO_IPV6, IPV6_V6ONLY, 1)",
      "getsockopt(x, SOL_SOCKET, SO_ERROR)",
      "getsockopt(x, SOL_SOCKET, SO_TYPE)",
      "getsockopt(x, SOL_SOCKET, SO_ACCEPTCONN)",
      "getsockopt(x, IPPROTO_TCP, TCP_NODELAY)",
      "getsockopt(x, IPPROTO_IPV6, IPV6_V6ONLY)",
      "fcntl(x, F_GETFL)",
      "fcntl(x, F_SETFL, O_NONBLOCK)",
      "ioctl(x, FIONREAD)",
      "n = fcntl(x, F_DUPFD, 20)",
      "n = fcntl(x, F_DUPFD, -1)",
      "n = fcntl(x, F_DUPFD, 20000)",
      "n = fcntl(x, F_DUPFD_CLOEXEC, 0); fcntl(n, F_GETFD)",
      "fcntl(x, F_GETFD)",
      "fcntl(x, F_SETFD, FD_CLOEXEC); fcntl(x, F_GETFD)",
      "ioctl(x, SIOCOUTQ)",
      "ioctl(x, SIOCATMARK)",
      "ioctl(x, FIONBIO, 1); fcntl(x, F_GETFL)",
      "lseek(x, 3, SEEK_SET)",
      "lseek(x, 4294967296, SEEK_CUR)",
      "lseek(x, -3, SEEK_END)",
      "lseek(x, 0, SEEK_HOLE)",
      "n = dup(x)",
      "n = dup2(x, 9)",
      "n = dup2(x, -1)",
      "n = dup3(x, 9, O_CLOEXEC)",
      "n = dup3(x, 20000, 0)",
      "setrlimit(RLIMIT_NOFILE, 3); n = dup(x); n = accept(x); recvmsg(x, 10)",
      "close(x)",
      "epoll_wait(x, 8, 0)",
      "epoll_wait(x, 0, 0)",
      "epoll_pwait(x, 8, 0, [SIGUSR1])",
      "epoll_pwait(x, 0, 0, [])",
      "epoll_pwait(x, 8, 0, OUTSIDE)",
      "epoll_pwait(x, 8, 0, [], buffer=NULL)",
      "ppoll([{x, POLLIN|POLLOUT|POLLPRI|POLLRDHUP}], 0, [SIGUSR1])",
      "ppoll([{x, POLLOUT}], 0)",
      "epoll_ctl(x, EPOLL_CTL_MOD, 0, EPOLLIN)",
      "epoll_ctl(x, EPOLL_CTL_MOD, x, EPOLLIN)",
      "epoll_ctl(x, EPOLL_CTL_MOD, 77, EPOLLIN)",
      "epoll_ctl(x, EPOLL_CTL_MOD, 0, EPOLLIN|EPOLLEXCLUSIVE)",
      "epoll_ctl(x, EPOLL_CTL_MOD, 0, NULL)",
      "epoll_ctl(x, EPOLL_CTL_ADD, x, EPOLLIN)",
      "epoll_ctl(x, EPOLL_CTL_DEL, 0, 0)",
      "epoll_ctl(x, EPOLL_CTL_ADD, x, NULL)",
      "epoll_wait(x, 8, 0, buffer=NULL)",
      "epoll_wait(x, 8, 0, buffer=OUTSIDE)",
      "read(x, 10, buffer=NULL)",
      "read(x, 8, buffer=OUTSIDE)",
      "readv(x, [1, NULL * 9])",
      "readv(x, OUTSIDE)",
      "write(x, NULL * 8)",
      "write(x, OUTSIDE * 8)",
      "writev(x, [\"ab\", NULL * 2])",
      "writev(x, NULL)",
      "send(x, NULL * 3)",
      "send(x, OUTSIDE * 3)",
      "recv(x, 10, buffer=NULL)",
      "recv(x, 10, MSG_PEEK, buffer=NULL)",
      "recv(x, 10, MSG_OOB, buffer=NULL)",
      "recv(x, 0, buffer=OUTSIDE)",
      "sendto(x, \"abc\", 0, OUTSIDE)",
      "sendto(x, NULL * 3, 0, 127.0.0.1:5008)",
      "recvfrom(x, 10, 0, addr=OUTSIDE)",
      "recvfrom(x, 10, 0, len=NULL)",
      "sendmsg(x, [NULL * 3])",
      "sendmsg(x, NULL)",
      "recvmsg(x, 10, buffer=NULL)",
      "recvmsg(x, 10, buffer=OUTSIDE)",
      "n = accept(x, addr=OUTSIDE)",
      "n = accept4(x, 0, len=NULL)",
      "bind(x, NULL)",
      "connect(x, NULL)",
      "getsockname(x, addr=NULL)",
      "getpeername(x, len=NULL)",
      "setsockopt(x, SOL_SOCKET, SO_REUSEADDR, NULL)",
      "setsockopt(x, IPPROTO_TCP, TCP_NODELAY, OUTSIDE)",
      "setsockopt(x, IPPROTO_IPV6, IPV6_V6ONLY, NULL)",
      "getsockopt(x, SOL_SOCKET, SO_ERROR, value=NULL)",
      "getsockopt(x, IPPROTO_TCP, TCP_NODELAY, len=NULL)",
      "getsockopt(x, IPPROTO_IPV6, IPV6_V6ONLY, value=NULL)",
      "ioctl(x, FIONREAD, NULL)",
      "ioctl(x, FIONBIO, NULL)",
      "timerfd_settime(x, NULL)",
      "poll([{x, POLLIN|POLLOUT|POLLRDHUP}], 0)",
      "poll([{x, 0}], 0)",
      "select([x], [x], [], 0)",
      "timerfd_settime(x, 100s, 0ms)",
  };
  return all;
}

Cell try_call(const Situation& situation, const std::string& call) {
  Program program;
  program.steps = situation.steps;
  for (std::size_t at = 0; at < call.size();) {
    const std::size_t end = std::min(call.find("; ", at), call.size());
    program.steps.push_back(step("a", call.substr(at, end - at)));
    at = end + 2;
  }
  // what the file is ready for afterwards, by every bit
  program.steps.push_back(step("a", "p = epoll_create1(0)"));
  program.steps.push_back(step("a", "epoll_ctl(p, EPOLL_CTL_ADD, x, EPOLLIN|EPOLLOUT|EPOLLPRI|EPOLLRDHUP)"));
  program.steps.push_back(step("a", "epoll_wait(p, 8, 0)"));
  program.steps.push_back(step("a", "epoll_ctl(p, EPOLL_CTL_MOD, x, EPOLLOUT|EPOLLRDHUP|EPOLLET)"));
  program.steps.push_back(step("a", "epoll_wait(p, 8, 0)"));
  program.steps.push_back(step("a", "epoll_wait(p, 8, 0)"));
  JudgeOptions options;
  options.kernel_runs = 2;
  Cell cell{situation.name, call, "", "", judge(program, options)};
  const auto shown = [&](const scenario::FileResult& result) {
    for (const scenario::Entry& e : result.entries) {
      if (e.step == static_cast<int>(situation.steps.size()) + 1) {
        return scenario::result_text(e);
      }
    }
    return std::string("not made");
  };
  cell.model = shown(cell.judgement.model);
  cell.kernel = shown(cell.judgement.kernel);
  return cell;
}

}  // namespace wakepath::proof
