#include "sim/record/recorder.hh"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "sim/record/arena.hh"

namespace wakepath::record {

using trace::PackedRecord;
using trace::RecordKind;

Recorder::Recorder(trace::Trace& trace, bool enabled)
    : trace_(&trace), enabled_(enabled), call_sites_(kCallSites), tops_{kBottom} {
  if (enabled) ++enabled_count_;
  make_room_for_sites(enabled ? 1024 : 1);
}

void Recorder::make_room_for_sites(std::size_t count) {
  std::vector<KnownSite> before = std::exchange(known_sites_, std::vector<KnownSite>(count));
  sites_ = known_sites_.data();
  site_mask_ = count - 1;
  for (const KnownSite& known : before)
    if (known.key != 0) remember_site(known);
}

void Recorder::remember_site(const KnownSite& site) {
  std::size_t slot = first_slot(site.key);
  while (known_sites_[slot].key != 0) slot = (slot + 1) & site_mask_;
  known_sites_[slot] = site;
}

void Recorder::learn_call_site(trace::FunctionId function, Site site) {
  call_sites_[function % kCallSites] = {site.key(), id_of(site)};
}

std::uint16_t Recorder::id_of(Site site) {
  const std::uint64_t key = site.key();
  std::size_t slot = first_slot(key);
  for (; known_sites_[slot].key != 0; slot = (slot + 1) & site_mask_)
    if (known_sites_[slot].key == key) return known_sites_[slot].id;
  return learn_site(site);
}

std::uint16_t Recorder::learn_site(Site site) {
  if (++known_site_count_ * 4 > known_sites_.size()) make_room_for_sites(known_sites_.size() * 2);
  std::string_view file = site.file;  // absolute in the build; the trace has it from the repository's root
  if (auto at = file.rfind("/sim/"); at != std::string_view::npos) file.remove_prefix(at + 1);
  std::uint16_t id = trace_->intern_site(fmt::format("{}:{}", file, site.line));
  remember_site({site.key(), id});
  return id;
}

void Recorder::set(std::uint64_t member, std::uint64_t before, std::uint64_t after, Site site) {
  std::uint64_t where = top_;
  if (site.file != nullptr) {
    std::uint16_t id = 0;
    if (!known_site(site.key(), id)) [[unlikely]]
      return set_at_rare_site(member, before, after, site);
    where = PackedRecord::at_site(where, id);
  }
  trace_->append(what(RecordKind::kSet, member), where, before, after);
}

void Recorder::set_at_rare_site(std::uint64_t member, std::uint64_t before, std::uint64_t after, Site site) {
  trace_->append(what(RecordKind::kSet, member), PackedRecord::at_site(top_, id_of(site)), before, after);
}

void Recorder::switch_stack(trace::TaskId task) {
  tops_[task_] = top_;
  task_ = task;
  while (tops_.size() <= task)
    tops_.push_back(PackedRecord::where(static_cast<trace::TaskId>(tops_.size()), 0, trace::kNoCause));
  top_ = tops_[task];
}

void Recorder::run(trace::TaskId task, std::uint32_t cause) {
  if (task == task_) return;
  trace::TaskId before = task_;
  switch_stack(task);
  put_caused(RecordKind::kRun, 0, 0, before, task, cause != trace::kNoCause ? cause : PackedRecord::cause_of(top_));
}

void Recorder::clock(std::uint64_t now_ns) {
  if (now_ns == now_) return;
  put(RecordKind::kClock, 0, 0, now_, now_ns);
  now_ = now_ns;
}

void Recorder::note_created(trace::KindId kind) {
  if (serials_.size() <= kind) serials_.resize(kind + std::size_t{1});
  put(RecordKind::kCreate, kind, last_object_, 0, ++serials_[kind]);
}

trace::Position Recorder::syscall(trace::FunctionId function, std::string_view text) {
  if (!enabled_) return 0;
  return put(RecordKind::kSyscall, function, trace_->intern(text), 0, 0);
}

void Recorder::syscall_return(trace::Position entered, trace::FunctionId function, std::int64_t result,
                              trace::StringId text) {
  put_caused(RecordKind::kSyscallReturn, function, text, entered, static_cast<std::uint64_t>(result),
             static_cast<std::uint32_t>(entered));
}

void Recorder::spawn(trace::TaskId task, trace::ObjectId object) {
  trace::TaskId running = task_;
  switch_stack(task);
  put(RecordKind::kSpawn, 0, object, 0, 0);
  switch_stack(running);
}

std::uint32_t Recorder::wake(trace::TaskId woken, trace::ObjectId object) {
  return static_cast<std::uint32_t>(put(RecordKind::kWake, 0, object, woken, 0));
}

void Recorder::step(std::uint64_t number, std::string_view text) {
  if (!enabled_) return;
  put(RecordKind::kStep, 0, trace_->intern(text), last_step_, number);
  last_step_ = number;
}

void Recorder::step_end(std::uint64_t number) {
  put(RecordKind::kStepEnd, 0, 0, last_quiet_, number);
  last_quiet_ = number;
}

void Recorder::note(trace::NoteKind kind, std::string_view text) {
  if (enabled_) put(RecordKind::kNote, static_cast<std::uint16_t>(kind), trace_->intern(text), 0, 0);
}

void Recorder::rule(std::uint16_t rule, trace::ObjectId object) { put(RecordKind::kRule, rule, object, 0, 0); }

void Recorder::peer(std::string_view what_and_evidence) {
  if (enabled_) put(RecordKind::kPeer, 0, trace_->intern(what_and_evidence), 0, 0);
}

void Recorder::divergence(std::string_view on_what, std::int64_t model, std::int64_t kernel) {
  if (!enabled_) return;
  put(RecordKind::kDivergence, 0, trace_->intern(on_what), static_cast<std::uint64_t>(model),
      static_cast<std::uint64_t>(kernel));
}

void Recorder::name_symbol(const void* address, std::string_view name) {
  const auto& symbols = trace_->schema().symbols;
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if (symbols[i] == name) symbols_[address] = i;
  WP_BUG_ON(this, !symbols_.contains(address));
}

std::uint64_t Recorder::find_symbol(const void* address, std::size_t slot) const {
  auto found = symbols_.find(address);
  WP_BUG_ON(this, found == symbols_.end());
  known_symbols_[slot] = {address, found->second};
  return found->second;
}

void Call::begin(Recorder& recorder, trace::FunctionId function, trace::ObjectId subject, Site site) {
  if (recorder.left_out_ != nullptr && recorder.left_out_[function] != 0) return;
  std::uint16_t site_id = 0;
  if (!recorder.known_call_site(function, site, site_id)) [[unlikely]]
    return begin_at_new_site(recorder, function, subject, site);
  std::uint64_t what = recorder.what(RecordKind::kCall, function, subject);
  std::uint64_t where = PackedRecord::at_site(recorder.top_, site_id);
  recorder_ = &recorder;
  result_ = 0;
  caller_ = recorder.top_;
  here_ = PackedRecord::caused_by(where, static_cast<std::uint32_t>(recorder.position()));
  returned_ = PackedRecord::of_kind(what, RecordKind::kReturn);
  recorder.top_ = here_;
  recorder.trace_->append(what, where, 0, 0);
}

void Call::begin_at_new_site(Recorder& recorder, trace::FunctionId function, trace::ObjectId subject, Site site) {
  recorder.learn_call_site(function, site);
  begin(recorder, function, subject, site);
}

void Call::begin(Recorder& recorder, trace::FunctionId function, const void* subject, Site site) {
  begin(recorder, function, object_of(subject), site);
}

void Call::end() {
  Recorder& r = *recorder_;
  if (!r.enabled_) return;
  WP_BUG_ON(&r, r.top_ != here_);
  r.top_ = caller_;
  r.trace_->append(returned_, here_, PackedRecord::cause_of(here_), static_cast<std::uint64_t>(result_));
}

void bug(const Recorder* recorder, const char* condition, const char* file, int line) {
  fmt::print(stderr, "BUG: {} at {}:{}\n", condition, file, line);
  if (recorder != nullptr) {
    const trace::Trace& trace = const_cast<Recorder*>(recorder)->trace();
    trace::Position end = trace.size();
    for (trace::Position i = end > 20 ? end - 20 : 0; i < end; ++i) {
      const trace::Record& r = trace[i];
      fmt::print(stderr, "  {:>8} kind {} field {} object {} task {} before {:#x} after {:#x} {}\n", i,
                 static_cast<int>(r.kind), r.field, r.object, r.task, r.before, r.after, trace.site(r.site));
    }
  }
  std::fflush(stderr);
  std::abort();
}

}  // namespace wakepath::record
