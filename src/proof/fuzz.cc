#include "src/proof/fuzz.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "src/proof/fuzz_worker.hh"

namespace wakepath::proof {
namespace {

constexpr int kLook = 200;  // ms between two questions whether to go on

struct Job {
  pid_t pid = 0;
  int in = -1;
  std::string unread;
  std::optional<std::uint64_t> at;  ///< the program that it works on
  std::uint64_t next = 0;           ///< where it goes on when it must be started again
};

class Fuzz {
 public:
  Fuzz(const FuzzOptions& options, const FuzzListener& listener) : options_(options), listener_(listener) {
    const int cpus = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
    const int wanted = options.jobs > 0 ? options.jobs : cpus * 2;
    stride_ = std::min<std::uint64_t>(static_cast<std::uint64_t>(wanted), std::max<std::uint64_t>(options.count, 1));
  }

  FuzzReport run() {
    jobs_.resize(stride_);
    for (std::uint64_t i = 0; i < stride_; ++i) {
      jobs_[i].next = options_.first + i;
      start(jobs_[i]);
    }
    while (!is_stopped() && wait()) {
    }
    for (Job& job : jobs_) {
      end(job);
    }
    return report_;
  }

 private:
  void start(Job& job) {
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe for a worker");
    }
    const pid_t parent = getpid();
    job.pid = fork();
    if (job.pid < 0) {
      throw std::runtime_error("no process for a worker");
    }
    if (job.pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      unblock_stop_signals();
      if (getppid() == parent) {
        work(options_, job.next, stride_, [&](const nlohmann::json& message) {
          const std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
          for (std::size_t sent = 0; sent < text.size();) {
            const ssize_t n = write(channel[1], text.data() + sent, text.size() - sent);
            sent += n > 0 ? static_cast<std::size_t>(n) : text.size();
          }
        });
      }
      _exit(0);
    }
    close(channel[1]);
    job.in = channel[0];
    job.unread.clear();
  }

  /// Programs run with the signals that a program starts with, whatever the caller waits for.
  static void unblock_stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  }

  bool is_stopped() {
    report_.stopped = report_.stopped || (listener_.stopped && listener_.stopped());
    return report_.stopped;
  }

  /// A worker that has not ended by itself, with what it runs.
  static void end(Job& job) {
    if (job.in < 0) {
      return;
    }
    kill(job.pid, SIGKILL);
    close(job.in);
    waitpid(job.pid, nullptr, 0);
    job = {};
  }

  /// Until one of the workers has said something, or for a moment; false when all have ended.
  bool wait() {
    std::vector<pollfd> waits;
    for (const Job& job : jobs_) {
      waits.push_back({job.in, POLLIN, 0});
    }
    if (std::all_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.in < 0; })) {
      return false;
    }
    poll(waits.data(), waits.size(), kLook);
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (waits[i].revents != 0 && !is_stopped()) {  // Ctrl-C ends the workers too
        hear(jobs_[i]);
      }
    }
    return true;
  }

  void hear(Job& job) {
    char buffer[65536];
    const ssize_t n = read(job.in, buffer, sizeof buffer);
    if (n <= 0) {
      return ended(job);
    }
    job.unread.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end = 0; (end = job.unread.find('\n')) != std::string::npos;) {
      take(job, nlohmann::json::parse(job.unread.substr(0, end)));
      job.unread.erase(0, end + 1);
    }
  }

  void take(Job& job, const nlohmann::json& message) {
    if (message.contains("begin")) {
      job.at = message["begin"].get<std::uint64_t>();
      job.next = *job.at + stride_;
      return;
    }
    job.at.reset();
    report_.coverage.add(coverage_from(message.at("coverage")));
    std::optional<Failure> failure;
    if (message.contains("kind")) {
      failure = {message["end"], message["kind"], message["fingerprint"], message["story"], message["file"]};
    }
    count(failure);
  }

  void count(const std::optional<Failure>& failure) {
    ++report_.programs;
    if (failure) {
      ++report_.failures[failure->kind];
      report_.explained += failure->kind == "explained" ? 1 : 0;
      report_.unsteady += failure->kind == "unsteady" ? 1 : 0;
      report_.not_judged += failure->kind == "not judged" ? 1 : 0;
      listener_.failed(*failure);
    } else {
      ++report_.agree;
    }
    listener_.progress(report_);
  }

  void ended(Job& job) {
    close(job.in);
    job.in = -1;
    int status = 0;
    waitpid(job.pid, &status, 0);
    if (job.at) {
      count(crashed(options_, *job.at, WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT));
      job.at.reset();
      if (job.next < options_.first + options_.count) {
        start(job);
      }
    }
  }

  const FuzzOptions& options_;
  const FuzzListener& listener_;
  std::uint64_t stride_ = 1;
  std::vector<Job> jobs_;
  FuzzReport report_;
};

constexpr std::uint64_t kEnoughPrograms = 1000;  // of so many calls each, to say what a series does not reach
constexpr int kEnoughCalls = 40;

}  // namespace

bool all_stand(const FuzzReport& report) {
  return report.agree + report.explained + report.unsteady + report.not_judged == report.programs;
}

bool reaches_enough(const FuzzOptions& options, const FuzzReport& report) {
  const bool tells = report.programs >= kEnoughPrograms && options.calls >= kEnoughCalls && options.focus.empty() &&
                     options.mutant.empty();
  return !tells || report.coverage.missing().empty();
}

FuzzReport fuzz(const FuzzOptions& options, const FuzzListener& listener) { return Fuzz(options, listener).run(); }

}  // namespace wakepath::proof
