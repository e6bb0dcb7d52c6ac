// How the model comes to be in step where a log is followed from its middle on, and how it leaves off.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/kernel/tcp.hh"
#include "sim/syscalls/syscalls.hh"
#include "src/mirror/call_text.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {
/// The descriptors that a call has made.
std::vector<int> made_by(const os::CallRecord& record) {
  switch (record.call()) {
    case os::Call::pipe2:
      return {record.output.fds[0], record.output.fds[1]};
    case os::Call::socket:
    case os::Call::accept4:
    case os::Call::epoll_create1:
      return {static_cast<int>(record.result)};
    default:
      return {};
  }
}
}  // namespace

void Mirror::begin(const Present& present) {
  if (stopped_) return;
  followed_ = std::max(followed_, present.place);
  looked_ = present.looked;
  for (const os::LogItem& item : present.origins) {
    establish(item.record, present.unknown);
    for (const int fd : made_by(item.record)) established_.insert(fd);
    if (item.record.call() != os::Call::pipe2) continue;
    const auto held = present.in_pipes.find(item.record.output.fds[1]);
    if (held != present.in_pipes.end()) establish_in_pipe(held->first, held->second);
  }
  if (first_ == nullptr) return;
  const Actor looking{.task = first_};
  for (const os::ConnectionSight& seen : present.connections) {
    Peer* peer = peers_.of(sock_of(first_, seen.sight.fd));
    if (peer == nullptr) continue;
    peer->read_before = seen.read;
    settle_sight(looking, seen.sight, "what its descriptor shows where the mirror begins");
  }
  for (int fd = 0; fd < static_cast<int>(first_->files->by_number.size()); ++fd)
    if (eventpoll* ep = eventpoll_of(first_, fd)) forget_edges(ep, fd);
}

/// Whether an edge from before has been reported already, only its report will tell.
void Mirror::forget_edges(eventpoll* ep, int epfd) {
  for (epitem* item : ep->rbr) {
    if ((static_cast<u32>(item->event_events.get()) & u32{EPOLLET}) == 0) continue;
    edges_before_.emplace(epfd, item->ffd_fd);
    if (item->rdllink.linked()) ep->rdllist.erase(item);
  }
}

void Mirror::establish(const os::CallRecord& record, const std::map<int, std::string>& unknown) {
  sync_clock(record.at_ns);
  Actor& actor = actor_of(record);
  actor.started = false;
  actor.replay = {};
  kernel_.recorder.step(++steps_, "before: " + text_of(record));
  std::string why = record.passed_by ? kNotInSample : why_not_checked(record);
  for (const int fd : made_by(record))
    if (const auto found = unknown.find(fd); found != unknown.end()) why = found->second;
  // what is under way on a connection inside the process is nowhere to be seen
  const Address from = address_of(record.output.address);
  if (record.call() == os::Call::connect ||
      (record.call() == os::Call::accept4 && inside_.contains({from.ip, from.port})))
    why = "a connection that this process had made before";
  if (record.call() == os::Call::connect)
    for (const os::Sight& sight : record.sights) inside_.emplace(sight.address, sight.port);
  if (why.empty() && !(run_in_model(actor, record) && actor.task->call_result() == record.result))
    why = "what made it could not be done again on the model";
  actor.started = false;  // the next that returns may have begun before
  if (!why.empty()) forsake(actor, record, why);
  kernel_.recorder.step_end(steps_);
  change_figures([](Figures& f) { ++f.established; });
}

void Mirror::establish_in_pipe(int write_end, std::string_view bytes) {
  if (bytes.empty() || file_of(first_, write_end) == nullptr) return;
  run_as(first_, sys_write(kernel_, write_end, bytes.data(), bytes.size()));
}

/// The kernel has given out a number that the model's process still uses: it was closed past Os, or before it began.
void Mirror::drop_established(Actor& actor, int fd) {
  if (established_.erase(fd) == 0 || file_of(first_, fd) == nullptr) return;
  run_as(actor.task, sys_close(kernel_, fd));
}

void Mirror::leave(const std::string& why) {
  follow(true);
  if (first_ == nullptr || stopped_) return;
  kernel_.recorder.step(++steps_, why + ": the model's process goes");
  for (auto& [unused, actor] : actors_)
    if (!actor.task->call_done()) abandon(actor);
  peers_.give_all_up();
  datagrams_.give_all_up();
  for (int fd = 0; fd < static_cast<int>(first_->files->by_number.size()); ++fd) {
    if (file_of(first_, fd) == nullptr) continue;
    const sock* sk = sock_of(first_, fd);
    if (sk != nullptr && tcp_state(sk) != TcpState::LISTEN)  // nothing is to linger on its port
      run_as(first_, sys_setsockopt(kernel_, fd, SOL_SOCKET, SO_LINGER, {1, 0}));
    run_as(first_, sys_close(kernel_, fd));
  }
  kernel_.recorder.step_end(steps_);
  actors_.clear();
  foreign_ = came_with_the_process();
  foreign_keys_.clear();
  keys_of_.clear();
  inside_.clear();
  established_ = {0, 1, 2};
  error_taken_.clear();
  edges_before_.clear();
  first_ = nullptr;
  data_is_cut_ = false;
}

void Mirror::run_as(task_struct* task, MaySleep<long> call) {
  kernel_.start(task, std::move(call));
  kernel_.scheduler.run_task(*task->thread);
}

}  // namespace wakepath::mirror
