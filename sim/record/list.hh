#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "sim/record/arena.hh"

namespace wakepath::record {

/// A member's links into one list. Not recorded itself: the list records who stands behind whom.
template <class T>
struct ListNode {
  ShortPtr<T> prev;           ///< Of the first: the last, so that a list needs one pointer only.
  ShortPtr<T> next;           ///< Of the last: nullptr.
  ShortPtr<const void> list;  ///< The list it is on; nullptr when on none.

  [[nodiscard]] bool linked() const { return !list.null(); }
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
  [[nodiscard]] T* back() const { return front_ != nullptr ? (front_->*Node).prev : nullptr; }
  [[nodiscard]] static T* next(const T* element) { return (element->*Node).next; }
  [[nodiscard]] T* prev(const T* element) const { return element == front_ ? nullptr : (element->*Node).prev; }
  [[nodiscard]] bool contains(const T* element) const { return (element->*Node).list == this; }

  void push_back(T* element) { insert(last(), element); }
  void push_front(T* element) { insert({}, element); }
  /// `place` nullptr: at the front.
  void insert_behind(T* place, T* element) { insert(place, element); }
  void erase(T* element) {
    ListNode<T>& node = element->*Node;
    WP_BUG_ON(BlockHead::of(this).recorder, !node.list.same_as(here()));
    bool is_first = front_.same_as(Link::to(element));
    if (Recorder::any_enabled()) [[unlikely]]
      record_erase(is_first ? nullptr : node.prev, element);
    (is_first ? front_ : node_of(node.prev).next) = node.next;
    if (!node.next.null())
      node_of(node.next).prev = node.prev;
    else if (!is_first)
      node_of(front_).prev = node.prev;
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
  using Link = ShortPtr<T>;

  static ListNode<T>& node_of(Link link) { return link.target()->*Node; }
  [[nodiscard]] ShortPtr<const void> here() const { return ShortPtr<const void>::to(this); }
  [[nodiscard]] Link last() const { return front_.null() ? Link() : node_of(front_).prev; }

  void insert(Link place, T* element) {
    ListNode<T>& node = element->*Node;
    WP_BUG_ON(BlockHead::of(this).recorder, node.linked());
    Link link = Link::to(element);
    Link& towards = place.null() ? front_ : node_of(place).next;
    Link after = towards;
    Link end = after.null() ? link : last();
    node = {place, after, here()};
    towards = link;
    if (!after.null()) node_of(after).prev = link;
    node_of(front_).prev = end;
    ++size_;
    if (Recorder::any_enabled()) [[unlikely]]
      record_insert(place, element);
  }

  [[gnu::noinline]] void record_insert(const T* behind, const T* element) const {
    Place here = Place::of(this);
    if (here.recorder->enabled())
      here.recorder->list_insert(here.object, here.field(), ref_of(element).packed(), ref_of(behind).packed());
  }
  [[gnu::noinline]] void record_erase(const T* behind, const T* element) const {
    Place here = Place::of(this);
    if (here.recorder->enabled())
      here.recorder->list_erase(here.object, here.field(), ref_of(element).packed(), ref_of(behind).packed());
  }

  ShortPtr<T> front_;
  std::uint32_t size_ = 0;
};

}  // namespace wakepath::record
