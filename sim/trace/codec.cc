#include "sim/trace/codec.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace wakepath::trace {

namespace {

enum Member : std::size_t { kHead, kTask, kField, kObject, kSite, kCause, kBefore, kAfter, kMembers };
enum Group : std::size_t { kCalls, kReturns, kSets, kLists, kOthers, kGroups };
constexpr std::size_t kStreams = std::size_t{kMembers} * std::size_t{kGroups};
constexpr std::size_t stream_of(Member member, Group group) {
  return std::size_t{member} * std::size_t{kGroups} + std::size_t{group};
}

constexpr ObjectId kMostObjects = 1u << 26;  // a damaged file must not make us allocate the address space

std::uint64_t zigzag(std::uint64_t difference) {
  auto number = static_cast<std::int64_t>(difference);
  return (difference << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
std::uint64_t unzigzag(std::uint64_t code) { return (code >> 1) ^ (~(code & 1) + 1); }

/// Writes members into streams.
class Writer {
 public:
  template <class T>
  void byte(std::size_t stream, T& value) {
    streams_[stream] += static_cast<char>(value);
  }
  void number(std::size_t stream, std::uint64_t& value) {
    std::uint64_t rest = value;
    for (; rest >= 128; rest >>= 7) streams_[stream] += static_cast<char>(rest | 128);
    streams_[stream] += static_cast<char>(rest);
  }
  [[nodiscard]] std::string take(std::uint32_t count) const {
    std::string out;
    auto put = [&out](std::uint32_t value) {
      char bytes[sizeof value];
      std::memcpy(bytes, &value, sizeof value);  // the machines this runs on are little endian, as the format
      out.append(bytes, sizeof value);
    };
    put(count);
    for (const std::string& stream : streams_) put(static_cast<std::uint32_t>(stream.size()));
    for (const std::string& stream : streams_) out += stream;
    return out;
  }
  static constexpr bool kReads = false;

 private:
  std::array<std::string, kStreams> streams_;
};

/// Sets members from streams. Beyond the end of one everything reads as 0, and good() says so.
class Reader {
 public:
  explicit Reader(std::string_view block) {
    std::array<std::uint32_t, kStreams + 1> sizes{};
    good_ = block.size() >= sizeof sizes;
    if (!good_) return;
    std::memcpy(sizes.data(), block.data(), sizeof sizes);
    block.remove_prefix(sizeof sizes);
    count_ = sizes[0];
    for (std::size_t i = 0; i < kStreams; ++i) {
      good_ = good_ && block.size() >= sizes[i + 1];
      if (!good_) return;
      const auto* begin = reinterpret_cast<const unsigned char*>(block.data());
      streams_[i] = {begin, begin + sizes[i + 1]};
      block.remove_prefix(sizes[i + 1]);
    }
    good_ = block.empty() && count_ <= RecordCoder::kMostRecords;
  }
  template <class T>
  void byte(std::size_t stream, T& value) {
    value = static_cast<T>(next(streams_[stream]));
  }
  [[gnu::always_inline]] void number(std::size_t stream, std::uint64_t& value) {
    Stream& in = streams_[stream];
    if (in.at != in.end && *in.at < 128)
      value = *in.at++;  // nearly always
    else
      value = long_number(in);
  }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] bool good() const { return good_; }
  /// Nothing is left over.
  [[nodiscard]] bool at_end() const {
    return std::all_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.at == s.end; });
  }
  static constexpr bool kReads = true;

 private:
  struct Stream {
    const unsigned char* at = nullptr;
    const unsigned char* end = nullptr;
  };

  unsigned char next(Stream& in) {
    if (in.at == in.end) return good_ = false, static_cast<unsigned char>(0);
    return *in.at++;
  }
  [[gnu::noinline]] std::uint64_t long_number(Stream& in) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      unsigned char part = next(in);
      value |= static_cast<std::uint64_t>(part & 127) << shift;
      if (part < 128) return value;
    }
    good_ = false;
    return value;
  }

  std::array<Stream, kStreams> streams_;
  std::uint32_t count_ = 0;
  bool good_ = true;
};

/// A member as its difference from what is expected. (In line: ten million records are eighty million members.)
template <class Io, class T>
[[gnu::always_inline]] inline void pass_delta(Io& io, std::size_t stream, T& value, std::uint64_t expected) {
  std::uint64_t code = zigzag(static_cast<std::uint64_t>(value) - expected);
  io.number(stream, code);
  if constexpr (Io::kReads) value = static_cast<T>(expected + unzigzag(code));
}

