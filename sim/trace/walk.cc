// Many records at once. More than half of them are calls and returns, and which of the two comes next cannot be
// foreseen: a processor that guesses wrong each second time waits longer than the work takes. So a batch is passed
// twice: first without asking, every record writing the frame above the top of its task's stack, of which only a call's
// stays; that also collects the others, which are then done one by one, with what they need under way before.
#include <algorithm>
#include <array>

#include "sim/trace/world.hh"

namespace wakepath::trace {

namespace {

/// What records of a kind do to their task's stack, going one way.
struct Steps {
  std::array<std::int8_t, 32> of{};  ///< by RecordKind
  constexpr Steps(RecordKind push, RecordKind pop) {
    of[static_cast<std::size_t>(push)] = 1;
    of[static_cast<std::size_t>(pop)] = -1;
  }
};
constexpr Steps kForward(RecordKind::kCall, RecordKind::kReturn);
constexpr Steps kBack(RecordKind::kReturn, RecordKind::kCall);

}  // namespace

class World::Walk {
 public:
  Walk(World& world, const Trace& trace) : world_(world), trace_(trace) {}

  void forward(Position from, Position to) {
    while (from < to) {
      Position stop = std::min({to, from + kBatch, (from / kChunk + 1) * kChunk});
      if (begin(from)) {
        pass_stacks<true>(from, stop);
        for (std::size_t i = 0; i < others_count_; ++i) {
          expect(i);
          const PackedRecord& r = at(others_[i]);
          if (r.kind() == RecordKind::kSet && !r.wide())
            set(r, r.after());
          else
            world_.apply(trace_.schema(), trace_[others_[i]], others_[i]);
        }
      }
      from = stop;
    }
    world_.trim_tasks();
  }

  void back(Position from, Position to) {
    while (from > to) {
      Position stop = std::max({to, from > kBatch ? from - kBatch : 0, (from - 1) / kChunk * kChunk});
      if (begin(stop)) {
        pass_stacks<false>(stop, from);
        for (std::size_t i = 0; i < others_count_; ++i) {
          expect(i);
          const PackedRecord& r = at(others_[i]);
          if (r.kind() == RecordKind::kSet && !r.wide())
            set(r, r.before());
          else
            world_.revert(trace_[others_[i]]);
        }
      }
      from = stop;
    }
    world_.trim_tasks();
  }

 private:
  static constexpr std::size_t kBatch = 256;
  static constexpr std::size_t kAhead = 12;        ///< how many records before its turn an object is sent for
  static constexpr std::ptrdiff_t kFarAhead = 48;  ///< how many before theirs the records themselves
  static constexpr Position kChunk = RecordChunk::kRecords;

  /// False when what stands there is no longer kept.
  bool begin(Position first) {
    chunk_ = trace_.records().chunk_of(first);
    return chunk_ != nullptr;
  }
  [[nodiscard]] const PackedRecord& at(Position p) const { return chunk_->packed(p % kChunk); }

  /// The first pass over the records of one batch, in the direction of going.
  template <bool Forward>
  void pass_stacks(Position low, Position high) {
    constexpr const Steps& kSteps = Forward ? kForward : kBack;
    TaskId task = at(low).task();
    Frame* top = take_stack(task);
    Frame* bottom = frames_.data();
    std::size_t others = 0;
    for (std::size_t i = 0, count = high - low; i < count; ++i) {
      Position position = Forward ? low + i : high - 1 - i;
      const PackedRecord& r = at(position);
      constexpr std::ptrdiff_t kDistance = (Forward ? kFarAhead : -kFarAhead) * std::ptrdiff_t{sizeof(PackedRecord)};
      __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::intptr_t>(&r) + kDistance));
      if (r.task() != task) {
        keep_stack(task, top);
        task = r.task();
        top = take_stack(task);
        bottom = frames_.data();
      }
      std::int8_t step = kSteps.of[static_cast<std::size_t>(r.kind())];
      *top = {Forward ? position : r.wide() ? trace_[position].before : r.before(), r.field(), r.context(), r.object()};
      top += step >= 0 || top != bottom ? step : 0;  // a damaged trace may return from what was not called
      others_[others] = position;
      others += step == 0 ? 1 : 0;
    }
    others_count_ = others;
    keep_stack(task, top);
  }
  /// Copies a task's stack to where there is room above it. Returns the place of the next frame.
  Frame* take_stack(TaskId task) {
    const std::vector<Frame>& stack = world_.task_at(task).stack;
    if (frames_.size() < stack.size() + kBatch + 1) frames_.resize(stack.size() + 2 * kBatch);
    return std::copy(stack.begin(), stack.end(), frames_.data());
  }
  void keep_stack(TaskId task, const Frame* top) {
    const Frame* bottom = frames_.data();
    world_.task_at(task).stack.assign(bottom, top);
  }

  void expect(std::size_t i) const {
    if (i + kAhead < others_count_) world_.objects_.expect(at(others_[i + kAhead]).object());
    if (i + kAhead / 2 < others_count_) world_.objects_.expect_members(at(others_[i + kAhead / 2]).object());
  }
  void set(const PackedRecord& r, std::uint64_t value) {
    if (r.object() == 0 || r.object() >= world_.objects_.size()) return;
    Values& values = world_.objects_.edit(r.object()).values;
    if (r.field() < values.size()) values.set(r.field(), value);
  }

  World& world_;
  const Trace& trace_;
  const RecordChunk* chunk_ = nullptr;
  std::vector<Frame> frames_;            // a task's stack, and room above it
  std::array<Position, kBatch> others_;  // positions of records that are neither call nor return
  std::size_t others_count_ = 0;
};

void World::forward(const Trace& trace, Position from, Position to) { Walk(*this, trace).forward(from, to); }

void World::back(const Trace& trace, Position from, Position to) { Walk(*this, trace).back(from, to); }

}  // namespace wakepath::trace
