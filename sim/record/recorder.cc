#include "sim/record/recorder.hh"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace wakepath::record {

using trace::RecordKind;

std::uint16_t Recorder::site_id(Site site) {
  if (site.file == nullptr) {
    auto& open = open_calls();
    return open.empty() ? std::uint16_t{0} : open.back().site;
  }
  auto key = reinterpret_cast<std::uintptr_t>(site.file) * 65599 + static_cast<std::uint64_t>(site.line);
  auto [found, is_new] = sites_.try_emplace(key, std::uint16_t{0});
  if (is_new) {
    std::string_view file = site.file;  // absolute in the build; the trace has it from the repository's root
    if (auto at = file.rfind("/sim/"); at != std::string_view::npos) file.remove_prefix(at + 1);
    found->second = trace_->intern_site(fmt::format("{}:{}", file, site.line));
  }
  return found->second;
}

std::vector<Recorder::OpenCall>& Recorder::open_calls() {
  if (open_calls_.size() <= task_) open_calls_.resize(task_ + std::size_t{1});
  return open_calls_[task_];
}

trace::Position Recorder::put(RecordKind kind, std::uint16_t field, std::uint32_t object, std::uint64_t before,
                              std::uint64_t after, Site site, std::uint32_t cause) {
  if (!enabled_) return 0;
  auto& open = open_calls();
  if (cause == trace::kNoCause && !open.empty()) cause = open.back().position;
  return trace_->append({kind, context_, field, object, task_, site_id(site), cause, before, after});
}

void Recorder::run(trace::TaskId task, std::uint32_t cause) {
  if (task == task_) return;
  trace::TaskId before = task_;
  task_ = task;
  put(RecordKind::kRun, 0, 0, before, task, {}, cause);
}

void Recorder::clock(std::uint64_t now_ns) {
  if (now_ns == now_) return;
  put(RecordKind::kClock, 0, 0, now_, now_ns);
  now_ = now_ns;
}

trace::ObjectId Recorder::create(trace::KindId kind) {
  ++last_object_;
  if (serials_.size() <= kind) serials_.resize(kind + std::size_t{1});
  put(RecordKind::kCreate, kind, last_object_, 0, ++serials_[kind]);
  return last_object_;
}

void Recorder::destroy(trace::ObjectId object, trace::KindId kind) { put(RecordKind::kDestroy, kind, object, 0, 0); }

void Recorder::set(trace::ObjectId object, trace::FieldId field, std::uint64_t before, std::uint64_t after, Site site) {
  put(RecordKind::kSet, field, object, before, after, site);
}

void Recorder::list_insert(trace::ObjectId object, trace::FieldId field, std::uint64_t element, std::uint64_t behind) {
  put(RecordKind::kListInsert, field, object, behind, element);
}

void Recorder::list_erase(trace::ObjectId object, trace::FieldId field, std::uint64_t element, std::uint64_t behind) {
  put(RecordKind::kListErase, field, object, behind, element);
}

trace::Position Recorder::enter(trace::FunctionId function, trace::ObjectId subject, Site site) {
  if (left_out_ != nullptr && left_out_[function] != 0) return kLeftOut;
  std::uint16_t id = site_id(site);
  trace::Position at = put(RecordKind::kCall, function, subject, 0, 0, site);
  open_calls().push_back({static_cast<std::uint32_t>(at), id});
  return at;
}

void Recorder::leave(trace::Position call, trace::FunctionId function, trace::Context context, trace::ObjectId subject,
                     std::int64_t result) {
  if (call == kLeftOut) return;
  auto& open = open_calls();
  WP_BUG_ON(this, open.empty() || open.back().position != static_cast<std::uint32_t>(call));
  trace_->append({RecordKind::kReturn, context, function, subject, task_, open.back().site,
                  static_cast<std::uint32_t>(call), call, static_cast<std::uint64_t>(result)});
  open.pop_back();
}

trace::Position Recorder::syscall(trace::FunctionId function, std::string_view text) {
  if (!enabled_) return 0;
  return put(RecordKind::kSyscall, function, trace_->intern(text), 0, 0);
}

void Recorder::syscall_return(trace::Position entered, trace::FunctionId function, std::int64_t result,
                              std::string_view text) {
  if (!enabled_) return;
  put(RecordKind::kSyscallReturn, function, trace_->intern(text), entered, static_cast<std::uint64_t>(result), {},
      static_cast<std::uint32_t>(entered));
}

void Recorder::spawn(trace::TaskId task, trace::ObjectId object) {
  trace::TaskId running = task_;
  task_ = task;
  put(RecordKind::kSpawn, 0, object, 0, 0);
  task_ = running;
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

std::uint64_t Recorder::symbol(const void* address) const {
  if (address == nullptr) return 0;
  auto found = symbols_.find(address);
  WP_BUG_ON(this, found == symbols_.end());
  return found->second;
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
