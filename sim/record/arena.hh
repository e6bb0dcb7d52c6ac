#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/record/blocks.hh"
#include "sim/record/kind_builder.hh"
#include "sim/record/poison.hh"
#include "sim/record/recorder.hh"

namespace wakepath::record {

/// The head of a block. Objects of one kind follow, each in a slot of the same size.
struct BlockHead {
  Recorder* recorder;
  const Layout* layout;
  const trace::FieldId* field_at;  ///< layout->field_at, at hand
  std::size_t slot_bytes;
  std::uint64_t slots_of_a_byte;  ///< 2^32 / slot_bytes, rounded up: division as a multiplication
  std::byte* first;               ///< Address of slot 0.
  trace::ObjectId* object_ids;    ///< By slot; 0 is free.

  /// The slot that a byte so far behind `first` stands in. Exact: distance and slot_bytes are below 2^16.
  [[nodiscard]] std::size_t slot_of(std::size_t distance) const { return distance * slots_of_a_byte >> 32; }
  /// `address` must stand inside an object made by an Arena.
  [[nodiscard]] static BlockHead& of(const void* address) {
    return *reinterpret_cast<BlockHead*>(reinterpret_cast<std::uintptr_t>(address) & ~(kBlockBytes - 1));
  }
};

/// A member's place: which object, which field.
struct Place {
  Recorder* recorder;
  const Layout* layout;
  trace::ObjectId object;
  std::size_t offset;  ///< Inside the object.

  [[nodiscard]] static Place of(const void* address) { return of(BlockHead::of(address), address); }
  [[nodiscard]] static Place of(const BlockHead& block, const void* address) {
    auto distance = static_cast<std::size_t>(static_cast<const std::byte*>(address) - block.first);
    std::size_t slot = block.slot_of(distance);
    return {block.recorder, block.layout, block.object_ids[slot], distance - slot * block.slot_bytes};
  }
  [[nodiscard]] trace::FieldId field() const { return layout->field_at[offset]; }
};

/// The recorded form of a pointer to a T that stands inside an arena's object: the object and its embedded structure.
template <class T>
[[nodiscard]] trace::Ref ref_of(const T* target) {
  if (target == nullptr) return {};
  Place place = Place::of(target);
  const auto& parts = place.layout->parts;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].offset == place.offset && parts[i].type == &kTypeTag<T>)
      return {place.object, static_cast<std::uint16_t>(i)};
  WP_BUG_ON(place.recorder, "a pointer to a structure that its object did not describe");
  return {};
}

/// The object id of anything that stands inside an arena's object; 0 for nullptr.
[[nodiscard]] inline trace::ObjectId object_of(const void* address) {
  return address == nullptr ? 0 : Place::of(address).object;
}

/// Makes and frees the objects of one kind, as a kmem_cache does, and records both.
template <class T>
class Arena {
 public:
  Arena(Recorder& recorder, Layout layout) : recorder_(recorder), layout_(std::move(layout)) {}
  ~Arena() {
    for (std::byte* block : blocks_) {
      auto& head = *reinterpret_cast<BlockHead*>(block);
      for (std::size_t slot = 0; slot < kSlots; ++slot)
        if (head.object_ids[slot] != 0) std::launder(reinterpret_cast<T*>(head.first + slot * kSlotBytes))->~T();
      give_back_block(block);
    }
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// A new object, all fields zero. Owned by the arena until `free`.
  [[nodiscard]] T* make() {
    if (free_.empty()) add_block();
    std::byte* slot = take_slot(free_);
    unpoison(slot, sizeof(T));
    BlockHead& head = BlockHead::of(slot);
    head.object_ids[head.slot_of(static_cast<std::size_t>(slot - head.first))] = recorder_.create(layout_.kind);
    ++live_;
    return new (slot) T();
  }
  void free(T* object) {
    BlockHead& head = BlockHead::of(object);
    std::size_t slot = head.slot_of(static_cast<std::size_t>(reinterpret_cast<std::byte*>(object) - head.first));
    WP_BUG_ON(&recorder_, head.object_ids[slot] == 0 || &head.layout->field_at != &layout_.field_at);
    recorder_.destroy(head.object_ids[slot], layout_.kind);
    head.object_ids[slot] = 0;
    object->~T();
    poison(object, sizeof(T));
    free_.push_back(reinterpret_cast<std::byte*>(object));
    --live_;
  }
  [[nodiscard]] std::size_t live() const { return live_; }
  /// Calls `see(const T&)` for each living object, in order of their addresses within a block, the oldest block first.
  template <class See>
  void for_each(See see) const {
    for (const std::byte* block : blocks_) {
      const auto& head = *reinterpret_cast<const BlockHead*>(block);
      for (std::size_t slot = 0; slot < kSlots; ++slot)
        if (head.object_ids[slot] != 0) see(*std::launder(reinterpret_cast<const T*>(head.first + slot * kSlotBytes)));
    }
  }

 private:
  static constexpr std::size_t kAlign = std::max(alignof(T), alignof(trace::ObjectId));
  static constexpr std::size_t kSlotBytes = (sizeof(T) + kAlign - 1) / kAlign * kAlign;
  static constexpr std::size_t kSlots =
      (kBlockBytes - sizeof(BlockHead) - kAlign) / (kSlotBytes + sizeof(trace::ObjectId));
  static_assert(kSlots >= 1, "the structure does not fit into a block");

  using FreeSlots = std::conditional_t<kPoisons, std::deque<std::byte*>, std::vector<std::byte*>>;

  /// The slot that was freed last; where use after free is watched, the one that has been free for longest.
  template <class Slots>
  static std::byte* take_slot(Slots& free) {
    std::byte* slot = kPoisons ? free.front() : free.back();
    if constexpr (kPoisons)
      free.pop_front();
    else
      free.pop_back();
    return slot;
  }

  void add_block() {
    std::byte* block = take_block();
    auto* ids = reinterpret_cast<trace::ObjectId*>(block + sizeof(BlockHead));
    std::size_t head_bytes = sizeof(BlockHead) + kSlots * sizeof(trace::ObjectId);
    std::byte* first = block + (head_bytes + kAlign - 1) / kAlign * kAlign;
    constexpr std::uint64_t kSlotsOfAByte = ((std::uint64_t{1} << 32) + kSlotBytes - 1) / kSlotBytes;
    new (block) BlockHead{&recorder_, &layout_, layout_.field_at.data(), kSlotBytes, kSlotsOfAByte, first, ids};
    for (std::size_t slot = kSlots; slot-- > 0;) {
      ids[slot] = 0;
      free_.push_back(first + slot * kSlotBytes);  // the lowest address is handed out first
    }
    poison(first, static_cast<std::size_t>(block + kBlockBytes - first));
    blocks_.push_back(block);
  }

  Recorder& recorder_;
  Layout layout_;
  std::vector<std::byte*> blocks_;
  FreeSlots free_;
  std::size_t live_ = 0;
};

}  // namespace wakepath::record
