#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/trace/record.hh"

/// The objects of a world, made to be copied: a copy shares everything with its original, and what is written to
/// afterwards becomes the writer's own, piece by piece: the page of a few objects, then the values or the lists of the
/// one object. Copies may live on different threads.

namespace wakepath::trace {

/// The values of an object's fields, shared by its copies until one of them writes.
class Values {
 public:
  Values() = default;
  /// All zero.
  explicit Values(std::size_t size);
  Values(const Values& other) : body_(other.body_) {
    if (body_ != nullptr) body_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Values(Values&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Values& operator=(Values other) noexcept { return std::swap(body_, other.body_), *this; }
  ~Values() {
    if (body_ != nullptr) release();
  }

  [[nodiscard]] std::size_t size() const { return body_ != nullptr ? body_->size : 0; }
  [[nodiscard]] std::uint64_t operator[](std::size_t field) const { return body_->at()[field]; }
  [[nodiscard]] const std::uint64_t* begin() const { return body_ != nullptr ? body_->at() : nullptr; }
  [[nodiscard]] const std::uint64_t* end() const { return begin() + size(); }
  friend bool operator==(const Values& a, const Values& b);

  /// `field` below size().
  void set(std::size_t field, std::uint64_t value) {
    if (body_->owners.load(std::memory_order_acquire) != 1) unshare();
    body_->at()[field] = value;
  }

 private:
  /// The values stand behind it.
  struct Body {
    std::atomic<std::uint32_t> owners;
    std::uint32_t size;
    [[nodiscard]] std::uint64_t* at() { return reinterpret_cast<std::uint64_t*>(this + 1); }
  };
  static Body* make(std::size_t size);
  void unshare();
  void release();

  Body* body_ = nullptr;
};

/// The members of one list field, in order.
struct Members {
  FieldId field = 0;
  std::uint32_t hint = 0;  ///< Where the last change was: the next is near. No part of the state.
  std::vector<Ref> refs;
  friend bool operator==(const Members& a, const Members& b) { return a.field == b.field && a.refs == b.refs; }
};

/// An object's lists that have members, by rising FieldId; shared by its copies until one of them writes.
class Lists {
 public:
  Lists() = default;
  Lists(const Lists& other) : body_(other.body_) {
    if (body_ != nullptr) body_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Lists(Lists&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Lists& operator=(Lists other) noexcept { return std::swap(body_, other.body_), *this; }
  ~Lists() {
    if (body_ != nullptr) release();
  }

  [[nodiscard]] bool empty() const { return body_ == nullptr || body_->lists.empty(); }
  [[nodiscard]] const Members* begin() const { return body_ != nullptr ? body_->lists.data() : nullptr; }
  [[nodiscard]] const Members* end() const { return body_ != nullptr ? begin() + body_->lists.size() : nullptr; }
  friend bool operator==(const Lists& a, const Lists& b);
  [[nodiscard]] const void* place() const { return body_; }  ///< in memory

  void insert(FieldId field, Ref element, std::uint64_t behind);
  void erase(FieldId field, Ref element);

 private:
  struct Body {
    std::atomic<std::uint32_t> owners{1};
    std::vector<Members> lists;
  };
  std::vector<Members>& edit();
  void release();

  Body* body_ = nullptr;
};

/// An object as it is at one moment. A freed object keeps its last values (`alive` is false), so that going back is
/// cheap and a viewer can still tell what it was.
struct Object {
  ObjectId id = 0;
  std::uint32_t serial = 0;  ///< Number within its kind, from 1: "tcp_sock#2".
  KindId kind = 0;
  bool alive = false;
  Position born = 0;
  Values values;  ///< By FieldId; unused at list fields.
  Lists lists;

  /// Members in order; empty for a list without any.
  [[nodiscard]] const std::vector<Ref>& list(FieldId field) const;
  friend bool operator==(const Object&, const Object&) = default;
};

/// Objects by id, index 0 unused.
class ObjectTable {
 public:
  ObjectTable() = default;
  ObjectTable(const ObjectTable& other);
  ObjectTable(ObjectTable&& other) noexcept : pages_(std::move(other.pages_)), size_(std::exchange(other.size_, 0)) {
    other.pages_.clear();
  }
  ObjectTable& operator=(ObjectTable other) noexcept;
  ~ObjectTable();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const Object& operator[](std::size_t id) const { return pages_[id / kPage]->objects[id % kPage]; }
  [[nodiscard]] const Object& back() const { return (*this)[size_ - 1]; }

  class Iterator {
   public:
    using value_type = Object;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const ObjectTable* table, std::size_t at) : table_(table), at_(at) {}
    const Object& operator*() const { return (*table_)[at_]; }
    const Object* operator->() const { return &(*table_)[at_]; }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return {table_, at_++}; }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const ObjectTable* table_ = nullptr;
    std::size_t at_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, size_}; }
  friend bool operator==(const ObjectTable& a, const ObjectTable& b);

  /// Hints that the object will be needed soon, and when it has had the time to come, what it holds.
  void expect(std::size_t id) const {
    if (id < size_) __builtin_prefetch(&(*this)[id]);
  }
  void expect_members(std::size_t id) const {
    if (id >= size_) return;
    __builtin_prefetch((*this)[id].values.begin());
    __builtin_prefetch((*this)[id].lists.place());
  }

  // --- the world that owns it ---
  /// For writing: the page becomes this table's own first.
  [[nodiscard]] Object& edit(std::size_t id) {
    Page*& page = pages_[id / kPage];
    if (page->owners.load(std::memory_order_acquire) != 1) unshare(page);
    return page->objects[id % kPage];
  }
  /// Longer: with blank objects; shorter: the last ones go.
  void resize(std::size_t size);

 private:
  static constexpr std::size_t kPage = 8;
  struct Page {
    std::atomic<std::uint32_t> owners{1};
    std::array<Object, kPage> objects;
  };
  static void unshare(Page*& page);
  static void release(Page* page);

  std::vector<Page*> pages_;
  std::size_t size_ = 0;
};

}  // namespace wakepath::trace
