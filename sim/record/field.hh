#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "sim/record/arena.hh"

/// Recorded members. They are as large as what they hold and read like it; every change becomes one record with old
/// value, new value and the place in the source.

namespace wakepath::record {

/// A string by its id in the trace.
struct Text {
  trace::StringId id = 0;
  friend bool operator==(const Text&, const Text&) = default;
};
/// ns of virtual time.
struct Time {
  std::uint64_t ns = 0;
  friend bool operator==(const Time&, const Time&) = default;
};
/// ns that something takes or may take.
struct Duration {
  std::uint64_t ns = 0;
  friend bool operator==(const Duration&, const Duration&) = default;
};
/// An IPv4 address in host byte order.
struct Ipv4 {
  std::uint32_t value = 0;
  friend bool operator==(const Ipv4&, const Ipv4&) = default;
};
/// Printed in hexadecimal.
struct Hex {
  std::uint32_t value = 0;
  friend bool operator==(const Hex&, const Hex&) = default;
};

/// A `void *` of the kernel: a pointer whose target's type depends on another member (`private_data`).
class AnyPtr {
 public:
  AnyPtr() = default;
  template <class T>
  AnyPtr(T* target) : target_(target), ref_(ref_of(target)) {}  // NOLINT: converts as to void*
  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(target_);
  }
  [[nodiscard]] trace::Ref ref() const { return ref_; }
  friend bool operator==(const AnyPtr& a, const AnyPtr& b) { return a.target_ == b.target_; }

 private:
  void* target_ = nullptr;
  trace::Ref ref_;
};

/// Finds or adds an enumeration of the schema. Specialise `EnumWords<E>` for each recorded enum: `kName`, `kFlags`,
/// and `values()` returning the trace::Enumeration's values.
template <class E>
struct EnumWords;

template <class E>
std::uint16_t enumeration_of(trace::Schema& schema) {
  for (std::size_t i = 0; i < schema.enums.size(); ++i)
    if (schema.enums[i].name == EnumWords<E>::kName) return static_cast<std::uint16_t>(i);
  schema.enums.push_back({EnumWords<E>::kName, EnumWords<E>::values()});
  return static_cast<std::uint16_t>(schema.enums.size() - 1);
}

template <class T>
struct NoDetail {
  static std::uint16_t detail(trace::Schema&) { return 0; }
};

template <std::integral T>
struct FieldTraits<T> : NoDetail<T> {
  static constexpr trace::FieldType kType = std::is_same_v<T, bool> ? trace::FieldType::kBool
                                            : std::is_signed_v<T>   ? trace::FieldType::kSigned
                                                                    : trace::FieldType::kUnsigned;
  static std::uint64_t encode(const Recorder&, T value) { return static_cast<std::uint64_t>(value); }
};

template <class E>
requires std::is_enum_v<E>
struct FieldTraits<E> {
  static constexpr trace::FieldType kType = EnumWords<E>::kFlags ? trace::FieldType::kFlags : trace::FieldType::kEnum;
  static std::uint16_t detail(trace::Schema& schema) { return enumeration_of<E>(schema); }
  static std::uint64_t encode(const Recorder&, E value) { return static_cast<std::uint64_t>(value); }
};

template <>
struct FieldTraits<Text> : NoDetail<Text> {
  static constexpr trace::FieldType kType = trace::FieldType::kString;
  static std::uint64_t encode(const Recorder&, Text value) { return value.id; }
};
template <>
struct FieldTraits<Time> : NoDetail<Time> {
  static constexpr trace::FieldType kType = trace::FieldType::kTime;
  static std::uint64_t encode(const Recorder&, Time value) { return value.ns; }
};
template <>
struct FieldTraits<Duration> : NoDetail<Duration> {
  static constexpr trace::FieldType kType = trace::FieldType::kDuration;
  static std::uint64_t encode(const Recorder&, Duration value) { return value.ns; }
};
template <>
struct FieldTraits<Ipv4> : NoDetail<Ipv4> {
  static constexpr trace::FieldType kType = trace::FieldType::kIpv4;
  static std::uint64_t encode(const Recorder&, Ipv4 value) { return value.value; }
};
template <>
struct FieldTraits<Hex> : NoDetail<Hex> {
  static constexpr trace::FieldType kType = trace::FieldType::kHex;
  static std::uint64_t encode(const Recorder&, Hex value) { return value.value; }
};

