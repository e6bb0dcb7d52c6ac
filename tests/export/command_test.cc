// wakepath export and wakepath doctor as a user calls them, in process.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "sim/kernel/tcp_edges.hh"
#include "sim/trace/file.hh"
#include "src/cli/commands.hh"
#include "src/server/slot_state.hh"
#include "tests/export/story.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

class ExportCommand : public ::testing::Test {
 protected:
  ExportCommand() {
    exports::story::Writer writer(exports::story::schema());
    exports::story::tell(writer);
    trace::FileWriter(writer.trace, folder / "story.wkp").close();
    options.file = folder / "story.wkp";
  }

  /// The exit status; what went to standard error is in `errors`.
  int call() {
    testing::internal::CaptureStderr();
    int status = export_file(options);
    errors = testing::internal::GetCapturedStderr();
    return status;
  }
  std::string written() const {
    std::ifstream in(options.output, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  test::TemporaryFolder folder;
  ExportOptions options;
  std::string errors;
};

TEST_F(ExportCommand, WritesTheObjectsAfterAStepAsSvg) {
  options.step = "3";
  options.output = folder / "objects.svg";
  ASSERT_EQ(call(), 0) << errors;
  EXPECT_THAT(written(), HasSubstr("step 3: client: connect(3, 127.0.0.1:7000)"));
  EXPECT_THAT(written(), HasSubstr("icsk_accept_queue"));
}

TEST_F(ExportCommand, AnSvgIsDrawnInTheSizeOfItsViewBox) {
  options.step = "3";
  options.output = folder / "objects.svg";
  ASSERT_EQ(call(), 0) << errors;
  const std::string svg = written();
  std::smatch size;
  ASSERT_TRUE(std::regex_search(svg, size, std::regex("width=\"([0-9]+)pt\"[^>]*viewBox=\"0.00 0.00 ([0-9.]+) ")));
  EXPECT_NEAR(std::stod(size[1]), std::stod(size[2]), 1) << "else a browser cuts what stands outside";
  EXPECT_THAT(svg, HasSubstr("scale(1 1)"));
}

TEST(Architecture, ShowsServicesServerAndClientsAsTheRunHadThem) {
  test::TemporaryFolder folder;
  const ExportOptions options{
      .file = "scenarios/from-queue-to-callback.yaml", .view = "architecture", .output = folder / "architecture.dot"};
  ASSERT_EQ(export_file(options), 0);
  std::ifstream in(options.output);
  const std::string dot{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(dot, HasSubstr("echo_callback.lua  (handle 1)"));
  EXPECT_THAT(dot, HasSubstr("on_data, by worker-1"));
  EXPECT_THAT(dot, HasSubstr("service1 -> server:sendctrl_fd [label=< close, start<BR/><I>by worker-1</I>>"));
  EXPECT_THAT(dot, HasSubstr("server:slots -> service1:queue [label=< accept, close, data, open<BR/>"));
  EXPECT_THAT(dot, HasSubstr("socket 1, descriptor 7, listen"));
  EXPECT_THAT(dot, HasSubstr("threads: monitor, services, socket-server, timer, worker-1"));
  EXPECT_THAT(dot, HasSubstr("client1 -> sockets"));
}

TEST(Architecture, OfAStoryWithoutAServerIsRefused) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(export_file({.file = "scenarios/wake-on-connect.yaml", .view = "architecture"}), 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("nothing tells of a socket-server here"));
}

TEST(DiagramCommand, DrawsEveryEdgeOfTheTables) {
  test::TemporaryFolder folder;
  for (const auto& [subject, edges] :
       {std::pair{"tcp-states", kernel::tcp_edges().size() + 4}, std::pair{"slot-states", server::kSlotEdges.size()}}) {
    const DiagramOptions options{.subject = subject, .output = folder / "states.svg"};
    ASSERT_EQ(diagram(options), 0);
    std::ifstream in(options.output);
    const std::string svg{std::istreambuf_iterator<char>(in), {}};
    std::size_t drawn = 0;
    for (std::size_t at = 0; (at = svg.find("class=\"edge\"", at)) != std::string::npos; ++at) ++drawn;
    EXPECT_EQ(drawn, edges) << subject;
  }
}

TEST_F(ExportCommand, WritesAPdf) {
  options.step = "3";
  options.output = folder / "objects.pdf";
  int status = call();
  if (errors.find("renderer for pdf is unavailable") != std::string::npos)
    GTEST_SKIP() << "Graphviz's cairo plugin is not installed";
  ASSERT_EQ(status, 0) << errors;
  EXPECT_THAT(written(), StartsWith("%PDF-"));
}

TEST_F(ExportCommand, WritesAPathAsPng) {
  options.step = "3";
  options.view = "path";
  options.output = folder / "path.png";
  int status = call();
  if (status == 3) GTEST_SKIP() << "Graphviz's cairo plugin is not installed: " << errors;
  ASSERT_EQ(status, 0) << errors;
  EXPECT_THAT(written(), StartsWith("\x89PNG"));
  EXPECT_GT(written().size(), 20000u);
}

TEST_F(ExportCommand, ShowsWhatTheKernelItselfWouldShowOfAScenario) {
  options.file = WAKEPATH_SOURCE_DIR "/scenarios/wake-on-connect.yaml";
  options.step = "woken";
  options.output = folder / "view.txt";
  options.view = "ss";
  options.ss = "tln";
  ASSERT_EQ(call(), 0) << errors;
  EXPECT_EQ(written(),
            "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n"
            "LISTEN 1      8          127.0.0.1:32769      0.0.0.0:*\n");
  options.view = "proc-fdinfo";
  options.process = "server";
  options.fd = 4;
  ASSERT_EQ(call(), 0) << errors;
  EXPECT_THAT(written(), HasSubstr("\ntfd:        3 events:       19 data:                3  pos:0 ino:2711 sdev:2\n"));
  options.fd = 7;
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("--fd: 7 is not open in server"));
  options.process = "nobody";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("--process: found 'nobody', expected one of server, client"));
}

