#include "src/scenario/names.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "src/scenario/signatures.hh"

namespace wakepath::scenario {
namespace {

/// What a call makes a descriptor of; empty when that depends on what ran before.
std::string_view made_by(Call call) {
  switch (call) {
    case Call::socket:
    case Call::socketpair:
    case Call::accept:
    case Call::accept4:
      return "a socket";
    case Call::epoll_create1:
      return "an epoll";
    case Call::pipe2:
      return "a pipe";
    case Call::eventfd:
      return "an eventfd";
    case Call::timerfd_create:
      return "a timerfd";
    case Call::signalfd4:
      return "a signalfd";
    case Call::memfd_create:
      return "a memory file";
    default:
      return {};
  }
}

/// The fields that `expect` can ask of such a descriptor. FIONREAD answers for pipes and files, too.
std::vector<std::string_view> fields_of(std::string_view kind) {
  if (kind == "a socket") {
    return {"state", "accept_queue", "backlog", "recv_bytes", "send_bytes", "inode", "error", "waiters"};
  }
  if (kind == "an epoll") {
    return {"items", "ready_list", "waiters", "inode"};
  }
  if (kind == "a pipe" || kind == "a memory file") {
    return {"recv_bytes", "inode"};
  }
  return {"inode"};
}

class NameChecker {
 public:
  NameChecker(const Scenario& scenario, const Source& source) : scenario_(scenario), s_(source) {}

  void check() {
    find_births();
    for (const auto& [name, service] : scenario_.services) {
      bound_[kServicesProcess].insert(name);
      behind_[kServicesProcess][name] = "a socket";
    }
    for (const Step& step : scenario_.steps) {
      step_ = &step;
      switch (step.kind) {
        case Step::Kind::call:
          call(step);
          break;
        case Step::Kind::returns:
          must_exist(step.at, step.actor);
          results(step.returns, process_of(step.actor));
          break;
        case Step::Kind::expect:
          term(step.expect.left);
          term(step.expect.right);
          break;
        case Step::Kind::signal:
          must_act(step.at, step.signal.to);
          break;
        case Step::Kind::fault:
          must_act(step.at, step.fault.actor);
          break;
        case Step::Kind::wire:
          if (!step.wire.from.empty()) {
            look_up(step.at, "", "", step.wire.from);
          }
          break;
        default:
          break;
      }
      for (const std::string& name : step.focus) {
        focus(step.at, name);
      }
    }
  }

 private:
  /// Actors that fork and thread make: they do not exist before that step.
  void find_births() {
    for (const Step& step : scenario_.steps) {
      if (step.kind == Step::Kind::call || step.kind == Step::Kind::returns) {
        acting_.insert(step.actor);
        not_the_services(step.at, step.actor);
        not_the_services(step.at, process_of(step.actor));
      }
      if (step.kind != Step::Kind::call || !makes_actor(step)) {
        continue;
      }
      const std::string& name = step.call.args[0].name;
      if (born_at_.count(name) || scenario_.actors.count(name)) {
        s_.fail(step.call.args[0].at, fmt::format("'{}', which exists already", name), "the name of a new actor");
      }
      born_at_[name] = step.number;
    }
  }

  /// `as` what the name is known too.
  void not_a_service(const std::string& name, const std::string& as) {
    if (const auto service = scenario_.services.find(name); service != scenario_.services.end()) {
      s_.fail(service->second.at, fmt::format("the service '{}', a name that {}", name, as),
              "a name of its own for the service");
    }
  }

  void not_the_services(Position at, const std::string& actor) {
    not_a_service(actor, "an actor has");
    if (!scenario_.services.empty() && actor == kServicesProcess) {
      s_.fail(at, fmt::format("the name '{}'", actor), "another one: that is the process of the services");
    }
  }

  static bool makes_actor(const Step& step) {
    return step.call.signature->call == Call::fork || step.call.signature->call == Call::thread;
  }

