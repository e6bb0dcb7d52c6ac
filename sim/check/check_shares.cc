#include <fmt/format.h>

#include <map>

#include "sim/check/check.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

/// A descriptor table counts the tasks that share it.
void check_tables(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, int> users;
  for (const task_struct* task : k.task_by_id)
    if (task != nullptr && task->files != nullptr) ++users[record::object_of(task->files.get())];
  k.files_structs.for_each([&](const files_struct& table) {
    int counted = users[record::object_of(&table)];
    if (table.count != counted)
      out.push_back(fmt::format("{}: count is {}, but {} tasks use it", named("files_struct", &table),
                                table.count.get(), counted));
  });
}

/// A pipe counts its bytes, and the open files at each of its ends.
void check_pipes(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, std::pair<u32, u32>> ends;
  k.files.for_each([&](const file& f) {
    if (f.f_op.get() != &pipefifo_fops) return;
    auto& [readers, writers] = ends[record::object_of(f.private_data.get().as<pipe_inode_info>())];
    ++((f.f_flags & O_WRONLY) != 0 ? writers : readers);
  });
  k.pipes.for_each([&](const pipe_inode_info& pipe) {
    std::size_t bytes = 0;
    for (const pipe_page& page : pipe.pages) bytes += page.data.size() - page.read;
    if (pipe.bytes != bytes)
      out.push_back(
          fmt::format("{}: bytes is {}, but its pages hold {}", named("pipe", &pipe), pipe.bytes.get(), bytes));
    auto [readers, writers] = ends[record::object_of(&pipe)];
    if (pipe.readers != readers || pipe.writers != writers)
      out.push_back(fmt::format("{}: {} readers and {} writers, but {} and {} open files", named("pipe", &pipe),
                                pipe.readers.get(), pipe.writers.get(), readers, writers));
  });
}

}  // namespace

void check_shares(const Kernel& k, Complaints& out) {
  check_tables(k, out);
  check_pipes(k, out);
}

}  // namespace wakepath::check
