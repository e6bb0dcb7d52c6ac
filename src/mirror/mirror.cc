#include "src/mirror/mirror.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/syscalls/syscalls.hh"
#include "src/mirror/call_text.hh"
#include "src/mirror/evidence.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {
/// What positions can number, less what one call may still write.
constexpr trace::Position kMostRecords = trace::RecordStore::kMaxChunks * trace::RecordStore::kChunkRecords - 1'000'000;

constexpr std::size_t kMostSpare = 4096;
constexpr uint64_t kNobodyKnows = ~uint64_t{0};  // of Actor::applied_before

Config machine(const MirrorOptions& options) {
  Config config = options.config;
  config.keep_records = options.ring;
  const auto ports = evidence::port_range();
  config.port_low = ports.low;
  config.port_high = ports.high;
  config.rlimit_nofile = evidence::descriptor_limit();
  if (config.compared_with.empty()) config.compared_with = evidence::kernel_name() + " on real loopback sockets";
  return config;
}
}  // namespace

Mirror::Mirror(const MirrorOptions& options)
    : options_(options), kernel_(machine(options)), descriptor_limit_(evidence::descriptor_limit()) {}

Figures Mirror::figures() const {
  std::lock_guard hold(figures_lock_);
  return figures_;
}

std::string Mirror::status() const {
  const Figures figures = this->figures();
  if (!figures.stopped.empty()) return "mirror stopped: " + figures.stopped;
  return fmt::format("{} checked, {} unchecked, {} injected, {} divergences", figures.checked, figures.unchecked,
                     figures.injected, figures.divergences);
}

Mirror::Actor& Mirror::actor_of(const os::CallRecord& record) {
  Actor& actor = actors_[record.thread];
  if (actor.task == nullptr) {
    const std::string name(record.thread_name);
    actor.task = first_ == nullptr ? kernel_.spawn_process(name) : kernel_.spawn_thread(name, first_);
    if (first_ == nullptr) first_ = actor.task;
  }
  return actor;
}

/// Stamps of different threads may disagree a little; time does not go back.
void Mirror::sync_clock(int64_t now_ns) {
  if (began_ns_ == 0) began_ns_ = now_ns;
  kernel_.scheduler.advance_clock_to(std::max(kernel_.now_ns(), static_cast<uint64_t>(now_ns - began_ns_)));
}

void Mirror::take(os::LogItem& item) {
  if (spare_.empty()) spare_.emplace_back();
  ahead_.push_back(std::exchange(item, std::move(spare_.back())));
  spare_.pop_back();
  looked_ahead_ = false;
  const os::LogItem& taken = ahead_.back();
  data_is_cut_ = data_is_cut_ || (taken.kind != os::LogItem::Kind::note && taken.record.cut);
  if (taken.kind != os::LogItem::Kind::note && waits(taken.record.call())) ++waits_ahead_[taken.record.thread];
}

bool Mirror::follow(bool no_more) {
  while (!ahead_.empty()) {
    os::LogItem& item = ahead_.front();
    if (!stopped_ && !no_more && !decided(item)) return false;
    const bool returns = item.kind == os::LogItem::Kind::returned;
    if (stopped_ && returns) change_figures([](Figures& f) { ++f.lost; });
    followed_ = item.record.sequence;
    if (item.kind != os::LogItem::Kind::note && waits(item.record.call())) --waits_ahead_[item.record.thread];
    if (!stopped_) {
      if (item.kind == os::LogItem::Kind::note) noted(item);
      if (item.kind == os::LogItem::Kind::entering) entering(item.record);
      if (returns) returned(item.record);
    }
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(item));
    ahead_.pop_front();
    looked_ahead_ = false;
  }
  return true;
}

void Mirror::entering(os::CallRecord& record) {
  sync_clock(record.at_ns);
  Actor& actor = actor_of(record);
  actor.started = false;
  actor.applied_before = record.sequence > looked_ ? applied_ : kNobodyKnows;
  actor.replay = {};
  actor.begun = std::move(record);
  actor.sleeping_on = descriptor_of(actor.begun);
  if (actor.begun.call() == os::Call::poll)
    if (auto known = known_polled(actor.begun)) actor.begun = std::move(*known);
  if (!why_not_checked(actor.begun).empty() || !sleeps_on_model(actor.begun)) return;
  actor.replay.most_sent = Replay::kAll;
  begin_in_model(actor, actor.begun);
}