/// An object's number near another's; 0, which is none, stands for itself.
template <class Io, class T>
[[gnu::always_inline]] inline void pass_near(Io& io, std::size_t stream, T& value, std::uint64_t near) {
  std::uint64_t code = value == 0 ? 0 : 1 + zigzag(static_cast<std::uint64_t>(value) - near);
  io.number(stream, code);
  if constexpr (Io::kReads) value = static_cast<T>(code == 0 ? 0 : near + unzigzag(code - 1));
}

/// A packed Ref: which structure, then the object near `near`. NULL and EP_UNACTIVE_PTR stand for themselves.
template <class Io>
void pass_ref(Io& io, std::size_t stream, std::uint64_t& value, std::uint64_t near) {
  std::uint64_t code = value == 0 ? 0 : value == kUnactivePointer ? 1 : 2 + (value >> 32);
  io.number(stream, code);
  auto object = static_cast<std::uint32_t>(value);
  if (code >= 2) pass_delta(io, stream, object, near);
  if constexpr (Io::kReads) value = code == 0 ? 0 : code == 1 ? kUnactivePointer : ((code - 2) << 32 | object);
}

}  // namespace

RecordCoder::RecordCoder(const Schema& schema)
    : stacks_(1, {Frame{}}),
      function_sites_(schema.functions.size()),
      serials_(schema.kinds.size()),
      last_of_record_kind_(32) {
  stack_ = &stacks_[0];
  for (const Kind& kind : schema.kinds) {
    fields_.emplace_back();
    for (const FieldInfo& field : kind.fields) fields_.back().push_back({0, field.type == FieldType::kPointer});
  }
}

void RecordCoder::turn_to(TaskId task) {
  if (stacks_.size() <= task) stacks_.resize(task + std::size_t{1}, {Frame{}});
  stack_ = &stacks_[task];
  last_task_ = task;
}

void RecordCoder::learn_object(ObjectId object, KindId kind) {
  if (object >= kMostObjects) return;
  if (kinds_.size() <= object) kinds_.resize(object + std::size_t{1}, KindId{0xFFFF});
  kinds_[object] = kind;
}

/// nullptr for what the schema does not have.
RecordCoder::FieldState* RecordCoder::state_of(ObjectId object, FieldId field) {
  if (object >= kinds_.size() || kinds_[object] >= fields_.size()) return nullptr;
  auto& fields = fields_[kinds_[object]];
  return field < fields.size() ? &fields[field] : nullptr;
}

template <class Io>
void RecordCoder::pass_set(Io& io, Record& r, const Frame& top) {
  pass_near(io, stream_of(kObject, kSets), r.object, last_object_);
  pass_delta(io, stream_of(kField, kSets), r.field, 0);
  pass_delta(io, stream_of(kSite, kSets), r.site, 0);
  pass_delta(io, stream_of(kCause, kSets), r.cause, top.cause);
  std::uint64_t& last = values_.of(r.object, r.field);
  pass_delta(io, stream_of(kBefore, kSets), r.before, last);
  FieldState nowhere;
  FieldState* state = state_of(r.object, r.field);
  if (state == nullptr) state = &nowhere;
  if (state->is_pointer)
    pass_ref(io, stream_of(kAfter, kSets), r.after, r.object);
  else
    pass_delta(io, stream_of(kAfter, kSets), r.after, r.before == 0 ? state->last : r.before);
  last = r.after;
  state->last = r.after;
}

template <class Io>
void RecordCoder::pass_list(Io& io, Record& r, const Frame& top) {
  pass_near(io, stream_of(kObject, kLists), r.object, last_object_);
  pass_delta(io, stream_of(kField, kLists), r.field, 0);
  pass_delta(io, stream_of(kSite, kLists), r.site, top.site);
  pass_delta(io, stream_of(kCause, kLists), r.cause, top.cause);
  pass_ref(io, stream_of(kAfter, kLists), r.after, last_object_);
  pass_ref(io, stream_of(kBefore, kLists), r.before, static_cast<std::uint32_t>(r.after));
}

template <class Io>
void RecordCoder::pass_create(Io& io, Record& r, const Frame& top) {
  pass_delta(io, stream_of(kField, kOthers), r.field, 0);
  pass_delta(io, stream_of(kObject, kOthers), r.object, last_created_ + std::uint64_t{1});
  pass_delta(io, stream_of(kSite, kOthers), r.site, top.site);
  pass_delta(io, stream_of(kCause, kOthers), r.cause, top.cause);
  pass_delta(io, stream_of(kBefore, kOthers), r.before, 0);
  std::uint64_t unknown = 0;
  std::uint64_t& serial = r.field < serials_.size() ? serials_[r.field] : unknown;
  pass_delta(io, stream_of(kAfter, kOthers), r.after, serial + 1);
  serial = r.after;
  last_created_ = r.object;
  learn_object(r.object, r.field);
}

