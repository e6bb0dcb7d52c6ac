#pragma once

#include <string>
#include <vector>

#include "src/proof/kinds.hh"
#include "src/proof/world.hh"

namespace wakepath::proof {

/// Writes steps one after the other. A server process `a`, a client process `b`, made at first use.
class Opening {
 public:
  explicit Opening(World& world) : w(world) {
    for (const char* name : {"a", "b"}) {
      if (w.actors().count(name) == 0) {
        w.new_process();
      }
    }
  }

  void add(const std::string& actor, std::vector<std::string> targets, const std::string& function,
           std::vector<std::string> args) {
    steps.push_back({actor, std::move(targets), function, std::move(args), "", "", false});
  }
  std::string thread(const std::string& of) {
    const std::string name = w.new_actor_name(of);
    add(of, {}, "thread", {name});
    return name;
  }
  std::string nonblock(int percent) { return w.random.percent(static_cast<unsigned>(percent)) ? "SOCK_NONBLOCK" : "0"; }

  std::string domain = "AF_INET", any_address = "127.0.0.1:0";
  std::string client_domain, client_to;  ///< of a client that does not simply connect to addr() in `domain`
  std::string listener(const std::string& backlog) {
    const std::string l = w.fresh("l");
    add("a", {l}, "socket", {domain, "SOCK_STREAM" + std::string(w.random.percent(25) ? "|SOCK_NONBLOCK" : ""), "0"});
    add("a", {}, "bind", {l, any_address});
    add("a", {}, "listen", {l, backlog});
    return l;
  }
  std::string client(const std::string& l, const std::string& actor, bool blocking) {
    const std::string c = w.fresh("c");
    add(actor, {c}, "socket",
        {client_domain.empty() ? domain : client_domain, blocking ? "SOCK_STREAM" : "SOCK_STREAM|SOCK_NONBLOCK", "0"});
    add(actor, {}, "connect", {c, client_to.empty() ? "addr(a." + l + ")" : client_to});
    return c;
  }
  std::string accepted(const std::string& l) {
    last_accepted = w.fresh("s");
    add("a", {last_accepted}, "accept4", {l, nonblock(30)});
    return last_accepted;
  }
  std::string epoll() {
    const std::string p = w.fresh("p");
    add("a", {p}, "epoll_create1", {"0"});
    return p;
  }
  void watch(const std::string& p, const std::string& fd, const std::string& mask) {
    add("a", {}, "epoll_ctl", {p, "EPOLL_CTL_ADD", fd, mask});
  }
  void sleep(const std::string& actor, const std::string& p) {
    add(actor, {}, "epoll_wait", {p, w.random.one_of({"1", "8"}), "-1"});
  }
  /// A descriptor of `a` to watch, and the call by which `b` makes it ready.
  std::string ready_later() {
    const std::string l = listener("8");
    const std::string c = client(l, "b", true);
    const std::string s = accepted(l);
    wakers.push_back({"b", {}, "send", {c, "\"x\""}, "", "", false});
    wakers.push_back({"b", {}, "shutdown", {c, "SHUT_WR"}, "", "", false});
    wakers.push_back({"b", {}, "send", {c, "\"yz\""}, "", "", false});
    wakers.push_back({"b", {}, "close", {c}, "", "", false});
    return s;
  }
  void wake(std::size_t most) {
    for (std::size_t i = 0; i < wakers.size() && i < most; ++i) {
      steps.push_back(wakers[i]);
    }
  }

  World& w;
  std::string last_accepted;
  std::vector<ProgramStep> steps;
  std::vector<ProgramStep> wakers;
};

using WriteOpening = void (*)(Opening&);

// Openings of any program that some focus wants for itself.
void sleeping_accept(Opening& o);
void exclusive(Opening& o);
void nested(Opening& o);
/// Sleepers in accept(), and behind them an epoll that takes wake-ups: whoever is woken in vain queues up again behind
/// it.
void beside_exclusive(Opening& o);
/// More is sent than fits, and read bit by bit; who watches is told of both.
void flood(Opening& o);
/// Less there than is asked for (SO_RCVLOWAT).
void low_water(Opening& o);
/// A port whose connection is in TIME_WAIT, and who may have it.
void port_again(Opening& o);
/// A watched file is closed for good, below an epoll that is watched itself: nobody above hears of that, and the order
/// of what is ready there later is the order in which it became ready.
void closed_below(Opening& o);
/// A watched descriptor is closed while a duplicate keeps the file: its entry does not go away.
void undying_entry(Opening& o);

}  // namespace wakepath::proof