void Mirror::returned(const os::CallRecord& record) {
  sync_clock(record.at_ns);
  Actor& actor = actor_of(record);
  if (!record.sleeps) {
    actor.started = false;
    actor.applied_before = applied_;
    actor.replay = {};
  }
  actor.sleeping_on = -1;
  apply(actor, record);
  change_figures([&](Figures& f) { f.injected = peers_.injected() + datagrams_.injected(); });
  const trace::Position records = kernel_.recorder.position();
  if (options_.ring == 0 && records >= options_.max_records) stop("as many records as --mirror-records allows");
  if (records >= kMostRecords) stop("as many records as a trace can number");
}

void Mirror::begin_in_model(Actor& actor, const os::CallRecord& record) {
  auto call = actor.replay.call(kernel_, record);
  if (!call) return;
  kernel_.start(actor.task, std::move(*call));
  actor.started = true;
  kernel_.scheduler.run_task(*actor.task->thread);
}

void Mirror::apply(Actor& actor, const os::CallRecord& returned) {
  const uint64_t number = ++steps_;
  kernel_.recorder.step(number, text_of(returned));
  const auto known = known_events(returned);
  const os::CallRecord& record = known ? *known : returned;
  change_figures([](Figures& f) { ++f.calls; });
  if (const std::string reason = why_not_checked(record); !reason.empty()) {
    if (actor.started) abandon(actor);
    concerns_sample(record) ? unchecked(reason) : not_in_sample();
    forsake(actor, record, reason);
  } else if (known && record.result == 0) {
    if (actor.started) abandon(actor);
    concerns_sample(returned)
        ? unchecked(fmt::format("{} reported nothing but descriptors that the model does not have",
                                os::name_of(record.call())))
        : not_in_sample();
  } else {
    const file* last = record.call() == os::Call::close ? file_of(actor.task, descriptor_of(record)) : nullptr;
    Peer* closing =
        last != nullptr && last->f_ref == 1 ? peers_.of(sock_of(actor.task, descriptor_of(record))) : nullptr;
    if (!run_in_model(actor, record)) {
      if (std::exchange(actor.unsure, false))
        unchecked("what had come was not known before it was read");
      else
        diverged(record, "the model sleeps where the kernel has returned", -EINPROGRESS);
    } else {
      compare(actor, record);
    }
    if (closing != nullptr) peers_.retire(*closing);
    if (record.passed_by) let_go(actor, static_cast<int>(record.result));
  }
  after(actor, record);
  kernel_.recorder.step_end(number);
  ++applied_;
}

/// Whether the call has returned there too.
bool Mirror::run_in_model(Actor& actor, const os::CallRecord& record) {
  settle(actor, record);
  if (!actor.started) begin_in_model(actor, record);
  let_timers_fire([&] { return actor.task->call_done() || actor.task->thread->runnable(); });
  kernel_.scheduler.run_task(*actor.task->thread);
  if (actor.task->call_done()) return true;
  abandon(actor);
  return false;
}

