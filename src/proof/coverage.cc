#include "src/proof/coverage.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace wakepath::proof {
namespace {

using Counts = std::map<std::string, std::int64_t>;

const std::vector<std::string> kElevenStates = {"ESTABLISHED", "SYN_SENT",  "SYN_RECV", "FIN_WAIT1",
                                                "FIN_WAIT2",   "TIME_WAIT", "CLOSE",    "CLOSE_WAIT",
                                                "LAST_ACK",    "LISTEN",    "CLOSING"};
const std::vector<std::string> kFeatures = {"EPOLLET",         "EPOLLONESHOT", "EPOLLEXCLUSIVE",  "nested epolls",
                                            "several waiters", "IPv6",         "mapped addresses"};
constexpr std::int64_t kLeastCalls = 50;     // of each kind, per 1,000 programs
constexpr std::int64_t kLeastSleepers = 15;  // per cent of calls that blocked or woke somebody
constexpr std::int64_t kLeastFeature = 5;    // per cent of programs

std::string function_of(const std::string& call) {
  const std::size_t open = call.find('(');
  const std::size_t space = call.rfind(' ', open);
  return call.substr(space == std::string::npos ? 0 : space + 1, open - (space == std::string::npos ? 0 : space + 1));
}

void split(const std::string& flags, Counts& out) {
  std::istringstream in(flags);
  for (std::string word; std::getline(in, word, '|');) {
    ++out[word];
  }
}

/// States that a TCP socket, or what stands for it, was in.
std::set<std::string> states_of(const trace::Trace& trace) {
  std::set<std::string> out;
  const auto kind = trace.schema().kind_id("tcp_sock");
  const auto field = kind ? trace.schema().kinds[*kind].find_field("skc_state") : std::nullopt;
  const auto timewait = trace.schema().kind_id("tcp_timewait_sock");
  if (!field) {
    return out;
  }
  std::vector<bool> is_sock;
  for (trace::Position i = 0; i < trace.size(); ++i) {
    const trace::Record& r = trace[i];
    if (r.kind == trace::RecordKind::kCreate) {
      is_sock.resize(std::max(is_sock.size(), r.object + std::size_t{1}));
      is_sock[r.object] = r.field == *kind;
      if (timewait && r.field == *timewait) {
        out.insert("TIME_WAIT");
      }
    } else if (r.kind == trace::RecordKind::kSet && r.object < is_sock.size() && is_sock[r.object] &&
               r.field == *field) {
      out.insert(scenario::tcp_state_name(static_cast<int>(r.after)));
    }
  }
  return out;
}

/// Is somebody else asleep on the same epoll while this call begins?
bool joins_waiter(const std::vector<scenario::Entry>& entries, std::size_t at, const std::vector<ProgramStep>& steps) {
  const auto waits_on = [&](const scenario::Entry& e) -> std::string {
    const ProgramStep& step = steps[static_cast<std::size_t>(e.step) - 1];
    return step.function == "epoll_wait" || step.function == "epoll_pwait" ? family_of(step.actor) + "." + step.args[0]
                                                                           : "";
  };
  const scenario::Entry& e = entries[at];
  const std::string mine = waits_on(e);
  const auto sleeps = [](const scenario::Entry& x, int step) {
    return x.step < step && (!x.returned_after || *x.returned_after > step);
  };
  if (mine.empty() || e.returned_after == e.step) {
    return false;
  }
  return std::any_of(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(at),
                     [&](const scenario::Entry& x) { return waits_on(x) == mine && sleeps(x, e.step); });
}

std::set<std::string> features_of(const Generated& g) {
  std::set<std::string> out;
  for (std::size_t i = 0; i < g.result.entries.size(); ++i) {
    const scenario::Entry& e = g.result.entries[i];
    const ProgramStep& step = g.program.steps[static_cast<std::size_t>(e.step) - 1];
    if (step.function == "epoll_ctl" && e.ret == 0 && step.args.size() > 3) {
      for (const char* flag : {"EPOLLET", "EPOLLONESHOT", "EPOLLEXCLUSIVE"}) {
        if (mentions(step.args[3], flag)) {
          out.insert(flag);
        }
      }
      if (step.args[2][0] == 'p') {
        out.insert("nested epolls");
      }
    }
    if (step.function == "socket" && e.ret >= 0 && step.args[0] == "AF_INET6") {
      out.insert("IPv6");
    }
    if (e.ret >= 0 && std::any_of(step.args.begin(), step.args.end(),
                                  [](const std::string& arg) { return arg.starts_with("[::ffff:"); })) {
      out.insert("mapped addresses");
    }
    if (joins_waiter(g.result.entries, i, g.program.steps)) {
      out.insert("several waiters");
    }
  }
  return out;
}

void line(std::string& out, const char* title, const Counts& counts, std::int64_t of) {
  out += fmt::format("{}:", title);
  for (const auto& [name, count] : counts) {
    out += of > 0 ? fmt::format(" {} {:.1f}%", name, 100.0 * static_cast<double>(count) / static_cast<double>(of))
                  : fmt::format(" {} {}", name, count);
  }
  out += "\n";
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void merge(Counts& into, const Counts& from) {
  for (const auto& [name, count] : from) {
    into[name] += count;
  }
}

}  // namespace

void Coverage::add(const Generated& g) {
  ++programs;
  forks += g.forks;
  duplicates += g.duplicates;
  std::set<int> wakers;
  for (const scenario::Entry& e : g.result.entries) {
    if (e.returned_after && *e.returned_after != e.step) {
      wakers.insert(*e.returned_after);
    }
  }
  for (const scenario::Entry& e : g.result.entries) {
    ++calls;
    ++calls_by_kind[function_of(e.call)];
    if (!e.error.empty()) {
      ++failed;
      ++errors[e.error];
    }
    const bool slept = e.returned_after != e.step, woken = wakers.count(e.step) > 0;
    blocked += slept ? 1 : 0;
    woke += woken ? 1 : 0;
    blocked_or_woke += slept || woken ? 1 : 0;
    for (const scenario::ShownEvent& event : e.events.value_or(std::vector<scenario::ShownEvent>{})) {
      split(event.events, events);
    }
  }
  for (const std::string& state : states_of(*g.trace)) {
    ++tcp_states[state];
  }
  for (const std::string& feature : features_of(g)) {
    ++features[feature];
  }
}

void Coverage::add(const Coverage& other) {
  programs += other.programs;
  calls += other.calls;
  failed += other.failed;
  blocked += other.blocked;
  woke += other.woke;
  blocked_or_woke += other.blocked_or_woke;
  forks += other.forks;
  duplicates += other.duplicates;
  merge(calls_by_kind, other.calls_by_kind);
  merge(errors, other.errors);
  merge(events, other.events);
  merge(tcp_states, other.tcp_states);
  merge(features, other.features);
}

std::string Coverage::text() const {
  std::string out = fmt::format(
      "{} programs, {} calls: {:.1f}% failed, {:.1f}% blocked, {:.1f}% woke another actor, {:.1f}% blocked or woke; {} "
      "descriptors dup'ed, {} processes forked\n",
      programs, calls, share(failed, calls), share(blocked, calls), share(woke, calls), share(blocked_or_woke, calls),
      duplicates, forks);
  line(out, "calls", calls_by_kind, 0);
  line(out, "errors", errors, 0);
  line(out, "events", events, 0);
  line(out, "TCP states, share of programs", tcp_states, programs);
  line(out, "share of programs with", features, programs);
  return out;
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> out;
  for (const std::string_view call : scenario::call_names()) {
    const auto found = calls_by_kind.find(std::string(call));
    const std::int64_t count = found == calls_by_kind.end() ? 0 : found->second;
    if (count * 1000 < kLeastCalls * programs) {
      out.push_back(fmt::format("{} was called {} times in {} programs", call, count, programs));
    }
  }
  if (blocked_or_woke * 100 < kLeastSleepers * calls) {
    out.push_back(fmt::format("only {:.1f}% of calls blocked or woke somebody", share(blocked_or_woke, calls)));
  }
  for (const std::string& state : kElevenStates) {
    if (tcp_states.count(state) == 0) {
      out.push_back(fmt::format("no socket was in {}", state));
    }
  }
  for (const std::string& feature : kFeatures) {
    const auto found = features.find(feature);
    const std::int64_t count = found == features.end() ? 0 : found->second;
    if (count * 100 < kLeastFeature * programs) {
      out.push_back(fmt::format("{} in {} of {} programs", feature, count, programs));
    }
  }
  return out;
}

nlohmann::json to_json(const Coverage& c) {
  return {{"programs", c.programs},
          {"calls", c.calls},
          {"failed", c.failed},
          {"blocked", c.blocked},
          {"woke", c.woke},
          {"blocked_or_woke", c.blocked_or_woke},
          {"forks", c.forks},
          {"duplicates", c.duplicates},
          {"calls_by_kind", c.calls_by_kind},
          {"errors", c.errors},
          {"events", c.events},
          {"tcp_states", c.tcp_states},
          {"features", c.features}};
}

Coverage coverage_from(const nlohmann::json& j) {
  Coverage c;
  c.programs = j.at("programs");
  c.calls = j.at("calls");
  c.failed = j.at("failed");
  c.blocked = j.at("blocked");
  c.woke = j.at("woke");
  c.blocked_or_woke = j.at("blocked_or_woke");
  c.forks = j.at("forks");
  c.duplicates = j.at("duplicates");
  c.calls_by_kind = j.at("calls_by_kind").get<Counts>();
  c.errors = j.at("errors").get<Counts>();
  c.events = j.at("events").get<Counts>();
  c.tcp_states = j.at("tcp_states").get<Counts>();
  c.features = j.at("features").get<Counts>();
  return c;
}

}  // namespace wakepath::proof
