#pragma once

#include <cstddef>
#include <iterator>

#include "sim/record/arena.hh"

namespace wakepath::record {

/// A member's links into one list. Not recorded itself: the list records who stands behind whom.
template <class T>
struct ListNode {
  T* prev = nullptr;
  T* next = nullptr;
  const void* list = nullptr;  ///< The list it is on; nullptr when on none.

  [[nodiscard]] bool linked() const { return list != nullptr; }
};

struct ListTraits {
  static constexpr trace::FieldType kType = trace::FieldType::kList;
  static std::uint16_t detail(trace::Schema&) { return 0; }
};

/// A recorded doubly linked list through `Node`, a member of T. An element is on at most one list by the same node.
/// Members are not owned.
template <class T, ListNode<T> T::*Node>
class List {
 public:
  using Traits = ListTraits;

  List() = default;
  ~List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  [[nodiscard]] bool empty() const { return front_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* front() const { return front_; }
  [[nodiscard]] T* back() const { return back_; }
  [[nodiscard]] static T* next(const T* element) { return (element->*Node).next; }
  [[nodiscard]] bool contains(const T* element) const { return (element->*Node).list == this; }

  void push_back(T* element) { insert_behind(back_, element); }
  void push_front(T* element) { insert_behind(nullptr, element); }
  /// `place` nullptr: at the front.
  void insert_behind(T* place, T* element) {
    ListNode<T>& node = element->*Node;
    const BlockHead& block = BlockHead::of(this);
    WP_BUG_ON(block.recorder, node.linked());
    T* after = place != nullptr ? (place->*Node).next : front_;
    node = {place, after, this};
    (place != nullptr ? (place->*Node).next : front_) = element;
    (after != nullptr ? (after->*Node).prev : back_) = element;
    ++size_;
    if (!block.recorder->enabled()) return;
    Place here = Place::of(block, this);
    block.recorder->list_insert(here.object, here.field(), ref_of(element).packed(), ref_of(place).packed());
  }
  void erase(T* element) {
    ListNode<T>& node = element->*Node;
    const BlockHead& block = BlockHead::of(this);
    WP_BUG_ON(block.recorder, node.list != this);
    if (block.recorder->enabled()) {
      Place here = Place::of(block, this);
      block.recorder->list_erase(here.object, here.field(), ref_of(element).packed(), ref_of(node.prev).packed());
    }
    (node.prev != nullptr ? (node.prev->*Node).next : front_) = node.next;
    (node.next != nullptr ? (node.next->*Node).prev : back_) = node.prev;
    node = {};
    --size_;
  }
  /// The first element, taken off; nullptr when empty.
  T* pop_front() {
    T* element = front_;
    if (element != nullptr) erase(element);
    return element;
  }

  /// Iteration survives the removal of the element it stands on.
  class Iterator {
   public:
    explicit Iterator(T* at) : at_(at), next_(at != nullptr ? (at->*Node).next : nullptr) {}
    T* operator*() const { return at_; }
    Iterator& operator++() {
      at_ = next_;
      next_ = at_ != nullptr ? (at_->*Node).next : nullptr;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    T* at_;
    T* next_;
  };
  [[nodiscard]] Iterator begin() const { return Iterator(front_); }
  [[nodiscard]] Iterator end() const { return Iterator(nullptr); }

 private:
  T* front_ = nullptr;
  T* back_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace wakepath::record
