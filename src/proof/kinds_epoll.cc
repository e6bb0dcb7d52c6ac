#include <fmt/format.h>
#include <fmt/ranges.h>

#include "src/proof/kinds.hh"

namespace wakepath::proof {
namespace {

bool make_epoll_create(World& w, const std::string&, ProgramStep& s) {
  s.targets = {w.fresh("p")};
  s.args = {w.random.one_of({"0", "0", "EPOLL_CLOEXEC", "1"})};
  return true;
}

/// Something to watch; an epoll now and then, so that they nest; seldom a file that cannot be watched.
std::string watched(World& w, const std::string& process) {
  return w.fd(process, [&](const Object& o, const Descriptor& d) {
    return is_epoll(o, d) ? w.random.percent(40) : o.sort != Sort::memory_file || w.random.percent(20);
  });
}

bool make_ctl(World& w, const std::string& process, ProgramStep& s) {
  const std::optional<Descriptor> ep = w.pick(process, is_epoll);
  if (!ep) {
    return false;
  }
  const auto& items = w.object(ep->object).items;
  const bool add = items.empty() || w.random.percent(45);
  std::string fd = watched(w, process);
  if (!add && w.random.percent(90)) {  // what is there already, by its number: its name may have another one by now
    const Object::Item& item = w.random.one_of(items);
    const std::optional<Descriptor> d = w.behind(process, std::to_string(item.fd));
    fd = d ? d->name : std::to_string(item.fd);
  }
  if (fd.empty()) {
    return false;
  }
  std::string op = add ? "EPOLL_CTL_ADD" : w.random.one_of({"EPOLL_CTL_MOD", "EPOLL_CTL_MOD", "EPOLL_CTL_DEL"});
  const std::string where = w.random.percent(97) ? ep->name : w.any_fd(process);
  op = w.random.percent(98) ? op : "7";
  s.args = {where, op, fd};
  if (op != "EPOLL_CTL_DEL") {
    s.args.push_back(w.random.percent(98) ? random_mask(w) : "NULL");
    if (w.random.percent(8)) {
      s.args.push_back("data=7");
    }
  }
  return true;
}

/// For ever only while somebody is left who can end it.
std::string timeout(World& w) {
  return w.idle().size() > 1 ? w.random.one_of({"0", "-1", "-1", "-1", "30"}) : w.random.one_of({"0", "0", "30"});
}

std::string most(World& w) {
  return w.random.one_of({"1", "1", "2", "8", "8", "8", "8", w.random.percent(10) ? "0" : "8"});
}

bool make_wait_for(World& w, const std::string& process, ProgramStep& s) {
  const std::optional<Descriptor> ep = w.pick(process, is_epoll);
  if (!ep) {
    return false;
  }
  s.args = {w.random.percent(97) ? ep->name : w.any_fd(process), most(w), timeout(w)};
  return true;
}

void no_buffer_at_times(World& w, ProgramStep& s) {
  if (w.random.percent(2)) {
    s.args.push_back("buffer=NULL");
  }
}

bool make_wait(World& w, const std::string& process, ProgramStep& s) {
  const bool made = make_wait_for(w, process, s);
  no_buffer_at_times(w, s);
  return made;
}

bool make_pwait(World& w, const std::string& process, ProgramStep& s) {
  const bool made = make_wait_for(w, process, s);
  s.args.push_back(w.random.one_of({"[SIGUSR1]", "[SIGUSR2]"}));
  no_buffer_at_times(w, s);
  return made;
}

std::string poll_list(World& w, const std::string& process) {
  std::vector<std::string> items;
  for (std::uint64_t i = 0; i < 1 + w.random.below(3); ++i) {
    const std::string fd = w.fd(process, is_anything);
    if (!fd.empty()) {
      items.push_back(fmt::format("{{{}, {}}}", fd, random_poll_mask(w)));
    }
  }
  return fmt::format("[{}]", fmt::join(items, ", "));
}

bool make_poll(World& w, const std::string& process, ProgramStep& s) {
  s.args = {poll_list(w, process), timeout(w)};
  return s.args[0] != "[]";
}

bool make_ppoll(World& w, const std::string& process, ProgramStep& s) {
  const bool made = make_poll(w, process, s);
  if (w.random.percent(40)) {
    s.args.push_back(w.random.one_of({"[SIGUSR1]", "[SIGUSR2]"}));
  }
  return made;
}

std::string fd_list(World& w, const std::string& process) {
  std::vector<std::string> items;
  for (std::uint64_t i = 0; i < w.random.below(3); ++i) {
    const std::optional<Descriptor> d = w.pick(process, is_anything);
    if (d && std::find(items.begin(), items.end(), d->name) == items.end()) {
      items.push_back(d->name);
    }
  }
  return fmt::format("[{}]", fmt::join(items, ", "));
}

bool make_select(World& w, const std::string& process, ProgramStep& s) {
  s.args = {fd_list(w, process), fd_list(w, process), w.random.percent(30) ? fd_list(w, process) : "[]", timeout(w)};
  return s.args[0] != "[]" || s.args[1] != "[]";
}

}  // namespace

bool is_epoll(const Object& o, const Descriptor&) { return o.sort == Sort::epoll; }

std::string random_mask(World& w) {
  std::string mask = w.random.one_of({"EPOLLIN", "EPOLLIN", "EPOLLIN", "EPOLLIN|EPOLLOUT", "EPOLLOUT",
                                      "EPOLLIN|EPOLLRDHUP", "EPOLLRDHUP", "EPOLLIN|EPOLLPRI", "0"});
  mask = mask == "0" ? "" : mask;
  const auto add = [&](const char* bit) { mask += (mask.empty() ? "" : "|") + std::string(bit); };
  if (w.random.percent(35)) {
    add("EPOLLET");
  }
  if (w.random.percent(18)) {
    add("EPOLLONESHOT");
  }
  if (w.random.percent(14)) {
    add("EPOLLEXCLUSIVE");
  }
  if (w.random.percent(3)) {
    add("EPOLLWAKEUP");
  }
  return mask.empty() ? "0" : mask;
}

std::string random_poll_mask(World& w) {
  return w.random.one_of({"POLLIN", "POLLIN", "POLLIN|POLLOUT", "POLLOUT", "POLLIN|POLLRDHUP", "POLLPRI", "0"});
}

const std::vector<Kind> kEpollKinds = {
    {"epoll_create1", 8, make_epoll_create},
    {"epoll_ctl", 34, make_ctl},
    {"epoll_wait", 40, make_wait},
    {"epoll_pwait", 8, make_pwait},
    {"poll", 10, make_poll},
    {"ppoll", 5, make_ppoll},
    {"select", 6, make_select},
};

}  // namespace wakepath::proof
