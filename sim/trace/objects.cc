#include "sim/trace/objects.hh"

#include <algorithm>
#include <cstring>
#include <new>

namespace wakepath::trace {

// --- Values ---

Values::Body* Values::make(std::size_t size) {
  void* room = ::operator new(sizeof(Body) + size * sizeof(std::uint64_t));
  return new (room) Body{{1}, static_cast<std::uint32_t>(size)};
}

Values::Values(std::size_t size) : body_(make(size)) { std::fill_n(body_->at(), size, std::uint64_t{0}); }

void Values::unshare() {
  Body* own = make(body_->size);
  std::copy_n(body_->at(), body_->size, own->at());
  release();
  body_ = own;
}

void Values::release() {
  if (body_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) ::operator delete(body_);
}

bool operator==(const Values& a, const Values& b) {
  return a.body_ == b.body_ || std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// --- Lists ---

namespace {

constexpr std::size_t kFirstRoom = 4;  // most lists are short

auto place_of(std::vector<Members>& lists, FieldId field) {
  return std::lower_bound(lists.begin(), lists.end(), field,
                          [](const Members& list, FieldId id) { return list.field < id; });
}

/// Index of `wanted`, looked for from where the last change was outward; the list's size when it is not there.
std::size_t find_near(const Members& list, Ref wanted) {
  std::size_t below = std::min<std::size_t>(list.hint, list.refs.size());
  std::size_t above = below;
  while (below > 0 || above < list.refs.size()) {
    if (above < list.refs.size() && list.refs[above++] == wanted) return above - 1;
    if (below > 0 && list.refs[--below] == wanted) return below;
  }
  return list.refs.size();
}

}  // namespace

std::vector<Members>& Lists::edit() {
  if (body_ == nullptr) {
    body_ = new Body;
  } else if (body_->owners.load(std::memory_order_acquire) != 1) {
    auto* own = new Body{{1}, body_->lists};
    release();
    body_ = own;
  }
  return body_->lists;
}

void Lists::release() {
  if (body_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete body_;
}

bool operator==(const Lists& a, const Lists& b) {
  return a.body_ == b.body_ || std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void Lists::insert(FieldId field, Ref element, std::uint64_t behind) {
  std::vector<Members>& lists = edit();
  auto list = place_of(lists, field);
  if (list == lists.end() || list->field != field) {
    list = lists.insert(list, Members{field, 0, {}});
    list->refs.reserve(kFirstRoom);
  }
  std::size_t place = 0;
  if (behind != 0) {
    bool at_end = !list->refs.empty() && list->refs.back() == Ref::unpack(behind);  // by far the most frequent
    place = at_end ? list->refs.size() : find_near(*list, Ref::unpack(behind)) + 1;
    if (place > list->refs.size()) place = 0;  // a damaged file
  }
  list->refs.insert(list->refs.begin() + static_cast<std::ptrdiff_t>(place), element);
  list->hint = static_cast<std::uint32_t>(place);
}

void Lists::erase(FieldId field, Ref element) {
  std::vector<Members>& lists = edit();
  auto list = place_of(lists, field);
  if (list == lists.end() || list->field != field) return;
  bool is_last = !list->refs.empty() && list->refs.back() == element;
  std::size_t place = is_last ? list->refs.size() - 1 : find_near(*list, element);
  if (place == list->refs.size()) return;
  list->refs.erase(list->refs.begin() + static_cast<std::ptrdiff_t>(place));
  list->hint = static_cast<std::uint32_t>(place);
  // an object that never had members and one that has none any more are equal
  if (list->refs.empty()) lists.erase(list);
}

const std::vector<Ref>& Object::list(FieldId field) const {
  static const std::vector<Ref> kEmpty;
  for (const Members& members : lists)
    if (members.field == field) return members.refs;
  return kEmpty;
}

// --- ObjectTable ---

ObjectTable::ObjectTable(const ObjectTable& other) : pages_(other.pages_), size_(other.size_) {
  for (Page* page : pages_) page->owners.fetch_add(1, std::memory_order_relaxed);
}

ObjectTable& ObjectTable::operator=(ObjectTable other) noexcept {
  std::swap(pages_, other.pages_);
  std::swap(size_, other.size_);
  return *this;
}

ObjectTable::~ObjectTable() {
  for (Page* page : pages_) release(page);
}

void ObjectTable::unshare(Page*& page) {
  auto* own = new Page{{1}, page->objects};
  release(std::exchange(page, own));
}

void ObjectTable::release(Page* page) {
  if (page->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete page;
}

void ObjectTable::resize(std::size_t size) {
  while (pages_.size() * kPage < size) pages_.push_back(new Page);
  for (std::size_t id = size; id < size_; ++id) edit(id) = {};  // a page that grows again is blank
  size_ = size;
  while (pages_.size() > (size + kPage - 1) / kPage) {
    release(pages_.back());
    pages_.pop_back();
  }
}

bool operator==(const ObjectTable& a, const ObjectTable& b) {
  if (a.size_ != b.size_) return false;
  for (std::size_t id = 0; id < a.size_; ++id) {
    if (id % ObjectTable::kPage == 0 && a.pages_[id / ObjectTable::kPage] == b.pages_[id / ObjectTable::kPage])
      id += ObjectTable::kPage - 1;
    else if (a[id] != b[id])
      return false;
  }
  return true;
}

}  // namespace wakepath::trace