  std::string process_of(const std::string& actor) {
    if (const auto made = made_process_.find(actor); made != made_process_.end()) {
      return made->second;
    }
    const auto declared = scenario_.actors.find(actor);
    return declared == scenario_.actors.end() ? actor : declared->second;
  }

  void must_exist(Position at, const std::string& actor) {
    const auto born = born_at_.find(actor);
    if (born != born_at_.end() && made_process_.count(actor) == 0) {
      s_.fail(at, fmt::format("the actor '{}'", actor),
              fmt::format("an actor that exists: step {} makes it", born->second));
    }
  }

  void must_act(Position at, const std::string& actor) {
    must_exist(at, actor);
    if (acting_.count(actor) == 0) {
      s_.fail(at, fmt::format("'{}'", actor), "the name of an actor" + suggest(actor, acting_));
    }
  }

  void call(const Step& step) {
    const CallStep& call = step.call;
    must_exist(step.at, step.actor);
    if (exited_.count(step.actor)) {
      s_.fail(step.at, fmt::format("a call by '{}'", step.actor), "an actor that has not made exit()");
    }
    const std::string process = process_of(step.actor);
    if (makes_actor(step)) {
      const Arg& actor = call.args[0];
      check_new_actor(actor);
      const bool fork = call.signature->call == Call::fork;
      made_process_[actor.name] = fork ? actor.name : process;
      if (fork) {
        bound_[actor.name] = bound_[process];
        behind_[actor.name] = behind_[process];
      }
    } else {
      for (const Arg& arg : call.args) {
        argument(arg, process);
      }
      if (const auto rights = call.keywords.find("rights"); rights != call.keywords.end()) {
        argument(rights->second, process);
      }
    }
    if (call.signature->call == Call::execve) {
      must_be_alone(step);
    }
    if (call.signature->call == Call::exit) {
      exited_.insert(step.actor);
    }
    for (const std::string& target : call.targets) {
      not_a_service(target, fmt::format("{} binds in step {}", process, step.number));
      const bool is_new = bound_[process].insert(target).second;
      std::string& behind = behind_[process][target];
      const std::string_view now = made_by(call.signature->call);
      behind = is_new || behind == now ? now : "";
    }
    numbers_change(call, process);
    results(call.results, process);
  }

  /// A new program would be the end of the other threads.
  void must_be_alone(const Step& step) {
    std::set<std::string> all = acting_;
    for (const auto& [name, unused] : scenario_.actors) {
      all.insert(name);
    }
    for (const auto& [name, unused] : made_process_) {
      all.insert(name);
    }
    for (const std::string& other : all) {
      const bool unborn = born_at_.count(other) != 0 && made_process_.count(other) == 0;
      if (other != step.actor && !unborn && exited_.count(other) == 0 && process_of(other) == process_of(step.actor)) {
        s_.fail(step.at, fmt::format("execve() by '{}', whose process has another thread ('{}')", step.actor, other),
                "a process whose other threads have made exit()");
      }
    }
  }

  /// The number of a name may lead to something else from now on.
  void numbers_change(const CallStep& call, const std::string& process) {
    if (call.signature->call == Call::dup2 || call.signature->call == Call::dup3) {
      behind_[process].clear();
    } else if (call.signature->call == Call::close && call.args[0].kind == Arg::Kind::name) {
      behind_[process].erase(call.args[0].name);
    }
  }

  void check_new_actor(const Arg& arg) {
    const std::string& name = arg.name;
    not_the_services(arg.at, name);
    const bool shape = name[0] >= 'a' && name[0] <= 'z' &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!shape) {
      s_.fail(arg.at, fmt::format("'{}'", name), "a name of small letters, digits and '-', beginning with a letter");
    }
  }

