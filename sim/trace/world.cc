#include "sim/trace/world.hh"

namespace wakepath::trace {

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

void create(ObjectTable& objects, const Schema& schema, const Record& record, Position position) {
  constexpr ObjectId kMostSkipped = 1u << 20;  // a damaged file must not make us allocate the address space
  if (record.object == 0 || record.field >= schema.kinds.size() || record.object > objects.size() + kMostSkipped)
    return;
  if (objects.size() <= record.object) objects.resize(record.object + std::size_t{1});
  Object& object = objects.edit(record.object);
  object = {record.object,
            static_cast<std::uint32_t>(record.after),
            record.field,
            true,
            position,
            Values(schema.kinds[record.field].fields.size()),
            {}};
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
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size()) o->values.set(r.field, r.after);
      break;
    case RecordKind::kListInsert:
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size())
        o->lists.insert(r.field, Ref::unpack(r.after), r.before);
      break;
    case RecordKind::kListErase:
      if (Object* o = at(r.object)) o->lists.erase(r.field, Ref::unpack(r.after));
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

void World::revert(const Record& r) {
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
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size()) o->values.set(r.field, r.before);
      break;
    case RecordKind::kListInsert:
      if (Object* o = at(r.object)) o->lists.erase(r.field, Ref::unpack(r.after));
      break;
    case RecordKind::kListErase:
      if (Object* o = at(r.object); o != nullptr && r.field < o->values.size())
        o->lists.insert(r.field, Ref::unpack(r.after), r.before);
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