/// What the model did not follow it cannot follow further.
void Mirror::forsake(Actor& actor, const os::CallRecord& record, const std::string& why) {
  const auto forsake_made = [&](int fd) {
    drop_established(actor, fd);
    foreign_.insert_or_assign(fd, why);
  };
  const bool makes = record.call() == os::Call::socket || copies_descriptor(record) ||
                     record.call() == os::Call::accept4 || record.call() == os::Call::epoll_create1 ||
                     record.call() == os::Call::eventfd2;
  if (makes && record.result >= 0) forsake_made(static_cast<int>(record.result));
  if ((record.call() == os::Call::pipe2 || record.call() == os::Call::socketpair) && record.result >= 0)
    for (const int fd : record.output.fds) forsake_made(fd);
  const sock* sender = datagram_sock_of(first_, descriptor_of(record));
  const bool bound_itself = sender != nullptr && sender->common.skc_num == 0 && record.result >= 0 &&
                            record.call() != os::Call::bind && record.call() != os::Call::close;
  if (record.call() == os::Call::connect || bound_itself) foreign_.insert_or_assign(descriptor_of(record), why);
  if (const auto* control = std::get_if<os::call::EpollCtl>(&record.arguments); control != nullptr && control->event) {
    if (lacks(record, control->fd)) foreign_.try_emplace(control->fd, kMadeElsewhere);
    const std::pair key{control->epfd, control->event->data.u64};
    if (foreign_keys_.insert_or_assign(key, control->fd).second) keys_of_.emplace(control->fd, key);
  }
}

/// Its number is given up, or somebody else's.
void Mirror::know_again(int fd) {
  foreign_.erase(fd);
  const auto [first, last] = keys_of_.equal_range(fd);
  for (auto at = first; at != last; ++at)
    if (const auto key = foreign_keys_.find(at->second); key != foreign_keys_.end() && key->second == fd)
      foreign_keys_.erase(key);
  keys_of_.erase(first, last);
}

/// The connection is not one of those that are followed.
void Mirror::let_go(Actor& actor, int fd) {
  foreign_.insert_or_assign(fd, kNotInSample);
  const sock* sk = sock_of(actor.task, fd);
  if (sk == nullptr) return;
  kernel_.recorder.note(trace::NoteKind::kLog, "not in the sample: the model gives the connection up");
  const auto close = [&](int end) {
    run_as(actor.task, sys_setsockopt(kernel_, end, SOL_SOCKET, SO_LINGER, {1, 0}));  // nothing lingers on its port
    run_as(actor.task, sys_close(kernel_, end));
  };
  if (Peer* peer = peers_.of(sk)) {
    peers_.give_up(*peer);
  } else if (const int other = other_end_of(sk); other >= 0) {
    foreign_.insert_or_assign(other, "its other end is not in the sample");
    close(other);
  }
  close(fd);
}

void Mirror::compare(Actor& actor, const os::CallRecord& record) {
  const long model = actor.task->call_result();
  const std::string difference = actor.replay.difference(record, model, !data_is_cut_);
  if (std::exchange(actor.unsure, false)) return unchecked("what had come was not known before it was read");
  if (difference.empty()) return checked();
  if (raced(actor, record, model))
    return unchecked(
        fmt::format("another thread's call came between {}'s return and its comparison", os::name_of(record.call())));
  if (record.call() == os::Call::epoll_wait && half_reset(actor, record, model))
    return unchecked("epoll_wait looked at an outside connection while another CPU was resetting it");
  diverged(record, difference, model);
}

void Mirror::not_in_sample() {
  change_figures([](Figures& f) { ++f.not_in_sample; });
}

/// The model's call cannot come to an end: its frames go, as when a task is killed.
void Mirror::abandon(Actor& actor) { kernel_.scheduler.kill(*actor.task->thread); }

void Mirror::checked() {
  change_figures([](Figures& f) { ++f.checked; });
}

void Mirror::unchecked(const std::string& reason) {
  kernel_.recorder.note(trace::NoteKind::kLog, "unchecked: " + reason);
  change_figures([&](Figures& f) {
    ++f.unchecked;
    ++f.reasons[reason];
  });
}

void Mirror::diverged(const os::CallRecord& record, const std::string& on_what, long model) {
  const std::string text = fmt::format("{}: {}", text_of(record), on_what);
  kernel_.recorder.divergence(text, model, record.result);
  change_figures([&](Figures& f) {
    ++f.divergences;
    if (f.first_divergence.empty()) f.first_divergence = text;
  });
}

void Mirror::stop(const std::string& why) {
  stopped_ = true;
  kernel_.recorder.note(trace::NoteKind::kLog, "the mirror stops here: " + why);
  change_figures([&](Figures& f) { f.stopped = why; });
}

}  // namespace wakepath::mirror
