#include "src/proof/kinds.hh"

namespace wakepath::proof {
namespace {

/// On the others what it shows depends on the pace of a machine.
enum class FitsOn { all, not_tcp, listeners };

struct Option {
  const char* level;
  const char* name;
  std::vector<const char*> values;  ///< empty: can only be read
  FitsOn on = FitsOn::all;
};

/// Options whose values are the same on every machine and change nothing by the clock alone.
const std::vector<Option>& options() {
  static const std::vector<Option> all = {
      {"SOL_SOCKET", "SO_REUSEADDR", {"0", "1"}},
      {"SOL_SOCKET", "SO_REUSEPORT", {"0", "1"}},
      {"SOL_SOCKET", "SO_KEEPALIVE", {"0", "1"}},
      {"SOL_SOCKET", "SO_LINGER", {"{1, 0}", "{1, 0}", "{0, 0}", "{1, -1}"}},
      {"SOL_SOCKET", "SO_RCVLOWAT", {"1", "5", "100", "0", "3000", "200000"}},
      {"SOL_SOCKET", "SO_RCVBUF", {"0", "4096", "20000"}},
      {"SOL_SOCKET", "SO_SNDBUF", {"0", "5000", "40000"}, FitsOn::not_tcp},
      {"SOL_SOCKET", "SO_RCVTIMEO", {"{0, 40000}", "{0, 0}"}},
      {"SOL_SOCKET", "SO_SNDTIMEO", {"{0, 40000}", "{0, 0}"}},
      {"SOL_SOCKET", "SO_OOBINLINE", {"0", "1"}},
      {"SOL_SOCKET", "SO_ERROR", {}},
      {"SOL_SOCKET", "SO_TYPE", {}},
      {"SOL_SOCKET", "SO_DOMAIN", {}},
      {"SOL_SOCKET", "SO_PROTOCOL", {}},
      {"SOL_SOCKET", "SO_ACCEPTCONN", {}},
      {"IPPROTO_TCP", "TCP_NODELAY", {"0", "1"}},
      {"IPPROTO_TCP", "TCP_CORK", {"0", "1"}},
      {"IPPROTO_TCP", "TCP_QUICKACK", {"1"}},
      {"IPPROTO_TCP", "TCP_KEEPIDLE", {"10", "7200", "0"}},
      {"IPPROTO_TCP", "TCP_KEEPINTVL", {"5", "75"}},
      {"IPPROTO_TCP", "TCP_KEEPCNT", {"3", "9", "200"}},
      {"IPPROTO_TCP", "TCP_SYNCNT", {"3", "0"}},
      {"IPPROTO_TCP", "TCP_DEFER_ACCEPT", {"0", "1"}, FitsOn::listeners},
      {"IPPROTO_TCP", "TCP_USER_TIMEOUT", {"0", "5000"}},
      {"IPPROTO_TCP", "TCP_LINGER2", {"0", "-1", "20"}},
      {"IPPROTO_TCP", "TCP_NOTSENT_LOWAT", {"0", "1", "2000"}},
      {"IPPROTO_UDP", "UDP_CORK", {"0", "1"}},
      {"IPPROTO_IPV6", "IPV6_V6ONLY", {"0", "1"}},
  };
  return all;
}

bool make_socket(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("s")};
  const bool inet = w.random.percent(75);
  const std::string domain = inet ? w.random.percent(82) ? "AF_INET" : "AF_INET6" : "AF_UNIX";
  std::string type = inet ? w.random.percent(82) ? "SOCK_STREAM" : "SOCK_DGRAM"
                          : w.random.one_of({"SOCK_STREAM", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"});
  type += w.random.percent(25) ? "|SOCK_NONBLOCK" : "";
  type += w.random.percent(10) ? "|SOCK_CLOEXEC" : "";
  const std::string protocol = w.random.percent(95) ? "0" : w.random.one_of({"IPPROTO_TCP", "IPPROTO_UDP", "7"});
  s.args = {domain, type, protocol};
  return true;
}

std::string address_for(World& w, const Object& o) {
  if (o.sort == Sort::unix_stream || o.sort == Sort::unix_dgram || o.sort == Sort::unix_seqpacket) {
    return "unix:@n" + std::to_string(w.random.below(4));
  }
  const std::string ip = o.ipv6 != w.random.percent(3)
                             ? w.random.one_of({"[::1]", "[::1]", "[::]", "[::]", "[::ffff:127.0.0.1]"})
                             : w.random.one_of({"127.0.0.1", "127.0.0.1", "0.0.0.0", "127.0.0.2"});
  const std::string port = w.random.percent(60) ? "0" : std::to_string(5000 + w.random.below(3));
  return ip + ":" + port;
}

bool make_bind(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd =
      w.fd(process, [](const Object& o, const Descriptor& d) { return is_socket(o, d) && !o.bound; });
  if (fd.empty()) {
    return false;
  }
  const std::optional<Descriptor> d = w.behind(process, fd);
  s.args = {fd, address_for(w, d ? w.object(d->object) : Object{})};
  return true;
}

/// Not a socket of IPv6 that may once have been connected over IPv4: what it accepts over IPv6 gets no packet out, and
/// then congestion control matters, which the model leaves out.
bool make_listen(World& w, const std::string& process, ProgramStep& s) {
  const auto sane = [](const Object& o, const Descriptor& d) { return is_socket(o, d) && !(o.ipv6 && o.tried); };
  std::string fd = w.fd(process, [&](const Object& o, const Descriptor& d) {
    return sane(o, d) && o.bound && o.sort != Sort::udp && !o.connected;
  });
  if (fd.empty()) {
    fd = w.fd(process, sane);
  }
  s.args = {fd, w.random.one_of({"0", "1", "2", "8", "8", "-1"})};
  return !fd.empty();
}

bool make_connect(World& w, const std::string& process, ProgramStep& s) {
  if (w.random.percent(6)) {  // ends what the socket was
    s.args = {w.fd(process, is_socket), "AF_UNSPEC"};
    return !s.args[0].empty();
  }
  const std::string fd = w.fd(process, [&](const Object& o, const Descriptor& d) {
    return is_socket(o, d) && !o.listening && (!w.is_connected(d) || w.random.percent(5));
  });
  if (fd.empty()) {
    return false;
  }
  const std::optional<Descriptor> own = w.behind(process, fd);
  const Object o = own ? w.object(own->object) : Object{};
  const std::optional<Descriptor> target = w.pick_anywhere([&](const Object& other, const Descriptor& d) {
    const bool fits = other.sort == o.sort && (other.ipv6 == o.ipv6 || !across(o, other).empty());
    return fits && !as_number(d.name) &&
           (w.is_listener(d) || (o.sort == Sort::udp && other.bound) || w.random.percent(2));
  });
  const std::string somewhere = o.ipv6 ? "[::1]:5003" : "127.0.0.1:5003";
  s.args = {fd, target && w.random.percent(94) ? address_of(w, o, *target)
                : w.random.percent(70)         ? address_for(w, o)
                                               : somewhere};
  return true;
}

bool make_accept_args(World& w, const std::string& process, ProgramStep& s) {
  std::string fd = w.fd(process, [&](const Object&, const Descriptor& d) { return w.is_listener(d); });
  if (fd.empty() && w.random.percent(8)) {
    fd = w.any_fd(process);
  }
  s.targets = {w.fresh("c")};
  s.args = {fd};
  return !fd.empty();
}

bool make_accept(World& w, const std::string& process, ProgramStep& s) { return make_accept_args(w, process, s); }

bool make_accept4(World& w, const std::string& process, ProgramStep& s) {
  const bool made = make_accept_args(w, process, s);
  s.args.push_back(w.random.one_of({"0", "0", "SOCK_NONBLOCK", "SOCK_CLOEXEC", "3"}));
  return made;
}

bool make_shutdown(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.random.percent(85)
                             ? w.fd(process, [&](const Object&, const Descriptor& d) { return w.is_connected(d); })
                             : w.fd(process, is_socket);
  s.args = {fd, w.random.one_of({"SHUT_RD", "SHUT_WR", "SHUT_WR", "SHUT_WR", "SHUT_RDWR", "7"})};
  return !fd.empty();
}

bool make_name(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_socket);
  s.args = {fd.empty() ? w.any_fd(process) : fd};
  return true;
}

/// SO_SNDBUF of TCP: congestion control decides how it grows, and when what is in it goes out. TCP_DEFER_ACCEPT of a
/// socket that connects: its last ACK waits for 200 ms, and nobody can accept the connection before.
bool fits(World& w, const std::string& process, const std::string& fd, const Option& option) {
  if (option.on == FitsOn::all) {
    return true;
  }
  const std::optional<Descriptor> d = w.behind(process, fd);
  return d && (option.on == FitsOn::listeners ? w.is_listener(*d) : w.object(d->object).sort != Sort::tcp);
}

bool make_setsockopt(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_socket);
  const Option& option = w.random.one_of(options());
  if (fd.empty() || !fits(w, process, fd, option)) {
    return false;
  }
  s.args = {fd, option.level, option.name, option.values.empty() ? "1" : w.random.one_of(option.values)};
  return true;
}

bool make_getsockopt(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_socket);
  const std::string asked = fd.empty() ? w.any_fd(process) : fd;
  if (w.random.percent(35)) {
    s.args = {asked, "SOL_SOCKET", "SO_ERROR"};
    return true;
  }
  const Option& option = w.random.one_of(options());
  s.args = {asked, option.level, option.name};
  return fits(w, process, asked, option);
}

}  // namespace