TEST_F(ExportCommand, FindsAMomentByMarkStepNameAndRecord) {
  options.format = "dot";
  options.output = folder / "a.dot";
  options.mark = "asleep";
  ASSERT_EQ(call(), 0) << errors;
  std::string by_mark = written();
  EXPECT_THAT(by_mark, HasSubstr("TASK_INTERRUPTIBLE"));
  options.mark = "";
  options.step = "asleep";
  ASSERT_EQ(call(), 0) << errors;
  EXPECT_EQ(written(), by_mark);
  options.step = "";
  options.record = "0";
  ASSERT_EQ(call(), 0) << errors;
  EXPECT_THAT(written(), HasSubstr("after 0 records"));
}

TEST_F(ExportCommand, WritesTheTreeOfAStepAsText) {
  options.step = "4";
  options.view = "tree";
  options.output = folder / "tree.txt";
  ASSERT_EQ(call(), 0) << errors;
  EXPECT_THAT(written(), StartsWith("step 4  server: accept4"));
}

TEST_F(ExportCommand, SaysWhatIsWrongWithItsArguments) {
  options.step = "9";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("--step: found 9, but the recording has steps 1 to 4"));
  options.step = "nowhere";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("found no mark 'nowhere'"));
  options.step = "";
  options.record = "-1";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("--record: found '-1', expected a number up to"));
  options.record = "";
  options.view = "tree";
  options.format = "png";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("--view tree cannot be written as png: it is text"));
}

TEST_F(ExportCommand, SaysWhatIsWrongWithItsFiles) {
  options.output = folder / "no" / "folder.svg";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("folder.svg: cannot be written: No such file"));
  options.output = folder / "a.svg";
  options.file = folder / "missing.wkp";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("missing.wkp: cannot be read: No such file"));
  std::ofstream(folder / "foreign.wkp") << "hello, world";
  options.file = folder / "foreign.wkp";
  EXPECT_EQ(call(), 2);
  EXPECT_THAT(errors, HasSubstr("found a file of another kind"));
}

TEST_F(ExportCommand, DrawsWhatIsLeftOfARecordingThatWasCut) {
  fs::resize_file(options.file, fs::file_size(options.file) - 20);
  options.format = "dot";
  options.output = folder / "a.dot";
  EXPECT_EQ(call(), 0);
  EXPECT_THAT(errors, HasSubstr("cut or damaged"));
  EXPECT_THAT(written(), HasSubstr("digraph"));
}

TEST(Doctor, HasALineForEachThingThatMatters) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(doctor(), 0);
  std::string lines = testing::internal::GetCapturedStdout();
  for (const char* what : {"kernel", "display", "OpenGL", "Graphviz", "namespaces", "SCHED_FIFO", "sock_diag",
                           "epoll fdinfo", "tracepoints", "strace"})
    EXPECT_THAT(lines, ::testing::ContainsRegex(fmt::format("{} +(ok|missing) +[^ ]", what)));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 11);
}

}  // namespace
}  // namespace wakepath::cli