template <class Io>
void RecordCoder::pass_call(Io& io, Record& r, const Frame& top) {
  pass_delta(io, stream_of(kField, kCalls), r.field, 0);
  pass_near(io, stream_of(kObject, kCalls), r.object, last_object_);
  std::uint16_t unknown = 0;
  std::uint16_t& site = r.field < function_sites_.size() ? function_sites_[r.field] : unknown;
  pass_delta(io, stream_of(kSite, kCalls), r.site, site);
  site = r.site;
  pass_delta(io, stream_of(kCause, kCalls), r.cause, top.cause);
  pass_delta(io, stream_of(kBefore, kCalls), r.before, 0);
  pass_delta(io, stream_of(kAfter, kCalls), r.after, 0);
}

/// Returns and everything that is rare.
template <class Io>
void RecordCoder::pass_other(Io& io, Record& r, const Frame& top, Position position) {
  bool returns = r.kind == RecordKind::kReturn;
  Group group = returns ? kReturns : kOthers;
  const Record& like = last_of_record_kind_[static_cast<std::size_t>(r.kind) % 32];
  bool near_object = r.kind == RecordKind::kDestroy || r.kind == RecordKind::kRule;
  std::uint64_t before = returns ? top.position : r.kind == RecordKind::kSyscallReturn ? position : like.before;
  pass_delta(io, stream_of(kField, group), r.field, returns ? top.field : like.field);
  pass_delta(io, stream_of(kObject, group), r.object, returns ? top.object : near_object ? last_object_ : like.object);
  pass_delta(io, stream_of(kSite, group), r.site, top.site);
  pass_delta(io, stream_of(kCause, group), r.cause, top.cause);
  pass_delta(io, stream_of(kBefore, group), r.before, before);
  pass_delta(io, stream_of(kAfter, group), r.after, returns ? 0 : like.after);
  last_of_record_kind_[static_cast<std::size_t>(r.kind) % 32] = r;
}

template <class Io>
void RecordCoder::pass(Io& io, Record& r, Position position) {
  // the kinds follow one another as the calls do: a stream of their own
  io.byte(stream_of(kHead, kCalls), r.kind);
  auto context = static_cast<std::uint64_t>(r.context);
  pass_delta(io, stream_of(kHead, kOthers), context, static_cast<std::uint64_t>(last_context_));
  if constexpr (Io::kReads) r.context = static_cast<Context>(context);
  last_context_ = r.context;
  pass_delta(io, stream_of(kTask, kCalls), r.task, last_task_);
  if (r.task != last_task_) turn_to(r.task);
  const Frame& top = stack_->back();
  bool about_object = true;
  switch (r.kind) {
    case RecordKind::kSet:
      pass_set(io, r, top);
      break;
    case RecordKind::kListInsert:
    case RecordKind::kListErase:
      pass_list(io, r, top);
      break;
    case RecordKind::kCreate:
      pass_create(io, r, top);
      break;
    case RecordKind::kCall:
      pass_call(io, r, top);
      stack_->push_back({position, static_cast<std::uint32_t>(position), r.object, r.field, r.site});
      break;
    default:
      pass_other(io, r, top, position);
      about_object = r.kind == RecordKind::kReturn || r.kind == RecordKind::kDestroy;
      if (r.kind == RecordKind::kReturn && stack_->size() > 1) stack_->pop_back();
      break;
  }
  if (about_object && r.object != 0) last_object_ = r.object;
}

std::string RecordCoder::encode(const Trace& trace, Position from, Position to) {
  values_.begin_block();
  Writer writer;
  for (Position position = from; position < to; ++position) {
    Record record = trace[position];
    pass(writer, record, position);
  }
  return writer.take(static_cast<std::uint32_t>(to - from));
}

bool RecordCoder::decode(std::string_view block, Trace& trace) {
  Reader reader(block);
  if (!reader.good()) return false;
  values_.begin_block();
  if (decoded_.size() < reader.count()) decoded_.resize(reader.count());
  std::span<Record> records(decoded_.data(), reader.count());
  Position position = trace.size();
  for (Record& record : records) {
    pass(reader, record, position++);
    if (!reader.good() || !PackedRecord::has_place_for(record)) return false;
  }
  if (!reader.at_end()) return false;
  for (const Record& record : records) trace.append(record);
  return true;
}

}  // namespace wakepath::trace