template <>
struct FieldTraits<AnyPtr> : NoDetail<AnyPtr> {
  static constexpr trace::FieldType kType = trace::FieldType::kPointer;
  static std::uint64_t encode(const Recorder&, const AnyPtr& value) { return value.ref().packed(); }
};

/// Pointers to functions and to constant tables (`f_op`, `ops`, `sk_prot`) are recorded by name.
template <class R, class... Args>
struct FieldTraits<R (*)(Args...)> : NoDetail<R> {
  static constexpr trace::FieldType kType = trace::FieldType::kSymbol;
  static std::uint64_t encode(const Recorder& recorder, R (*value)(Args...)) {
    return recorder.symbol(reinterpret_cast<const void*>(value));
  }
};
template <class T>
struct FieldTraits<const T*> : NoDetail<T> {
  static constexpr trace::FieldType kType = trace::FieldType::kSymbol;
  static std::uint64_t encode(const Recorder& recorder, const T* value) { return recorder.symbol(value); }
};

/// Pointers to objects. EP_UNACTIVE_PTR, all bits set, is a value of its own.
template <class T>
struct FieldTraits<T*> : NoDetail<T> {
  static constexpr trace::FieldType kType = trace::FieldType::kPointer;
  static std::uint64_t encode(const Recorder&, const T* value) {
    if (reinterpret_cast<std::uintptr_t>(value) == ~std::uintptr_t{0}) return trace::kUnactivePointer;
    return ref_of(value).packed();
  }
};

/// A value with the place where it was written: the parameter of Field's `=`, made implicitly.
template <class T>
struct Sited {
  T value;
  Site site;

  template <class U>
  requires std::is_convertible_v<U, T> Sited(U&& v, const char* file = __builtin_FILE(),
                                             int line = __builtin_LINE())  // NOLINT: implicit is the point
      : value(static_cast<T>(std::forward<U>(v))), site{file, line} {}
};

template <class T>
class Field {
 public:
  using Traits = FieldTraits<T>;

  Field() = default;
  ~Field() = default;
  Field(const Field&) = delete;  // an object is made by its arena and filled by assignments

  Field& operator=(const Field& other) {  // NOLINT: `a = b` between fields is a recorded write like any other
    write(other.value_, {});
    return *this;
  }
  Field& operator=(Sited<T> sited) {
    write(sited.value, sited.site);
    return *this;
  }

  operator const T&() const { return value_; }  // NOLINT: reads like the member it stands for
  [[nodiscard]] const T& get() const { return value_; }
  const T& operator->() const requires std::is_pointer_v<T> { return value_; }

  Field& operator+=(Sited<T> by) { return write(static_cast<T>(value_ + by.value), by.site), *this; }
  Field& operator-=(Sited<T> by) { return write(static_cast<T>(value_ - by.value), by.site), *this; }
  Field& operator|=(Sited<T> by) { return write(static_cast<T>(value_ | by.value), by.site), *this; }
  Field& operator&=(Sited<T> by) { return write(static_cast<T>(value_ & by.value), by.site), *this; }
  Field& operator++() { return write(static_cast<T>(value_ + 1), {}), *this; }
  Field& operator--() { return write(static_cast<T>(value_ - 1), {}), *this; }

 private:
  [[gnu::always_inline]] void write(T value, Site site) {
    if (Recorder::any_enabled()) [[unlikely]]
      record(value, site);
    value_ = value;
  }

  /// On its own, so that with recording off there is little code between one write and the next.
  [[gnu::noinline]] void record(T value, Site site) const {
    if (value == value_) return;
    const BlockHead& block = BlockHead::of(this);
    if (!block.recorder->enabled()) return;
    Place place = Place::of(block, this);
    trace::FieldId field = block.field_at[place.offset];
    WP_BUG_ON(block.recorder, field == Layout::kNoField);
    block.recorder->set(trace::PackedRecord::about(place.object, field), Traits::encode(*block.recorder, value_),
                        Traits::encode(*block.recorder, value), site);
  }

  T value_{};
};
static_assert(sizeof(Field<int>) == sizeof(int) && sizeof(Field<void (*)()>) == sizeof(void*));

template <class T>
using Ptr = Field<T*>;

}  // namespace wakepath::record
