#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "sim/trace/cursor.hh"
#include "sim/trace/file.hh"
#include "sim/trace/index.hh"
#include "tests/temporary_folder.hh"
#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

constexpr Position kRecords = 70000;

// Followers of a live trace: one walks the world, one keeps an index, one writes the recording, all while it grows.
TEST(Trace, IsReadWhileItIsWritten) {
  Trace trace(toy::schema());
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "live.wkp";
  Cursor cursor(trace);
  Index index(trace);
  std::thread walker([&] {
    while (cursor.position() < kRecords) {
      cursor.seek(~Position{0});
      if (cursor.position() > 100) cursor.seek(cursor.position() - 50);
      if (trace.size() >= kRecords) cursor.seek(~Position{0});
      for (const Task& task : cursor.world().tasks()) (void)task_name(trace, cursor.world(), task.id);
    }
  });
  std::thread indexer([&] {
    while (index.seen() < kRecords) index.update();
  });
  std::thread recorder([&] {
    FileWriter writer(trace, path);
    while (trace.size() < kRecords) writer.flush();
  });
  toy::fill(trace, kRecords, 30);
  walker.join();
  indexer.join();
  recorder.join();

  Cursor later(trace);
  later.seek(cursor.position());
  EXPECT_EQ(cursor.world(), later.world());
  Index once(trace);
  once.update();
  index.update();
  EXPECT_EQ(index.calls(1), once.calls(1));

  OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr) << opened.message;
  EXPECT_EQ(opened.message, "");
  ASSERT_GE(opened.trace->size(), kRecords);
  for (Position p = 0; p < opened.trace->size(); ++p) {
    ASSERT_EQ((*opened.trace)[p], trace[p]);
    ASSERT_EQ(opened.trace->site(trace[p].site), trace.site(trace[p].site)) << "site of record " << p;
  }
}

}  // namespace
}  // namespace wakepath::trace