  void argument(const Arg& arg, const std::string& process) {
    if (arg.kind == Arg::Kind::name) {
      if (bound_[process].count(arg.name) == 0) {
        s_.fail(arg.at, fmt::format("'{}'", arg.name),
                fmt::format("a name that {} has bound{}", process, suggest(arg.name, bound_[process])));
      }
    } else if (arg.kind == Arg::Kind::address_of || arg.kind == Arg::Kind::peer_of) {
      look_up(arg.at, process, arg.process, arg.name);
    }
    for (const Arg& item : arg.items) {
      argument(item, process);
    }
  }

  void results(const std::vector<Result>& results, const std::string& process) {
    for (const Result& result : results) {
      if (result.address && !result.address->name.empty()) {
        look_up(result.address->at, process, result.address->process, result.address->name);
      }
      for (const std::string& name : result.rights) {
        not_a_service(name, fmt::format("{} gets in a message", process));
        bound_[process].insert(name);
        behind_[process].erase(name);
      }
    }
  }

  /// A name in any process: the own one first, then the only other one that has it. Returns that process.
  std::string look_up(Position at, const std::string& own, const std::string& asked, const std::string& name) {
    if (!asked.empty()) {
      if (bound_[asked].count(name) == 0) {
        s_.fail(at, fmt::format("'{}.{}'", asked, name),
                fmt::format("a name that {} has bound{}", asked, suggest(name, bound_[asked])));
      }
      return asked;
    }
    if (!own.empty() && bound_[own].count(name)) {
      return own;
    }
    std::vector<std::string> owners;
    std::set<std::string> all;
    for (const auto& [process, names] : bound_) {
      all.insert(names.begin(), names.end());
      if (names.count(name)) {
        owners.push_back(process);
      }
    }
    if (owners.empty()) {
      s_.fail(at, fmt::format("'{}'", name), "a name that a process has bound" + suggest(name, all));
    }
    if (owners.size() > 1) {
      s_.fail(at, fmt::format("'{}', which {} processes have", name, owners.size()),
              fmt::format("{}.{} or {}.{}", owners[0], name, owners[1], name));
    }
    return owners[0];
  }

  void term(const Term& term) {
    if (term.kind != Term::Kind::path && term.kind != Term::Kind::length) {
      return;
    }
    if (term.model) {
      return;  // the model's own names are known to the model alone
    }
    if (!term.fields.empty() && term.fields[0] == "blocked_in") {
      must_act(term.at, term.name);
      return;
    }
    const std::string process = look_up(term.at, "", term.process, term.name);
    const std::string& kind = behind_[process][term.name];
    const std::vector<std::string_view> fields = fields_of(kind);
    if (!term.fields.empty() && !kind.empty() &&
        std::find(fields.begin(), fields.end(), term.fields[0]) == fields.end()) {
      s_.fail(term.at, fmt::format("the field '{}' of '{}', which is {}", term.fields[0], term.name, kind),
              fmt::format("{}{}", fields.size() > 1 ? "one of " : "", fmt::join(fields, ", ")));
    }
  }

  void focus(Position at, const std::string& name) {
    const size_t dot = name.find('.');
    if (dot != std::string::npos) {
      look_up(at, "", name.substr(0, dot), name.substr(dot + 1));
    } else if (acting_.count(name) == 0) {
      look_up(at, process_of(step_->actor), "", name);
    }
  }

  static std::string suggest(const std::string& word, const std::set<std::string>& words) {
    return did_you_mean(word, std::vector<std::string_view>(words.begin(), words.end()));
  }

  const Scenario& scenario_;
  const Source& s_;
  const Step* step_ = nullptr;
  std::set<std::string> acting_;
  std::set<std::string> exited_;
  std::map<std::string, int> born_at_;
  std::map<std::string, std::string> made_process_;
  std::map<std::string, std::set<std::string>> bound_;
  /// By process and name: what a descriptor is of; no entry, or an empty one, when that is not sure.
  std::map<std::string, std::map<std::string, std::string>> behind_;
};

}  // namespace

void check_names(const Scenario& scenario, const Source& source) { NameChecker(scenario, source).check(); }

}  // namespace wakepath::scenario
