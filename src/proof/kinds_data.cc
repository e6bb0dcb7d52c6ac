#include <fmt/format.h>

#include "src/proof/kinds.hh"

namespace wakepath::proof {
namespace {

/// A descriptor to read from: mostly one that can have something.
std::string source(World& w, const std::string& process) {
  return w.fd(process, [&](const Object& o, const Descriptor& d) {
    return can_be_read(o, d) && (!is_socket(o, d) || w.is_connected(d) || w.random.percent(4));
  });
}

std::string sink(World& w, const std::string& process) {
  return w.fd(process, [&](const Object& o, const Descriptor& d) {
    return can_be_written(o, d) && (!is_socket(o, d) || w.is_connected(d) || w.random.percent(4));
  });
}

std::string socket_source(World& w, const std::string& process) {
  return w.fd(process, [&](const Object& o, const Descriptor& d) {
    return is_socket(o, d) && (w.is_connected(d) || o.sort == Sort::udp || w.random.percent(4));
  });
}

bool floods_there(World& w, const std::string& process, const std::string& fd) {
  const std::optional<Descriptor> d = w.floods ? w.behind(process, fd) : std::nullopt;
  return d && w.object(d->object).sort == Sort::tcp;
}

bool is_eventfd(World& w, const std::string& process, const std::string& fd) {
  const std::optional<Descriptor> d = w.behind(process, fd);
  return d && w.object(d->object).sort == Sort::eventfd;
}

bool make_read(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = source(w, process);
  s.args = {fd, is_eventfd(w, process, fd) ? w.random.one_of({"8", "8", "8", "100", "4"}) : size_for(w, process, fd)};
  return !fd.empty();
}

/// Now and then as much as fills a pipe: how much goes into other things is the kernel's secret.
bool make_write(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = sink(w, process);
  const std::optional<Descriptor> d = w.behind(process, fd);
  const bool pipe = d && w.object(d->object).sort == Sort::pipe_write;
  s.args = {fd, is_eventfd(w, process, fd)     ? fmt::format("u64({})", w.random.below(4))
                : pipe && w.random.percent(25) ? w.random.one_of({"\"f\"*65536", "\"g\"*61440", "\"h\"*4096"})
                                               : data_for(w, process, fd)};
  return !fd.empty();
}

/// No sleeping look at an AF_UNIX stream: behind two urgent bytes the running kernel never sleeps, and never returns.
std::string recv_flags(World& w, const std::string& process, const std::string& fd) {
  const std::string flags =
      w.random.one_of({"MSG_DONTWAIT", "MSG_DONTWAIT", "MSG_PEEK", "MSG_WAITALL", "MSG_PEEK|MSG_DONTWAIT",
                       "MSG_DONTWAIT|MSG_TRUNC", "MSG_OOB|MSG_DONTWAIT", "0"});
  const std::optional<Descriptor> d = w.behind(process, fd);
  const bool stream = d && w.object(d->object).sort == Sort::unix_stream;
  return stream && flags == "MSG_PEEK" ? "MSG_PEEK|MSG_DONTWAIT" : flags;
}

/// MSG_MORE for UDP alone: on TCP it ends by a timer.
std::string send_flags(World& w, const std::string& process, const std::string& fd) {
  const std::optional<Descriptor> d = w.behind(process, fd);
  const Sort sort = d ? w.object(d->object).sort : Sort::tcp;
  if (sort == Sort::udp) {
    return w.random.one_of({"MSG_DONTWAIT", "MSG_MORE", "0", "0", "MSG_OOB"});
  }
  return w.floods && w.random.percent(60)
             ? "MSG_DONTWAIT"
             : w.random.one_of({"MSG_DONTWAIT", "MSG_OOB", "MSG_OOB|MSG_DONTWAIT", "MSG_NOSIGNAL", "0"});
}

bool make_send(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = socket_source(w, process);
  s.args = {fd, data_for(w, process, fd)};
  if (w.random.percent(w.floods ? 75 : 40)) {
    s.args.push_back(send_flags(w, process, fd));
  }
  return !fd.empty();
}

bool make_recv(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = socket_source(w, process);
  s.args = {fd, size_for(w, process, fd)};
  if (w.random.percent(w.idle().size() > 1 ? 30 : 80)) {
    s.args.push_back(recv_flags(w, process, fd));
  }
  return !fd.empty();
}

bool make_readv(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = source(w, process);
  s.args = {fd, w.random.one_of({"[3, 100]", "[1, 1, 1]", "[10]", "[100, 8]"})};
  return !fd.empty();
}

bool make_writev(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = sink(w, process);
  if (!is_eventfd(w, process, fd)) {
    s.args = {fd, fmt::format("[{}, {}]", data_for(w, process, fd), data_for(w, process, fd))};
    return !fd.empty();
  }
  std::string pieces;  // each is a write of its own here
  for (size_t i = 0, count = 1 + w.random.below(3); i < count; ++i) {
    pieces +=
        (i > 0 ? ", " : "") + (w.random.percent(75) ? fmt::format("u64({})", w.random.below(4))
                                                    : w.random.one_of({"\"\"", "\"abc\"", "\"\\x01\\x00\\x00\\x00\""}));
  }
  s.args = {fd, "[" + pieces + "]"};
  return true;
}

bool make_sendto(World& w, const std::string& process, ProgramStep& s) {
  const std::optional<Descriptor> from = w.pick(
      process, [](const Object& o, const Descriptor&) { return o.sort == Sort::udp || o.sort == Sort::unix_dgram; });
  if (!from) {
    return false;
  }
  const Object o = w.object(from->object);
  const std::optional<Descriptor> to = w.pick_anywhere([&](const Object& other, const Descriptor& d) {
    return !as_number(d.name) && other.sort == o.sort && other.bound &&
           (other.ipv6 == o.ipv6 || !across(o, other).empty());
  });
  if (!to) {
    return false;
  }
  const char* flags = w.random.one_of({"0", "0", "MSG_DONTWAIT", o.sort == Sort::udp ? "MSG_MORE" : "MSG_DONTWAIT"});
  s.args = {from->name, random_data(w), flags, address_of(w, o, *to)};
  return true;
}

bool make_recvfrom(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = socket_source(w, process);
  s.args = {fd, size_for(w, process, fd), recv_flags(w, process, fd)};
  return !fd.empty();
}

bool make_sendmsg(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = socket_source(w, process);
  s.args = {fd, w.random.percent(50) ? fmt::format("[{}]", data_for(w, process, fd))
                                     : fmt::format("[{}, {}]", data_for(w, process, fd), data_for(w, process, fd))};
  if (w.random.percent(25)) {
    s.args.push_back(send_flags(w, process, fd));
  }
  const std::optional<Descriptor> sender = w.behind(process, fd);
  const Sort sort = sender ? w.object(sender->object).sort : Sort::tcp;
  if (sort == Sort::unix_stream || sort == Sort::unix_dgram || sort == Sort::unix_seqpacket) {
    // no AF_UNIX sockets: the kernel collects those that are left in circles at a time of its own
    const std::optional<Descriptor> sent =
        w.pick(process, [](const Object& o, const Descriptor&) { return o.sort == Sort::tcp || o.sort == Sort::udp; });
    if (sent && w.random.percent(50)) {
      s.args.push_back("rights=[" + sent->name + "]");
    }
  }
  return !fd.empty();
}

bool make_recvmsg(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = socket_source(w, process);
  s.args = {fd, size_for(w, process, fd)};
  if (w.random.percent(40)) {
    s.args.push_back(recv_flags(w, process, fd));
  }
  return !fd.empty();
}

bool make_ioctl(World& w, const std::string& process, ProgramStep& s) {
  const std::string fd = w.fd(process, is_anything);
  s.args = {fd, w.random.one_of({"FIONREAD", "FIONREAD", "SIOCATMARK", "SIOCOUTQ", "FIONBIO"})};
  if (s.args[1] == "FIONBIO") {
    s.args.push_back(w.random.one_of({"1", "0"}));
  }
  return !fd.empty();
}

}  // namespace

bool can_be_read(const Object& o, const Descriptor& d) {
  return is_socket(o, d) || o.sort == Sort::pipe_read || o.sort == Sort::eventfd || o.sort == Sort::timerfd ||
         o.sort == Sort::signalfd || o.sort == Sort::memory_file;
}

bool can_be_written(const Object& o, const Descriptor& d) {
  return is_socket(o, d) || o.sort == Sort::pipe_write || o.sort == Sort::eventfd || o.sort == Sort::memory_file;
}

std::string random_data(World& w) {
  const std::string letter(1, static_cast<char>('a' + w.random.below(26)));
  if (w.random.percent(70)) {
    return fmt::format("\"{}\"", w.random.one_of({letter, letter + "bc", letter + "12345678"}));
  }
  return w.random.percent(10) ? "\"\"" : fmt::format("\"{}\"*{}", letter, w.random.one_of({20, 100, 600, 3000}));
}

std::string data_for(World& w, const std::string& process, const std::string& fd) {
  if (!floods_there(w, process, fd) || w.random.percent(25)) {
    return random_data(w);
  }
  const char letter = static_cast<char>('a' + w.random.below(26));
  return fmt::format("\"{}\"*{}", letter,
                     w.random.one_of({1, 20, 600, 1500, 3000, 8000, 20000, 65483, 100000, 200000, 400000}));
}

std::string size_for(World& w, const std::string& process, const std::string& fd) {
  return floods_there(w, process, fd) && w.random.percent(75)
             ? w.random.one_of({"100", "1000", "5000", "20000", "65483", "100000", "500000"})
             : w.random.one_of({"1", "3", "10", "100", "100", "5000", "0"});
}

const std::vector<Kind> kDataKinds = {
    {"read", 28, make_read},      {"write", 14, make_write},      {"send", 26, make_send},
    {"recv", 44, make_recv},      {"readv", 5, make_readv},       {"writev", 5, make_writev},
    {"sendto", 12, make_sendto},  {"recvfrom", 8, make_recvfrom}, {"sendmsg", 8, make_sendmsg},
    {"recvmsg", 6, make_recvmsg}, {"ioctl", 4, make_ioctl},
};

}  // namespace wakepath::proof