bool is_socket(const Object& o, const Descriptor&) {
  return o.sort == Sort::tcp || o.sort == Sort::udp || o.sort == Sort::unix_stream || o.sort == Sort::unix_dgram ||
         o.sort == Sort::unix_seqpacket;
}

std::string across(const Object& from, const Object& to) {
  const std::string port = to.address.substr(to.address.find_last_of(':') + 1);
  const bool inet = from.sort == Sort::tcp || from.sort == Sort::udp;
  if (!inet || port.empty() || port == "0") {
    return "";
  }
  return (from.ipv6 ? "[::ffff:127.0.0.1]:" : "127.0.0.1:") + port;
}

std::string address_of(World& w, const Object& from, const Descriptor& to) {
  const Object& other = w.object(to.object);
  const std::string crossing = across(from, other);
  const bool must = other.ipv6 != from.ipv6;
  return !crossing.empty() && (must || (from.ipv6 && w.random.percent(30))) ? crossing : World::addr_of(to);
}

const std::vector<Kind> kSocketKinds = {
    {"socket", 8, make_socket},         {"bind", 8, make_bind},
    {"listen", 10, make_listen},        {"connect", 13, make_connect},
    {"accept", 18, make_accept},        {"accept4", 18, make_accept4},
    {"shutdown", 8, make_shutdown},     {"getsockname", 5, make_name},
    {"getpeername", 5, make_name},      {"setsockopt", 10, make_setsockopt},
    {"getsockopt", 8, make_getsockopt},
};

}  // namespace wakepath::proof
