#include "src/proof/fuzz_worker.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "src/proof/judge.hh"
#include "src/proof/known.hh"
#include "src/proof/shrink.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::proof {
namespace {

constexpr std::uint64_t kSearchedForPointers = 20;  // each such program: it takes as long as making one

std::string about(const FuzzOptions& o, std::uint64_t index) {
  const std::string focus = o.focus.empty() ? "" : " --focus " + o.focus;
  const std::string mutant = o.mutant.empty() ? "" : " --mutant " + o.mutant;
  const std::string alone =
      o.mutant.empty() ? "" : " (only with this deliberate fault of the model: `wakepath run` does not have it)";
  return fmt::format("wakepath fuzz --seed {} --first {} --count 1 --calls {}{}{}{}", o.seed, index, o.calls, focus,
                     mutant, alone);
}

std::string story_of(const Judgement& j) {
  std::string out;
  for (const std::string& complaint : j.complaints) {
    out += complaint + "\n";
  }
  std::size_t shown = 0;
  for (const scenario::Difference& d : j.differences) {
    if (++shown > 6) {
      return out + fmt::format("and {} more\n", j.differences.size() - 6);
    }
    std::string call;
    for (const scenario::Entry& e : j.model.entries) {
      call = e.step == d.step ? fmt::format("{}: {}", e.actor, e.call) : call;
    }
    out += fmt::format("step {} ({}): {}\n", d.step, call, scenario::in_words(d));
  }
  for (const std::string& sentence : j.excused) {
    out += sentence + "\n";
  }
  return out + j.why_not;
}

class Worker {
 public:
  Worker(const FuzzOptions& options, const std::function<void(const nlohmann::json&)>& tell)
      : options_(options), tell_(tell) {
    judging_.mutant = options.mutant;
    judging_.invariants = options.invariants;
    judging_.reference = options.reference;
    judging_.cpus = options.focus.empty() ? 1 : focus_by_name(options.focus)->cpus;
  }

  void run(std::uint64_t index) {
    alarm(options_.longest_s);
    tell_({{"begin", index}});
    const Generated made = generate(mix(options_.seed, index), options_.calls, options_.focus);
    Coverage coverage;
    coverage.add(made);
    nlohmann::json message = {{"end", index}, {"coverage", to_json(coverage)}};
    judging_.pointers = options_.invariants && index % kSearchedForPointers == 0;
    const Judgement judgement = judge(made.program, judging_);
    if (judgement.kind != Judgement::Kind::agrees) {
      describe(judgement, made.program, index, message);
    }
    tell_(message);
  }

 private:
  void describe(const Judgement& judgement, const Program& program, std::uint64_t index, nlohmann::json& out) {
    static const std::map<Judgement::Kind, const char*> words = {
        {Judgement::Kind::differs, "differs"},      {Judgement::Kind::broken, "broken"},
        {Judgement::Kind::invalid, "invalid"},      {Judgement::Kind::not_run, "not run"},
        {Judgement::Kind::unsteady, "unsteady"},    {Judgement::Kind::listed, "explained"},
        {Judgement::Kind::not_judged, "not judged"}};
    const bool steady = judgement.kind != Judgement::Kind::unsteady;
    const KnownDifference* known = steady ? explain(judgement, known_differences()) : nullptr;
    out["kind"] = known != nullptr ? "explained" : words.at(judgement.kind);
    out["fingerprint"] = known != nullptr ? known->id : judgement.fingerprint();
    Program shown = program;
    Judgement last = judgement;
    const bool shrinks = judgement.kind == Judgement::Kind::differs || judgement.kind == Judgement::Kind::broken;
    if (known == nullptr && shrinks && options_.shrink_tries > 0 && seen_.insert(judgement.fingerprint()).second) {
      shown = smaller(program, judgement);
      last = judge(shown, judging_);
    }
    out["story"] = story_of(last);
    out["file"] = shown.yaml(fmt::format("Found by a random program: {}", out["fingerprint"].get<std::string>()),
                             about(options_, index));
  }

  Program smaller(const Program& program, const Judgement& shows) {
    JudgeOptions quick = judging_;
    quick.kernel_runs = 1;
    const auto same = [&](const Program& candidate) {
      const Judgement found = judge(candidate, quick);
      return found.kind == shows.kind && found.fingerprint() == shows.fingerprint();
    };
    return shrink(program, same, options_.shrink_tries);
  }

  const FuzzOptions& options_;
  const std::function<void(const nlohmann::json&)>& tell_;
  JudgeOptions judging_;
  std::set<std::string> seen_;  ///< fingerprints that were shrunk already
};

/// All runs of a worker stay on one processor, so that two workers share the machine evenly.
void stay_on_cpu(std::uint64_t number) {
  const unsigned cpus = std::max(std::thread::hardware_concurrency(), 1u);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(number % cpus, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/// Runs `job` in a process of its own with nothing on its standard error, for so many seconds at most; the signal that
/// ended it, or 0.
int signal_of(unsigned longest_s, const std::function<void()>& job) {
  const pid_t pid = fork();
  if (pid == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    alarm(longest_s);
    job();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/// The steps up to the one that brings the model down: the process that makes them writes down each before it runs.
Program steps_before_the_end(const FuzzOptions& options, std::uint64_t index) {
  int channel[2];
  Program out;
  if (pipe2(channel, O_CLOEXEC) != 0) {
    return out;
  }
  signal_of(options.longest_s, [&] {
    generate(mix(options.seed, index), options.calls, options.focus, [&](const ProgramStep& s) {
      const std::string text =
          nlohmann::json{s.actor, s.targets, s.function, s.args, s.wait, s.signal_to, s.restart}.dump() + "\n";
      [[maybe_unused]] const ssize_t n = write(channel[1], text.data(), text.size());
    });
  });
  close(channel[1]);
  std::string all;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(channel[0], buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(n));
  }
  close(channel[0]);
  std::istringstream lines(all);
  for (std::string text; std::getline(lines, text);) {
    const nlohmann::json j = nlohmann::json::parse(text);
    out.steps.push_back({j[0], j[1], j[2], j[3], j[4], j[5], j[6]});
  }
  return out;
}

}  // namespace

void work(const FuzzOptions& options, std::uint64_t first, std::uint64_t stride,
          const std::function<void(const nlohmann::json&)>& tell) {
  stay_on_cpu(first % stride);
  Worker worker(options, tell);
  for (std::uint64_t index = first; index < options.first + options.count; index += stride) {
    worker.run(index);
  }
}

Failure crashed(const FuzzOptions& options, std::uint64_t index, int signal) {
  Failure out{index, "crashed", strsignal(signal), "the model was ended by: " + std::string(strsignal(signal)) + "\n",
              ""};
  const auto ends = [&](const Program& program) {
    const auto parsed = program.parsed();
    const auto* scenario = std::get_if<scenario::Scenario>(&parsed);
    JudgeOptions judging;
    judging.mutant = options.mutant;
    return scenario != nullptr && signal_of(options.longest_s, [&] { run_checked(*scenario, judging); }) != 0;
  };
  Program program = steps_before_the_end(options, index);
  if (options.shrink_tries > 0 && ends(program)) {
    program = shrink(std::move(program), ends, options.shrink_tries * 4);
  }
  out.file = program.yaml("Found by a random program: it brings the model down", about(options, index));
  return out;
}

}  // namespace wakepath::proof
