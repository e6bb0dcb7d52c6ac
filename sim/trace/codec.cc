#include "sim/trace/codec.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

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
    value = static_cast<T>(next(stream));
  }
  void number(std::size_t stream, std::uint64_t& value) {
    Stream& in = streams_[stream];
    if (in.at != in.end && *in.at < 128) return value = *in.at++, void();  // nearly always
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      unsigned char part = next(stream);
      value |= static_cast<std::uint64_t>(part & 127) << shift;
      if (part < 128) return;
    }
    good_ = false;
  }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] bool good() const { return good_; }
  /// Nothing is left over.
  [[nodiscard]] bool at_end() const {
    return std::all_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.at == s.end; });
  }
  static constexpr bool kReads = true;

 private:
  unsigned char next(std::size_t stream) {
    Stream& in = streams_[stream];
    if (in.at == in.end) return good_ = false, static_cast<unsigned char>(0);
    return *in.at++;
  }

  struct Stream {
    const unsigned char* at = nullptr;
    const unsigned char* end = nullptr;
  };
  std::array<Stream, kStreams> streams_;
  std::uint32_t count_ = 0;
  bool good_ = true;
};

/// A member as its difference from what is expected.
template <class Io, class T>
void pass_delta(Io& io, std::size_t stream, T& value, std::uint64_t expected) {
  std::uint64_t code = zigzag(static_cast<std::uint64_t>(value) - expected);
  io.number(stream, code);
  if constexpr (Io::kReads) value = static_cast<T>(expected + unzigzag(code));
}

/// An object's number near another's; 0, which is none, stands for itself.
template <class Io, class T>
void pass_near(Io& io, std::size_t stream, T& value, std::uint64_t near) {
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
    : schema_(&schema),
      function_sites_(schema.functions.size()),
      serials_(schema.kinds.size()),
      last_of_record_kind_(32) {
  for (const Kind& kind : schema.kinds) kind_values_.emplace_back(kind.fields.size());
}

RecordCoder::Frame RecordCoder::top_of(TaskId task) const {
  return task < stacks_.size() && !stacks_[task].empty() ? stacks_[task].back() : Frame{};
}

void RecordCoder::push(TaskId task, const Frame& frame) {
  if (stacks_.size() <= task) stacks_.resize(task + std::size_t{1});
  stacks_[task].push_back(frame);
}

RecordCoder::LastValue& RecordCoder::last_value(ObjectId object, FieldId field) {
  std::uint64_t key = std::uint64_t{object} << 16 | field;
  for (std::size_t slot = (key * 0x9E3779B97F4A7C15u) >> 40;; ++slot) {
    LastValue& value = values_[slot & (values_.size() - 1)];
    if (!value.used) value = {key, 0, true};
    if (value.field == key) return value;
  }
}

void RecordCoder::begin_block(std::size_t records) { values_.assign(std::bit_ceil(2 * records + 2), {}); }

const FieldInfo* RecordCoder::field_of(ObjectId object, FieldId field) const {
  if (object >= kinds_.size() || kinds_[object] >= schema_->kinds.size()) return nullptr;
  const auto& fields = schema_->kinds[kinds_[object]].fields;
  return field < fields.size() ? &fields[field] : nullptr;
}

std::uint64_t& RecordCoder::last_of_kind(ObjectId object, FieldId field) {
  if (field_of(object, field) == nullptr) return nowhere_ = 0;
  return kind_values_[kinds_[object]][field];
}

template <class Io>
void RecordCoder::pass_set(Io& io, Record& r, const Frame& top) {
  pass_near(io, stream_of(kObject, kSets), r.object, last_object_);
  pass_delta(io, stream_of(kField, kSets), r.field, 0);
  pass_delta(io, stream_of(kSite, kSets), r.site, 0);
  pass_delta(io, stream_of(kCause, kSets), r.cause, top.cause);
  LastValue& last = last_value(r.object, r.field);
  pass_delta(io, stream_of(kBefore, kSets), r.before, last.value);
  const FieldInfo* info = field_of(r.object, r.field);
  std::uint64_t& of_kind = last_of_kind(r.object, r.field);
  if (info != nullptr && info->type == FieldType::kPointer)
    pass_ref(io, stream_of(kAfter, kSets), r.after, r.object);
  else
    pass_delta(io, stream_of(kAfter, kSets), r.after, r.before == 0 ? of_kind : r.before);
  last.value = r.after;
  of_kind = r.after;
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
  std::uint64_t& serial = r.field < serials_.size() ? serials_[r.field] : nowhere_;
  pass_delta(io, stream_of(kAfter, kOthers), r.after, serial + 1);
  serial = r.after;
  last_created_ = r.object;
  if (r.object < kMostObjects) {
    if (kinds_.size() <= r.object) kinds_.resize(r.object + std::size_t{1}, KindId{0xFFFF});
    kinds_[r.object] = r.field;
  }
}

/// Calls, returns and everything that is rare.
template <class Io>
void RecordCoder::pass_other(Io& io, Record& r, const Frame& top, Position position) {
  if (r.kind == RecordKind::kCall) {
    pass_delta(io, stream_of(kField, kCalls), r.field, 0);
    pass_near(io, stream_of(kObject, kCalls), r.object, last_object_);
    std::uint64_t known = r.field < function_sites_.size() ? function_sites_[r.field] : 0;
    pass_delta(io, stream_of(kSite, kCalls), r.site, known);
    if (r.field < function_sites_.size()) function_sites_[r.field] = r.site;
    pass_delta(io, stream_of(kCause, kCalls), r.cause, top.cause);
    pass_delta(io, stream_of(kBefore, kCalls), r.before, 0);
    pass_delta(io, stream_of(kAfter, kCalls), r.after, 0);
    return;
  }
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
  pass_delta(io, stream_of(kHead, kOthers), context, static_cast<std::uint64_t>(last_.context));
  if constexpr (Io::kReads) r.context = static_cast<Context>(context);
  pass_delta(io, stream_of(kTask, kCalls), r.task, last_.task);
  Frame top = top_of(r.task);
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
      pass_other(io, r, top, position);
      push(r.task, {position, static_cast<std::uint32_t>(position), r.object, r.field, r.site});
      break;
    default:
      pass_other(io, r, top, position);
      about_object = r.kind == RecordKind::kReturn || r.kind == RecordKind::kDestroy;
      if (r.kind == RecordKind::kReturn && r.task < stacks_.size() && !stacks_[r.task].empty())
        stacks_[r.task].pop_back();
      break;
  }
  if (about_object && r.object != 0) last_object_ = r.object;
  last_ = r;
}

std::string RecordCoder::encode(const Trace& trace, Position from, Position to) {
  begin_block(static_cast<std::size_t>(to - from));
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
  begin_block(reader.count());
  std::vector<Record> records(reader.count());
  for (std::size_t i = 0; i < records.size() && reader.good(); ++i) pass(reader, records[i], trace.size() + i);
  if (!reader.good() || !reader.at_end()) return false;
  for (const Record& record : records) trace.append(record);
  return true;
}

}  // namespace wakepath::trace
