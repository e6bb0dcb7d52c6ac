#include "src/scenario/kernel_place.hh"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "src/scenario/kernel_calls.hh"
#include "src/scenario/machine.hh"
#include "src/scenario/machine_sysctls.hh"

namespace wakepath::scenario {
namespace {

bool write_file(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool good = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  close(fd);
  errno = error;
  return good;
}

bool loopback_up() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  bool good = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  if (good) {
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    good = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  }
  if (fd >= 0) {
    close(fd);
  }
  return good;
}

/// A namespace shares the machine's table of connections unless its parent says otherwise
/// (net/ipv4/tcp_ipv4.c, tcp_set_hashinfo()), and socket diagnostics walk the whole table: 262,144 chains on a common
/// machine, many times a step. So a first namespace asks for a small table, and a second one gets it.
void with_small_table() {
  if (write_file("/proc/sys/net/ipv4/tcp_child_ehash_entries", "4096")) {
    unshare(CLONE_NEWNET);
  }
}

/// Directly when allowed, otherwise through a user namespace in which we are root.
bool new_network(std::string& why_not) {
  if (unshare(CLONE_NEWNET) == 0) {
    with_small_table();
    return true;
  }
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    why_not = fmt::format("a network namespace was refused: {}", std::strerror(errno));
    return false;
  }
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("0 {} 1", uid));
  write_file("/proc/self/gid_map", fmt::format("0 {} 1", gid));
  with_small_table();
  return true;
}

std::string trimmed(std::string text) {
  std::replace(text.begin(), text.end(), '\t', ' ');
  const size_t end = text.find_last_not_of(" \n");
  return end == std::string::npos ? "" : text.substr(0, end + 1);
}

void set_sysctl(const std::string& name, const std::string& value, const Place& place) {
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  path = "/proc/sys/" + path;
  if (place.own_network) {
    write_file(path, value);
  }
  std::ifstream in(path);
  if (!in) {
    throw Unavailable(fmt::format("this kernel has no sysctl {} {}", name,
                                  place.own_network ? "in a network namespace" : "that can be read"));
  }
  std::string current;
  std::getline(in, current);
  if (trimmed(current) != trimmed(value)) {
    throw Unavailable(fmt::format("{} is {} here and cannot be set to {}{}", name, trimmed(current), value,
                                  place.own_network ? "" : " (" + place.why_not + ")"));
  }
}

/// In the machine's own namespace a port that the file names may be taken.
void check_ports(const Scenario& scenario, const Place& place) {
  for (const Step& step : scenario.steps) {
    if (step.kind != Step::Kind::call || step.call.signature->call != Call::bind) {
      continue;
    }
    const Arg& address = step.call.args[1];
    if (address.kind != Arg::Kind::address || address.literal.port == 0 ||
        address.literal.family == Address::Family::unix_abstract) {
      continue;
    }
    sockaddr_storage name{};
    const socklen_t size = to_sockaddr(address.literal, name);
    const int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    const bool taken = fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&name), size) != 0 && errno == EADDRINUSE;
    close(fd);
    if (taken) {
      throw Unavailable(fmt::format("port {} is in use on this machine ({})", address.literal.port, place.why_not));
    }
  }
}

bool have_ipv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return false;
  }
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_addr = in6addr_loopback;
  const bool good = bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
  close(fd);
  return good;
}

void check_needs(const Scenario& scenario, const Place& place) {
  for (const std::string& need : scenario.needs) {
    if (need == "netns") {
      if (!place.own_network) {
        throw Skip("needs a network namespace: " + place.why_not);
      }
    } else if (need == "ipv6") {
      if (!have_ipv6()) {
        throw Skip("needs ipv6, which this kernel does not offer");
      }
    }
  }
}

void choose_cpu(Place& place) {
  const int cpu = sched_getcpu();
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) {
      place.cpu = cpu;
    }
  }
  // Tried on this thread, which goes back at once: while actors are SCHED_FIFO and the runner is not, the runner runs
  // on their CPU only when all of them sleep.
  sched_param param{};
  param.sched_priority = 1;
  if (place.cpu >= 0 && sched_setscheduler(0, SCHED_FIFO, &param) == 0) {
    param.sched_priority = 0;
    sched_setscheduler(0, SCHED_OTHER, &param);
    place.fifo = true;
  }
}

}  // namespace

Place enter_place(const Scenario& scenario) {
  Place place;
  choose_cpu(place);
  place.own_network = new_network(place.why_not);
  if (place.own_network && !loopback_up()) {
    throw Unavailable(
        fmt::format("the loopback of a new network namespace cannot be brought up: {}", std::strerror(errno)));
  }
  std::vector<Loan> of_the_machine;
  for (const auto& [name, value] : scenario.kernel) {
    if (is_of_the_machine(name)) {
      of_the_machine.emplace_back(name, value);
    } else {
      set_sysctl(name, value, place);
    }
  }
  borrow_sysctls(of_the_machine);
  place.without_admin = !of_the_machine.empty();  // whom no limit of the machine holds
  if (!place.own_network) {
    check_ports(scenario, place);
  }
  check_needs(scenario, place);
  return place;
}

}  // namespace wakepath::scenario
