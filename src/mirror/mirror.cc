#include "src/mirror/mirror.hh"

#include <fmt/format.h>

#include <utility>

#include "src/mirror/call_text.hh"
#include "src/mirror/evidence.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {
/// What positions can number, less what one call may still write.
constexpr trace::Position kMostRecords = trace::RecordStore::kMaxChunks * trace::RecordStore::kChunkRecords - 1'000'000;

Config machine(const MirrorOptions& options) {
  Config config = options.config;
  config.keep_records = options.ring;
  const auto ports = evidence::port_range();
  config.port_low = ports.low;
  config.port_high = ports.high;
  config.rlimit_nofile = evidence::descriptor_limit();
  config.compared_with = evidence::kernel_name() + " on real loopback sockets";
  return config;
}
}  // namespace

Mirror::Mirror(const MirrorOptions& options)
    : options_(options), kernel_(machine(options)), began_ns_(evidence::now_ns()) {}

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

Mirror::Actor& Mirror::actor_of(int thread, const std::string& name) {
  Actor& actor = actors_[thread];
  if (actor.task == nullptr) {
    actor.task = first_ == nullptr ? kernel_.spawn_process(name) : kernel_.spawn_thread(name, first_);
    if (first_ == nullptr) first_ = actor.task;
    by_thread_[std::this_thread::get_id()] = &actor;
  }
  return actor;
}

void Mirror::sync_clock() { kernel_.scheduler.advance_clock_to(static_cast<uint64_t>(evidence::now_ns() - began_ns_)); }

void Mirror::entering(os::CallRecord& record) {
  record.attachment = nullptr;
  if (stopped_.load() || !is_kernel_call(record.call())) return;
  const Gate::Pass pass = gate_.enter(false);
  sync_clock();
  Actor& actor = actor_of(record.thread, record.thread_name);
  actor.pass = pass;
  actor.started = false;
  actor.applied_before = applied_;
  actor.replay = {};
  record.attachment = &actor;
  look(actor, descriptor_of(record), "the state of the descriptor before the call");
  if (holds_gate(record)) {
    gate_.calling(pass);
    return;
  }
  if (why_not_checked(record).empty() && sleeps_on_model(record)) {
    actor.replay.most_sent = Replay::kAll;
    begin_in_model(actor, record);
  }
  actor.pass = 0;
  actor.sleeping_on = descriptor_of(record);
  gate_.leave(pass);
}

void Mirror::returned(os::CallRecord& record) {
  if (!is_kernel_call(record.call())) return;
  if (record.attachment == nullptr) return change_figures([](Figures& f) { ++f.lost; });
  Actor& actor = *static_cast<Actor*>(record.attachment);
  Gate::Pass pass = actor.pass;
  if (pass == 0 || !gate_.back(pass)) pass = gate_.enter(true);
  if (stopped_.load()) {
    change_figures([](Figures& f) { ++f.lost; });
  } else {
    sync_clock();
    actor.sleeping_on = -1;
    apply(actor, record);
    sample_oracles();
    change_figures([&](Figures& f) { f.injected = peers_.injected(); });
    const trace::Position records = kernel_.recorder.position();
    if (options_.ring == 0 && records >= options_.max_records) stop("as many records as --mirror-records allows");
    if (records >= kMostRecords) stop("as many records as a trace can number");
  }
  gate_.leave(pass);
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
    unchecked(reason);
    // what the model did not follow it cannot follow further
    const bool makes = record.call() == os::Call::socket || record.call() == os::Call::fcntl;
    if (makes && record.result >= 0) foreign_.insert(static_cast<int>(record.result));
    if (record.call() == os::Call::connect) foreign_.insert(descriptor_of(record));
    if (const auto* control = std::get_if<os::call::EpollCtl>(&record.arguments);
        control != nullptr && control->event) {
      if (lacks(record, control->fd)) foreign_.insert(control->fd);
      foreign_keys_.emplace(control->epfd, control->event->data.u64);
    }
  } else if (known && record.result == 0) {
    if (actor.started) abandon(actor);
    unchecked("epoll_wait reported nothing but descriptors that the model does not have");
  } else {
    Peer* closing = record.call() == os::Call::close ? peers_.of(sock_of(actor.task, descriptor_of(record))) : nullptr;
    settle(actor, record);
    if (!actor.started) begin_in_model(actor, record);
    let_timers_fire([&] { return actor.task->call_done() || actor.task->thread->runnable(); });
    kernel_.scheduler.run_task(*actor.task->thread);
    if (!actor.task->call_done()) {
      abandon(actor);
      diverged(record, "the model sleeps where the kernel has returned", -EINPROGRESS);
    } else {
      compare(actor, record);
    }
    if (closing != nullptr) peers_.retire(*closing);
  }
  after(actor, record);
  kernel_.recorder.step_end(number);
  ++applied_;
}

void Mirror::compare(Actor& actor, const os::CallRecord& record) {
  const long model = actor.task->call_result();
  const std::string difference = actor.replay.difference(record, model);
  if (difference.empty()) return checked();
  const bool raced = record.call() == os::Call::epoll_wait && applied_ != actor.applied_before;
  if (raced && actor.replay.holds_more(record, model))
    return unchecked("another thread's call came between epoll_wait's return and its comparison");
  if (record.call() == os::Call::epoll_wait && half_reset(actor, record, model))
    return unchecked("epoll_wait looked at an outside connection while another CPU was resetting it");
  diverged(record, difference, model);
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
  stopped_.store(true);
  kernel_.recorder.note(trace::NoteKind::kLog, "the mirror stops here: " + why);
  change_figures([&](Figures& f) { f.stopped = why; });
}

}  // namespace wakepath::mirror
