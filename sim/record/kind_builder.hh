#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/schema.hh"

namespace wakepath::record {

/// One address for each type: cheaper to compare than typeid.
template <class T>
inline constexpr char kTypeTag = 0;

/// Where the recorded members of a C++ structure stand. Made once for each kind, used at every write: from an address
/// inside an object to the field or the embedded structure that stands there.
struct Layout {
  struct PartAt {
    std::size_t offset;
    const void* type;
  };
  static constexpr trace::FieldId kNoField = 0xFFFF;

  trace::KindId kind = 0;
  std::size_t size = 0;
  std::vector<trace::FieldId> field_at;  ///< By byte offset; kNoField where no recorded member begins.
  std::vector<PartAt> parts;             ///< By part index; parts[0] is the whole.
};

template <class T>
class KindBuilder;

/// How a member's C++ type is named in the schema. Specialised beside each type that a Field can hold.
template <class T>
struct FieldTraits;

/// Collects the schema and the layout of one kind while its structures describe themselves.
struct KindDraft {
  trace::Schema& schema;
  trace::Kind kind;
  Layout layout;
  unsigned variant = 0;
};

/// Given to `T::describe(KindBuilder<T>&)`, a static function that every recorded structure has. Structures embedded in
/// others describe themselves the same way, so the chain sock < inet_sock < … stands in one place each.
template <class T>
class KindBuilder {
 public:
  KindBuilder(KindDraft& draft, std::size_t base, std::uint16_t part, std::string path, std::int32_t linux_base)
      : draft_(draft), base_(base), part_(part), path_(std::move(path)), linux_base_(linux_base) {}

  /// Which of several forms of its structures the producer describes; the number is the producer's.
  [[nodiscard]] unsigned variant() const { return draft_.variant; }

  /// A recorded member (Field, Ptr or List).
  template <class Member>
  KindBuilder& field(Member T::*member, std::string_view name) {
    std::size_t at = base_ + offset_of(member);
    auto id = static_cast<trace::FieldId>(draft_.kind.fields.size());
    draft_.layout.field_at[at] = id;
    using Traits = typename Member::Traits;
    draft_.kind.fields.push_back({std::string(name), part_, Traits::kType, Traits::detail(draft_.schema)});
    return *this;
  }

  /// An embedded structure, with its offset and size in Linux 6.18 (bytes; -1 unknown).
  template <class Inner>
  KindBuilder& embed(Inner T::*member, std::string_view name, std::string_view linux_type, std::int32_t linux_offset,
                     std::int32_t linux_size) {
    std::size_t at = base_ + offset_of(member);
    auto part = static_cast<std::uint16_t>(draft_.kind.parts.size());
    std::string path = path_.empty() ? std::string(name) : path_ + "." + std::string(name);
    std::int32_t linux_at = linux_offset < 0 || linux_base_ < 0 ? -1 : linux_base_ + linux_offset;
    draft_.kind.parts.push_back({std::string(linux_type), path, part_, linux_at, linux_size});
    draft_.layout.parts.push_back({at, &kTypeTag<Inner>});
    KindBuilder<Inner> inner(draft_, at, part, path, linux_at);
    Inner::describe(inner);
    return *this;
  }

 private:
  /// Byte offset of a member. The buffer is never read; it only gives the addresses something to stand on.
  template <class Member>
  static std::size_t offset_of(Member T::*member) {
    alignas(T) static std::byte room[sizeof(T)];
    auto* object = reinterpret_cast<T*>(room);
    return static_cast<std::size_t>(reinterpret_cast<std::byte*>(&(object->*member)) - room);
  }

  KindDraft& draft_;
  std::size_t base_;
  std::uint16_t part_;
  std::string path_;
  std::int32_t linux_base_;
};

/// Words of a kind: what the schema says of it beside its members.
struct KindWords {
  std::string_view name;
  trace::Layer layer{};
  std::string_view source;
  std::string_view sentence;
  std::int32_t linux_size = -1;
  bool is_task = false;
};

/// Adds T to the schema and returns its layout.
template <class T>
Layout describe_kind(trace::Schema& schema, const KindWords& words, unsigned variant = 0) {
  KindDraft draft{schema, {}, {}, variant};
  draft.kind.name = words.name;
  draft.kind.layer = words.layer;
  draft.kind.is_task = words.is_task;
  draft.kind.source = words.source;
  draft.kind.sentence = words.sentence;
  draft.kind.parts.push_back({std::string(words.name), "", 0, 0, words.linux_size});
  draft.layout.kind = static_cast<trace::KindId>(schema.kinds.size());
  draft.layout.size = sizeof(T);
  draft.layout.field_at.assign(sizeof(T), Layout::kNoField);
  draft.layout.parts.push_back({0, &kTypeTag<T>});
  KindBuilder<T> builder(draft, 0, 0, "", 0);
  T::describe(builder);
  schema.kinds.push_back(std::move(draft.kind));
  return std::move(draft.layout);
}

}  // namespace wakepath::record
