#pragma once

#include <cstdint>
#include <type_traits>

/// The narrow waist of Wakepath: one entry of a trace, and the ids it is made of.

namespace wakepath::trace {

/// Index of a record in its trace; 0 is the first. `Position p` as a place in time means "after the first p records".
using Position = std::uint64_t;
using ObjectId = std::uint32_t;    ///< Serial number of an object, from 1, never reused; 0 is "none".
using StringId = std::uint32_t;    ///< Index into the trace's strings; 0 is the empty string.
using KindId = std::uint16_t;      ///< Index into Schema::kinds.
using FieldId = std::uint16_t;     ///< Index into Kind::fields.
using FunctionId = std::uint16_t;  ///< Index into Schema::functions.
using TaskId =
    std::uint16_t;  ///< Serial number of a task, from 1; 0 is the idle task (softirq from a timer runs there).

constexpr std::uint32_t kNoCause = 0xFFFFFFFFu;

/// A pointer value as recorded: which object, and which of its embedded structures (Kind::parts; 0 is the whole).
struct Ref {
  ObjectId object = 0;
  std::uint16_t part = 0;

  [[nodiscard]] constexpr std::uint64_t packed() const { return object | (std::uint64_t{part} << 32); }
  [[nodiscard]] static constexpr Ref unpack(std::uint64_t value) {
    return {static_cast<ObjectId>(value), static_cast<std::uint16_t>(value >> 32)};
  }
  friend constexpr bool operator==(const Ref&, const Ref&) = default;
};

/// What kind of context the CPU is in, as `in_task()`, `in_serving_softirq()`, `in_hardirq()` of Linux tell.
enum class Context : std::uint8_t { kProcess = 0, kSoftirq = 1, kHardirq = 2 };

enum class RecordKind : std::uint8_t {
  kCreate = 1,  ///< An object appears, all fields zero. field = kind, after = its serial number within the kind.
  kDestroy,     ///< An object is freed. field = kind.
  kSet,         ///< A field changes. object, field, before, after.
  kListInsert,  ///< after = element (packed Ref), before = the element it now stands behind (0: at the front).
  kListErase,   ///< after = element, before = the element it stood behind (0: it was the first).
  kCall,        ///< A function is entered. field = function, object = what it is about (0: nothing).
  kReturn,   ///< It returns. field, object, context as in its kCall; after = result (signed), before = position of its
             ///< kCall.
  kSyscall,  ///< A task enters the kernel. field = entry function, object = string id of the call as text.
  kSyscallReturn,  ///< It is back. after = result (signed), object = string id of the result, before = its kSyscall.
  kSpawn,          ///< A task exists from here on. task, object = its object (a task_struct).
  kRun,            ///< The CPU changes hands. before, after = TaskId.
  kWake,        ///< A sleeping task becomes runnable. object = its task_struct, before = its TaskId, task = the waker.
  kClock,       ///< Virtual time moves. before, after in ns.
  kStep,        ///< A step begins. after = its number, before = the last one begun, object = string id of its text.
  kStepEnd,     ///< Everything that it caused is quiet. after = its number, before = the last one ended.
  kNote,        ///< Words. field = NoteKind, object = string id.
  kRule,        ///< A named rule applied. field = index into Schema::rules, object = what it is about.
  kPeer,        ///< Something that a peer outside did was injected. object = string id: what, on what evidence.
  kDivergence,  ///< Model and kernel disagree. object = string id: on what; before = model, after = kernel; equal:
                ///< the words say it all.
};

enum class NoteKind : std::uint16_t { kSay = 0, kMark = 1, kAsk = 2, kLog = 3 };

/// One entry of a trace. Fixed size, no pointers; meaning of the members by kind above.
struct Record {
  RecordKind kind{};
  Context context{};
  std::uint16_t field = 0;
  std::uint32_t object = 0;
  TaskId task = 0;                 ///< On whose stack it happened.
  std::uint16_t site = 0;          ///< Index into the trace's sites (place in the model's source); 0 is unknown.
  std::uint32_t cause = kNoCause;  ///< Position of the record that led here.
  std::uint64_t before = 0;
  std::uint64_t after = 0;

  friend bool operator==(const Record&, const Record&) = default;
};
static_assert(sizeof(Record) == 32 && std::is_trivially_copyable_v<Record>);

}  // namespace wakepath::trace
