#include "src/bench/server/load.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "src/bench/server/clients.hh"
#include "src/bench/server/process.hh"

namespace wakepath::bench {

namespace {

Outcome perform(uint16_t port, Clients& clients, const Task& task) {
  switch (task.work) {
    case Work::none:
      return {.wrong = clients.wrong()};
    case Work::echo:
      return run_echo(clients, task);
    case Work::paced:
      return run_paced(clients, task);
    case Work::sequential:
      return run_sequential(port, task);
    case Work::concurrent:
      return run_concurrent(port, task);
    case Work::flood:
      return run_flood(port, task);
    case Work::never_read:
      return run_never_read(port, task);
  }
  return {.failed = true};
}

void tell(int line, const Outcome& outcome) {
  if (write(line, &outcome, sizeof outcome) != sizeof outcome) _exit(3);
}

/// The process: opens the connections, then does one task after the other.
void work(int line, uint16_t port, std::size_t connections) {
  std::unique_ptr<Clients> clients;
  Task task;
  do {
    Outcome outcome;
    try {
      if (clients == nullptr) clients = std::make_unique<Clients>(port, connections);
      outcome = perform(port, *clients, task);
    } catch (const std::runtime_error&) {
      outcome.failed = true;
    }
    tell(line, outcome);
  } while (read(line, &task, sizeof task) == sizeof task);
}

}  // namespace

LoadProcess::LoadProcess(uint16_t port, std::size_t connections) {
  int line[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) < 0)
    throw std::runtime_error("no line to the clients' process");
  process_ = fork_pinned("clients", processors().clients, [&] {
    close(line[0]);
    work(line[1], port, connections);
  });
  close(line[1]);
  line_ = line[0];
  Outcome open;
  if (read(line_, &open, sizeof open) == sizeof open && !open.failed && open.wrong == 0) return;
  end_process(process_);
  close(line_);
  throw std::runtime_error("the clients cannot open " + std::to_string(connections) +
                           " connections (descriptors: ulimit -n), or are answered wrongly");
}

LoadProcess::~LoadProcess() {
  end_process(process_);
  close(line_);
}

Outcome LoadProcess::run(const Task& task) {
  Outcome outcome;
  if (write(line_, &task, sizeof task) != sizeof task || read(line_, &outcome, sizeof outcome) != sizeof outcome)
    throw std::runtime_error("the clients' process has died");
  return outcome;
}

}  // namespace wakepath::bench
