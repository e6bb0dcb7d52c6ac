#include "src/guest/strace_tasks.hh"

#include <fcntl.h>

#include <charconv>
#include <string>

#include "src/mirror/replay.hh"

namespace wakepath::guest {

int LineThreads::of_line(int number) {
  if (number != 0) {
    if (alive_.contains(number)) return number;
    if (main_ == 0 && alive_.contains(0)) {  // nobody has made it: it is the first
      main_ = number;
      alive_.erase(0);
    }
    alive_.insert(number);
    return number;
  }
  if (alive_.size() == 1) return *alive_.begin();
  return main_;
}

bool makes_task(std::string_view name) {
  return name == "clone" || name == "clone3" || name == "fork" || name == "vfork" || name == "clone2";
}

int child_of(const StraceCall& call, std::string_view text) {
  // "= 15384 /* 2 in strace's PID NS */"
  const std::size_t comment = text.rfind("/* ");
  if (comment != std::string_view::npos && text.substr(comment).find("in strace's PID NS") != std::string_view::npos) {
    int number = 0;
    const auto [behind, error] = std::from_chars(text.data() + comment + 3, text.data() + text.size(), number);
    if (error == std::errc() && number > 0) return number;
  }
  return static_cast<int>(call.result);
}

namespace {

/// "/usr/bin/python3" is python3.
std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void find_processes(StraceLog& log) {
  struct Made {
    int by = 0;
    bool thread = false;
    std::size_t event = 0;
  };
  std::map<int, Made> made;
  std::map<int, std::string> own_names;
  std::map<int, std::string> programs;
  for (std::size_t i = 0; i < log.events.size(); ++i) {
    const StraceCall& call = log.calls[log.events[i].call];
    if (log.events[i].returns) continue;
    if (makes_task(call.name) && call.returned && call.result > 0)
      made.try_emplace(static_cast<int>(call.result), Made{call.thread, call.meaning.word == "thread", i});
    if (!call.returned || call.result != 0) continue;
    if (call.name == "execve") programs[call.thread] = last_part(call.meaning.word);
    if (call.name == "prctl" && !call.meaning.word.empty()) own_names[call.thread] = call.meaning.word;
  }
  const auto nobody_made = [&](int thread) { return !made.contains(thread); };
  int first = 0;
  for (const auto& [thread, unused] : log.threads)
    if (nobody_made(thread) && programs.contains(thread) && first == 0) first = thread;
  for (auto& [thread, known] : log.threads) {
    int leader = thread;
    for (std::size_t steps = 0; steps <= made.size(); ++steps) {
      const auto found = made.find(leader);
      if (found == made.end() || !found->second.thread) break;
      leader = found->second.by;
    }
    if (nobody_made(leader) && !programs.contains(leader)) {  // attached to: threads of one process, most likely
      if (first == 0) first = leader;
      if (leader != first) ++log.assumed;
      leader = first;
    }
    known.process = leader;
  }
  for (auto& [thread, known] : log.threads) {
    StraceProcess& process = log.processes[known.process];
    if (const auto found = made.find(known.process); found != made.end() && !found->second.thread) {
      const auto parent = log.threads.find(found->second.by);
      process = {parent != log.threads.end() ? parent->second.process : 0, found->second.event};
    }
    std::string& name = known.name;
    if (const auto own = own_names.find(thread); own != own_names.end() && !own->second.empty()) name = own->second;
    for (int of = known.process; name.empty() && of != 0;) {
      if (const auto program = programs.find(of); program != programs.end()) name = program->second;
      const auto found = made.find(of);
      of = found != made.end() && found->second.by < of ? found->second.by : 0;
    }
    if (name.empty()) name = "program";
    if (thread != known.process) name += "/" + std::to_string(thread);
  }
}

namespace {

/// Which ends of pipes a process has: by descriptor, the call that made the pipe.
using Ends = std::map<int, std::size_t>;

/// Reading and writing, not closing.
bool uses(const os::CallRecord& record) {
  return record.call() != os::Call::close && record.call() != os::Call::fcntl && record.call() != os::Call::socket;
}

void follow_ends(const StraceCall& call, std::size_t number, Ends& ends) {
  const os::CallRecord& record = *call.meaning.record;
  for (const long fd : call.meaning.closes) ends.erase(static_cast<int>(fd));
  if (record.call() == os::Call::close) ends.erase(mirror::descriptor_of(record));
  if (call.result < 0) return;
  if (record.call() == os::Call::pipe2 || record.call() == os::Call::socketpair)
    for (const int fd : record.output.fds) ends[fd] = number;
  if (record.call() == os::Call::eventfd2) ends[static_cast<int>(call.result)] = number;
  const auto* copy = std::get_if<os::call::Fcntl>(&record.arguments);
  const bool copies = copy != nullptr && (copy->command == F_DUPFD || copy->command == F_DUPFD_CLOEXEC);
  if (copies && ends.contains(copy->fd)) ends[static_cast<int>(call.result)] = ends[copy->fd];
}

}  // namespace

std::set<std::size_t> pipes_shared(const StraceLog& log, const std::map<int, std::size_t>& until) {
  std::set<std::size_t> shared;
  std::map<int, Ends> ends_of;
  for (std::size_t i = 0; i < log.events.size(); ++i) {
    const StraceEvent& event = log.events[i];
    const StraceCall& call = log.calls[event.call];
    if (!call.returned) continue;
    const int process = log.threads.at(call.thread).process;
    Ends& ends = ends_of[process];
    if (!event.returns && makes_task(call.name) && call.result > 0 && call.meaning.word == "process") {
      const int child = static_cast<int>(call.result);
      if (log.processes.contains(child))
        ends_of[child] = ends;
      else
        for (const auto& [unused, pipe] : ends) shared.insert(pipe);
    }
    if (!call.meaning.record || !event.returns) continue;
    const auto end = ends.find(mirror::descriptor_of(*call.meaning.record));
    const auto told = until.find(process);
    const bool outside = told == until.end() || i >= told->second;
    if (end != ends.end() && outside && uses(*call.meaning.record)) shared.insert(end->second);
    follow_ends(call, event.call, ends);
  }
  return shared;
}

}  // namespace wakepath::guest
