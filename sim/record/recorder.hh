#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::record {

/// A place in the model's source. Default arguments of `=` and of calls make one where they are written.
struct Site {
  const char* file = nullptr;  ///< nullptr: unknown, the innermost Call's site is taken.
  int line = 0;

  /// One number for each place: user addresses are below 2^47, lines below 2^16.
  [[nodiscard]] std::uint64_t key() const {
    return reinterpret_cast<std::uintptr_t>(file) << 16 ^ static_cast<std::uint64_t>(line);
  }
};

/// Writes the model's doings into a trace. One for each model; not thread safe (the model has no threads).
///
/// It keeps what the records need to be complete: whose stack we are on, in which context, and the open calls of each
/// task (their sites serve writes that have none of their own, their positions are the records' causes).
class Recorder {
 public:
  /// `trace` outlives the recorder. With `enabled` false nothing is written and every write is a plain store.
  explicit Recorder(trace::Trace& trace, bool enabled = true);
  ~Recorder() { disable(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] trace::Trace& trace() { return *trace_; }
  [[nodiscard]] bool enabled() const { return enabled_; }
  /// From here on nothing is written: for taking a model down, which is not part of its story.
  void disable() {
    if (enabled_) --enabled_count_;
    enabled_ = false;
  }
  /// Is there a recorder in this process that writes? If not, a write need not look for its own.
  [[nodiscard, gnu::always_inline]] static bool any_enabled() {
#if defined(__x86_64__)
    // The relaxed load below, as the one comparison with memory that it could be. GCC 12 never folds an atomic load
    // into the instruction that uses it, and this stands before every write of a field.
    bool any;
    asm("cmpl $0, %1" : "=@ccne"(any) : "m"(enabled_count_));
    return any;
#else
    return enabled_count_.load(std::memory_order_relaxed) != 0;
#endif
  }
  /// Position of the record written next.
  [[nodiscard]] trace::Position position() const { return trace_->size(); }

  // --- where we are ---
  [[nodiscard]] trace::TaskId task() const { return task_; }
  [[nodiscard]] trace::Context context() const { return trace::PackedRecord::context_of(context_); }
  /// The CPU goes to `task`. `cause`: the record that made it runnable.
  void run(trace::TaskId task, std::uint32_t cause);
  void set_context(trace::Context context) { context_ = trace::PackedRecord::in_context(context); }
  void clock(std::uint64_t now_ns);

  // --- what happens to objects (called by Arena; by Field and List only with recording on) ---
  trace::ObjectId create(trace::KindId kind) {
    ++last_object_;
    if (enabled_) note_created(kind);
    return last_object_;
  }
  void destroy(trace::ObjectId object, trace::KindId kind) { put(trace::RecordKind::kDestroy, kind, object, 0, 0); }
  /// `member`: a PackedRecord::about(object, field). One for all types of fields: their own code, of which there is
  /// much, stays small.
  void set(std::uint64_t member, std::uint64_t before, std::uint64_t after, Site site);
  void list_insert(trace::ObjectId object, trace::FieldId field, std::uint64_t element, std::uint64_t behind) {
    trace_->append(what(trace::RecordKind::kListInsert, field, object), top_, behind, element);
  }
  void list_erase(trace::ObjectId object, trace::FieldId field, std::uint64_t element, std::uint64_t behind) {
    trace_->append(what(trace::RecordKind::kListErase, field, object), top_, behind, element);
  }

  // --- system calls (functions: Call) ---
  trace::Position syscall(trace::FunctionId function, std::string_view text);
  void syscall_return(trace::Position entered, trace::FunctionId function, std::int64_t result, trace::StringId text);

  // --- tasks, steps, words ---
  void spawn(trace::TaskId task, trace::ObjectId object);
  /// Returns its position: the cause of the woken task's next run.
  std::uint32_t wake(trace::TaskId woken, trace::ObjectId object);
  void step(std::uint64_t number, std::string_view text);
  void step_end(std::uint64_t number);
  void note(trace::NoteKind kind, std::string_view text);
  void rule(std::uint16_t rule, trace::ObjectId object);
  void peer(std::string_view what_and_evidence);
  void divergence(std::string_view on_what, std::int64_t model, std::int64_t kernel);

  // --- functions that are not there ---
  /// Calls of these functions are not recorded: what they do shows as part of their callers. One byte per function of
  /// the schema, not 0: left out. nullptr: all are recorded. Not owned; set before the first call.
  void leave_out(const std::uint8_t* by_function) { left_out_ = by_function; }

  // --- names ---
  /// Makes `address` (a function or a table) known under `name`; its pointers are recorded by that name.
  void name_symbol(const void* address, std::string_view name);
  /// Index into Schema::symbols; 0 for nullptr. An address without a name is a fault of the model (BUG).
  [[nodiscard]] std::uint64_t symbol(const void* address) const {
    if (address == nullptr) return 0;
    std::size_t slot = (reinterpret_cast<std::uintptr_t>(address) >> 4) % kKnownSymbols;
    const KnownSymbol& known = known_symbols_[slot];
    return known.address == address ? known.index : find_symbol(address, slot);
  }

 private:
  friend class Call;

  /// A place in the source and its id in the trace: a hash table with open addressing, never more than a quarter full.
  struct KnownSite {
    std::uint64_t key = 0;  ///< of the Site; 0: a free slot
    std::uint16_t id = 0;
  };
  struct KnownSymbol {
    const void* address = nullptr;
    std::uint64_t index = 0;
  };
  static constexpr std::size_t kKnownSymbols = 64;
  static constexpr std::size_t kCallSites = 1024;
  static constexpr std::uint64_t kBottom = trace::PackedRecord::where(0, 0, trace::kNoCause);  ///< no call is open

  [[nodiscard]] std::uint64_t what(trace::RecordKind kind, std::uint64_t about) const {
    return trace::PackedRecord::of_kind(kind) | context_ | about;
  }
  [[nodiscard]] std::uint64_t what(trace::RecordKind kind, std::uint16_t field, std::uint32_t object) const {
    return what(kind, trace::PackedRecord::about(object, field));
  }
  /// The site and the cause of a record that has none of its own are those of the innermost open call.
  trace::Position put(trace::RecordKind kind, std::uint16_t field, std::uint32_t object, std::uint64_t before,
                      std::uint64_t after) {
    return enabled_ ? trace_->append(what(kind, field, object), top_, before, after) : 0;
  }
  trace::Position put_caused(trace::RecordKind kind, std::uint16_t field, std::uint32_t object, std::uint64_t before,
                             std::uint64_t after, std::uint32_t cause) {
    if (!enabled_) return 0;
    return trace_->append(what(kind, field, object), trace::PackedRecord::caused_by(top_, cause), before, after);
  }
  /// Of a function's entry. Nearly every function has one place where it opens its Call.
  [[nodiscard]] bool known_call_site(trace::FunctionId function, Site site, std::uint16_t& id) const {
    const KnownSite& known = call_sites_[function % kCallSites];
    id = known.id;
    return known.key == site.key();
  }
  void learn_call_site(trace::FunctionId function, Site site);
  /// Looks at one slot only: nearly all sites are found there.
  [[nodiscard]] bool known_site(std::uint64_t key, std::uint16_t& id) const {
    const KnownSite& known = sites_[first_slot(key)];
    id = known.id;
    return known.key == key;
  }
  /// Its id, wherever it stands; learnt when it is new.
  [[nodiscard]] std::uint16_t id_of(Site site);
  /// Apart, so that what is rare does not weigh on every write.
  [[gnu::cold, gnu::noinline]] void set_at_rare_site(std::uint64_t member, std::uint64_t before, std::uint64_t after,
                                                     Site site);
  [[nodiscard]] std::size_t first_slot(std::uint64_t key) const {
    constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio: its products are spread evenly
    return key * kGolden >> 40 & site_mask_;
  }
  void note_created(trace::KindId kind);
  void make_room_for_sites(std::size_t count);
  void remember_site(const KnownSite& site);
  std::uint16_t learn_site(Site site);
  [[nodiscard]] std::uint64_t find_symbol(const void* address, std::size_t slot) const;
  void switch_stack(trace::TaskId task);

  inline static std::atomic<int> enabled_count_ = 0;

  trace::Trace* trace_;
  const std::uint8_t* left_out_ = nullptr;
  bool enabled_;
  trace::TaskId task_ = 0;
  std::uint64_t context_ = trace::PackedRecord::in_context(trace::Context::kProcess);
  /// Where we are, as the word that a record has it in: the running task, and site and position of its innermost open
  /// call. Each Call keeps its caller's, so that a task needs to remember its innermost one only.
  std::uint64_t top_ = kBottom;
  trace::ObjectId last_object_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t last_step_ = 0;
  std::uint64_t last_quiet_ = 0;
  std::vector<KnownSite> known_sites_;  // as many as a power of two
  const KnownSite* sites_ = nullptr;    // the same, at hand
  std::size_t site_mask_ = 0;
  std::size_t known_site_count_ = 0;
  mutable std::array<KnownSymbol, kKnownSymbols> known_symbols_;
  std::vector<std::uint32_t> serials_;  // by kind: objects made so far
  std::vector<KnownSite> call_sites_;   // by function, roughly: where its last Call was opened
  std::vector<std::uint64_t> tops_;     // by task; the running one's is top_
  std::unordered_map<const void*, std::uint64_t> symbols_;
};

/// One function of the model, from entry to return: construct at the top of the function. In a coroutine it stays open
/// while the task sleeps, as the kernel's stack does. With recording off it costs a look at a flag.
class Call {
 public:
  Call(Recorder& recorder, trace::FunctionId function, trace::ObjectId subject = 0,
       Site site = {__builtin_FILE(), __builtin_LINE()}) {
    if (recorder.enabled()) [[unlikely]]
      begin(recorder, function, subject, site);
  }
  ~Call() {
    if (recorder_ != nullptr) [[unlikely]]
      end();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  /// Notes the function's result and passes it on: `return call.result(-EAGAIN);`
  template <class T>
  T result(T value) {
    result_ = static_cast<std::int64_t>(value);
    return value;
  }

 protected:
  Call() = default;  ///< not recorded unless begin() follows
  void begin(Recorder& recorder, trace::FunctionId function, trace::ObjectId subject, Site site);
  /// The same about whatever object `subject` stands in; nullptr: nothing.
  void begin(Recorder& recorder, trace::FunctionId function, const void* subject, Site site);

 private:
  [[gnu::cold, gnu::noinline]] void begin_at_new_site(Recorder& recorder, trace::FunctionId function,
                                                      trace::ObjectId subject, Site site);
  void end();

  Recorder* recorder_ = nullptr;  // nullptr: not recorded, and the rest means nothing
  std::int64_t result_;
  std::uint64_t caller_;    // Recorder's top_ before
  std::uint64_t here_;      // and while this is the innermost
  std::uint64_t returned_;  // the first word of the return's record
};

/// Softirq or hardirq context for the lifetime of the object.
class ContextScope {
 public:
  ContextScope(Recorder& recorder, trace::Context context) : recorder_(recorder), before_(recorder.context()) {
    recorder_.set_context(context);
  }
  ~ContextScope() { recorder_.set_context(before_); }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  Recorder& recorder_;
  trace::Context before_;
};

/// A fault of the model itself: prints what is wrong with the last records of the trace, and aborts. In release builds
/// too: an instrument that goes on with a broken model would teach wrong things.
[[noreturn, gnu::cold]] void bug(const Recorder* recorder, const char* condition, const char* file, int line);

}  // namespace wakepath::record

#define WP_BUG_ON(recorder, condition)                                     \
  do {                                                                     \
    if (__builtin_expect(static_cast<bool>(condition), 0))                 \
      ::wakepath::record::bug((recorder), #condition, __FILE__, __LINE__); \
  } while (false)
