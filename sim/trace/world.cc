#include "sim/trace/world.hh"

#include <algorithm>

namespace wakepath::trace {

namespace {

auto place_of(std::vector<Members>& lists, FieldId field) {
  return std::lower_bound(lists.begin(), lists.end(), field,
                          [](const Members& list, FieldId id) { return list.field < id; });
}

}  // namespace

const std::vector<Ref>& Object::list(FieldId field) const {
  static const std::vector<Ref> kEmpty;
  for (const Members& members : lists)
    if (members.field == field) return members.refs;
  return kEmpty;
}

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

void ObjectTable::release(Page* page) {
  if (page->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete page;
}

Object& ObjectTable::edit(std::size_t id) {
  Page*& page = pages_[id / kPage];
  if (page->owners.load(std::memory_order_acquire) != 1) {
    auto* own = new Page;
    own->objects = page->objects;
    release(std::exchange(page, own));
  }
  return page->objects[id % kPage];
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

Object* World::at(ObjectId id) { return id != 0 && id < objects_.size() ? &objects_.edit(id) : nullptr; }

const Object* World::find(ObjectId id) const {
  return id != 0 && id < objects_.size() && objects_[id].alive ? &objects_[id] : nullptr;
}

void World::trim_tasks() {
  while (!tasks_.empty() && tasks_.back().object == 0 && tasks_.back().stack.empty() && tasks_.back().syscall == 0)
    tasks_.pop_back();
}

Task& World::task_at(TaskId id) {
  while (tasks_.size() <= id) tasks_.push_back({static_cast<TaskId>(tasks_.size()), 0, {}, 0});
  return tasks_[id];
}

const Task* World::task(TaskId id) const { return id < tasks_.size() ? &tasks_[id] : nullptr; }

namespace {

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

void list_insert(Object& object, FieldId field, std::uint64_t element, std::uint64_t behind) {
  auto list = place_of(object.lists, field);
  if (list == object.lists.end() || list->field != field) list = object.lists.insert(list, Members{field, 0, {}});
  std::size_t place = 0;
  if (behind != 0) {
    bool at_end = !list->refs.empty() && list->refs.back() == Ref::unpack(behind);  // by far the most frequent
    place = at_end ? list->refs.size() : find_near(*list, Ref::unpack(behind)) + 1;
    if (place > list->refs.size()) place = 0;  // a damaged file
  }
  list->refs.insert(list->refs.begin() + static_cast<std::ptrdiff_t>(place), Ref::unpack(element));
  list->hint = static_cast<std::uint32_t>(place);
}

void list_erase(Object& object, FieldId field, std::uint64_t element) {
  auto list = place_of(object.lists, field);
  if (list == object.lists.end() || list->field != field) return;
  std::size_t place = find_near(*list, Ref::unpack(element));
  if (place == list->refs.size()) return;
  list->refs.erase(list->refs.begin() + static_cast<std::ptrdiff_t>(place));
  list->hint = static_cast<std::uint32_t>(place);
  // an object that never had members and one that has none any more are equal
  if (list->refs.empty()) object.lists.erase(list);
}

void create(ObjectTable& objects, const Schema& schema, const Record& record, Position position) {
  constexpr ObjectId kMostSkipped = 1u << 20;  // a damaged file must not make us allocate the address space
  if (record.object == 0 || record.field >= schema.kinds.size() || record.object > objects.size() + kMostSkipped)
    return;
  if (objects.size() <= record.object) objects.resize(record.object + std::size_t{1});
  Object& object = objects.edit(record.object);
  object = {record.object, static_cast<std::uint32_t>(record.after), record.field, true, position, {}, {}};
  object.values.resize(schema.kinds[record.field].fields.size());
}

}  // namespace

void World::apply(const Schema& schema, const Record& r, Position position) {
  switch (r.kind) {
    case RecordKind::kCreate:
      create(objects_, schema, r, position);
      break;
    case RecordKind::kDestroy:
      if (Object* o = at(r.object)) o->alive = false;
      break;
    case RecordKind::kSet:
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size()) o->values[r.field] = r.after;
      break;
    case RecordKind::kListInsert:
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size())
        list_insert(*o, r.field, r.after, r.before);
      break;
    case RecordKind::kListErase:
      if (Object* o = at(r.object)) list_erase(*o, r.field, r.after);
      break;
    case RecordKind::kCall:
      task_at(r.task).stack.push_back({position, r.field, r.context, r.object});
      break;
    case RecordKind::kReturn:
      if (Task& t = task_at(r.task); !t.stack.empty()) t.stack.pop_back();
      trim_tasks();
      break;
    case RecordKind::kSyscall:
      task_at(r.task).syscall = position + 1;
      break;
    case RecordKind::kSyscallReturn:
      task_at(r.task).syscall = 0;
      trim_tasks();
      break;
    case RecordKind::kSpawn:
      task_at(r.task).object = r.object;
      break;
    case RecordKind::kRun:
      running_ = static_cast<TaskId>(r.after);
      break;
    case RecordKind::kClock:
      now_ = r.after;
      break;
    case RecordKind::kStep:
      step_ = r.after;
      break;
    case RecordKind::kStepEnd:
      quiet_ = r.after;
      break;
    case RecordKind::kDivergence:
      ++divergences_;
      break;
    case RecordKind::kPeer:
      ++peers_;
      break;
    case RecordKind::kWake:
    case RecordKind::kNote:
    case RecordKind::kRule:
      break;
  }
}

void World::revert(const Record& r, Position) {
  switch (r.kind) {
    case RecordKind::kCreate:
      // ids rise: the last one created is the last one there, behind blanks for ids that were never used
      if (!objects_.empty() && objects_.back().id == r.object) {
        std::size_t size = objects_.size() - 1;
        while (size > 0 && objects_[size - 1].id == 0) --size;
        objects_.resize(size);
      }
      break;
    case RecordKind::kDestroy:
      if (Object* o = at(r.object)) o->alive = true;
      break;
    case RecordKind::kSet:
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size()) o->values[r.field] = r.before;
      break;
    case RecordKind::kListInsert:
      if (Object* o = at(r.object)) list_erase(*o, r.field, r.after);
      break;
    case RecordKind::kListErase:
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size())
        list_insert(*o, r.field, r.after, r.before);
      break;
    case RecordKind::kCall:
      if (Task& t = task_at(r.task); !t.stack.empty()) t.stack.pop_back();
      trim_tasks();
      break;
    case RecordKind::kReturn:
      task_at(r.task).stack.push_back({r.before, r.field, r.context, r.object});
      break;
    case RecordKind::kSyscall:
      task_at(r.task).syscall = 0;
      trim_tasks();
      break;
    case RecordKind::kSyscallReturn:
      task_at(r.task).syscall = r.before + 1;
      break;
    case RecordKind::kSpawn:
      task_at(r.task).object = 0;
      trim_tasks();
      break;
    case RecordKind::kRun:
      running_ = static_cast<TaskId>(r.before);
      break;
    case RecordKind::kClock:
      now_ = r.before;
      break;
    case RecordKind::kStep:
      step_ = r.before;
      break;
    case RecordKind::kStepEnd:
      quiet_ = r.before;
      break;
    case RecordKind::kDivergence:
      --divergences_;
      break;
    case RecordKind::kPeer:
      --peers_;
      break;
    case RecordKind::kWake:
    case RecordKind::kNote:
    case RecordKind::kRule:
      break;
  }
}

}  // namespace wakepath::trace
