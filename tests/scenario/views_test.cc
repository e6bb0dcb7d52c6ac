// The kernel's own texts (/proc/net/tcp, udp, tcp6, udp6, /proc/PID/fd, /proc/PID/fdinfo, ss) of one story, read on the
// running kernel and printed by the model, compared mark by mark.
//
// Free, and so taken out on both sides before: numbers of inodes (replaced by who has them), of mounts and devices;
// addresses and cookies of sockets; the order of rows and of epoll's items (hash tables and a tree of addresses); how
// long a timer still runs (compared to a quarter of a second); round-trip times and what is computed
// from them, and congestion control, which the model does not have; the send window, which the kernel rounds (window
// scaling).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::scenario {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

Lines lines_of(const fs::path& path) {
  Lines out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string replace(const std::string& text, const char* what, const char* by) {
  return std::regex_replace(text, std::regex(what), by);
}

/// Where a machine wrote what it showed at one mark.
class Place {
 public:
  explicit Place(fs::path folder) : folder_(std::move(folder)) {
    for (const auto& actor : fs::directory_iterator(folder_)) {
      if (!actor.is_directory()) {
        continue;
      }
      const std::regex link(R"((\d+) -> (socket|pipe):\[(\d+)\])");
      for (const std::string& line : sorted(lines_of(actor.path() / "fd"))) {
        std::smatch found;
        if (std::regex_search(line, found, link)) {
          owners_.try_emplace(found[3], actor.path().filename().string() + ":" + found[1].str());
        }
      }
    }
  }

  /// Each file of this mark as it can be compared, by its name.
  std::map<std::string, Lines> texts() const {
    std::map<std::string, Lines> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) {
        continue;
      }
      const std::string name = fs::relative(entry.path(), folder_).string();
      const std::string file = entry.path().filename().string();
      const Lines lines = lines_of(entry.path());
      out[name] = file.starts_with("proc-net-tcp") ? tcp(lines, file.ends_with("6") ? std::nullopt : std::optional(149))
                  : file.starts_with("proc-net-udp")
                      ? udp(lines, file.ends_with("6") ? std::nullopt : std::optional(127))
                  : file == "ss" ? ss(lines)
                  : file == "fd" ? fd(lines)
                                 : info(lines);
    }
    return out;
  }

 private:
  std::string owner(const std::string& inode) const {
    const auto found = owners_.find(inode);
    return inode == "0" ? "0" : found != owners_.end() ? found->second : "nobody";
  }

  /// Also where the inode's column begins: all before it have fixed widths.
  /// `width`: of every line; those of IPv6 are not filled up.
  Lines tcp(const Lines& lines, std::optional<size_t> width) const {
    const std::regex columns(
        R"(^ *\d+: (\S+ \S+ \S\S \S+ \d\d):([0-9A-F]{8}) (\S{8}) +\d+ +(\d+) (\d+) (\d+) [0-9a-f]{16}(?: (\d+ \d+ \d+) \d+ -?\d+)? *$)");
    Lines rows;
    for (size_t i = 1; i < lines.size(); ++i) {
      std::smatch c;
      EXPECT_EQ(lines[i].size(), width.value_or(lines[i].size())) << lines[i];
      if (!std::regex_match(lines[i], c, columns)) {
        ADD_FAILURE() << "not a row of /proc/net/tcp: " << lines[i];
        continue;
      }
      const unsigned long quarters = (std::stoul(c[2], nullptr, 16) + 12) / 25;  // of a second, the nearest
      rows.push_back(fmt::format("{} {} {} {} inode[{}] {} {} {}", c[1].str(), quarters, c[3].str(), c[4].str(),
                                 c.position(5), owner(c[5]), c[6].str(), c[7].str()));
    }
    rows = sorted(rows);
    rows.insert(rows.begin(), lines.at(0));
    return rows;
  }

  Lines udp(const Lines& lines, std::optional<size_t> width) const {
    const std::regex columns(R"(^ *\d+: (\S+ \S+ \S\S \S+ \S+ \S{8}) +\d+ +(\d+) (\d+) (\d+) [0-9a-f]{16} (\d+) *$)");
    Lines rows;
    for (size_t i = 1; i < lines.size(); ++i) {
      std::smatch c;
      EXPECT_EQ(lines[i].size(), width.value_or(lines[i].size())) << lines[i];
      if (std::regex_match(lines[i], c, columns)) {
        rows.push_back(
            fmt::format("{} inode[{}] {} {} {}", c[1].str(), c.position(3), owner(c[3]), c[4].str(), c[5].str()));
      } else {
        ADD_FAILURE() << "not a row of /proc/net/udp: " << lines[i];
      }
    }
    rows = sorted(rows);
    rows.insert(rows.begin(), lines.at(0));
    return rows;
  }

  Lines ss(const Lines& lines) const {
    Lines rows;
    for (size_t i = 0; i < lines.size(); ++i) {
      std::string line = replace(lines[i], " +$", "");
      line = replace(line, "timer:\\(on,\\d*\\.?\\d+m?s(ec)?,", "timer:(on,T,");
      line = replace(line, "timer:\\(timewait,(59sec|1min),", "timer:(timewait,T,");
      line = replace(line, " cgroup:[^ ]*", "");
      line = replace(line, " sk:[0-9a-f]+", "");
      std::smatch inode;
      if (std::regex_search(line, inode, std::regex(" ino:(\\d+)"))) {
        line = inode.prefix().str() + " " + owner(inode[1]) + inode.suffix().str();
      }
      if (i + 1 < lines.size() && lines[i + 1].starts_with("\t")) {
        line += internal(lines[++i]);
      }
      rows.push_back(line);
    }
    return sorted(rows);
  }

  /// Of TCP's own numbers those that the model has.
  static std::string internal(const std::string& line) {
    std::istringstream words(line);
    std::string out;
    for (std::string word; words >> word;) {
      for (const char* key : {"ato:", "mss:", "pmtu:", "rcvmss:", "advmss:", "bytes_sent:", "bytes_acked:",
                              "bytes_received:", "unacked:", "notsent:"}) {
        if (word.starts_with(key)) {
          out += " " + word;
        }
      }
    }
    return out;
  }

  Lines fd(const Lines& lines) const {
    Lines rows;
    for (const std::string& line : lines) {
      std::smatch found;
      std::string row = replace(line, "^(\\S+ 1) \\S+ \\S+ 64 .{12} ", "$1 ");
      if (std::regex_search(row, found, std::regex(R"(\[(\d+)\])"))) {
        row = found.prefix().str() + owner(found[1]) + found.suffix().str();
      }
      rows.push_back(row);
    }
    return rows;
  }

  Lines info(const Lines& lines) const {
    Lines rows;
    for (const std::string& line : lines) {
      if (!line.starts_with("mnt_id:") && !line.starts_with("ino:") && !line.starts_with("eventfd-id:")) {
        rows.push_back(replace(line, "ino:[0-9a-f]+ sdev:[0-9a-f]+", "ino:… sdev:…"));
      }
    }
    return sorted(rows);
  }

  fs::path folder_;
  std::map<std::string, std::string> owners_;  ///< of an inode: the first descriptor that leads to it
};

class Views : public testing::Test {
 protected:
  void compare(const std::string& file, const std::vector<const char*>& marks);
  /// Runs the story on both; `ran`: both went through it.
  void run(const std::string& file, bool* ran);
  /// Of the connection of port 7001 at each mark: the column of unanswered probes.
  Lines unanswered(const char* machine, const std::vector<const char*>& marks) const {
    return column(1, machine, marks);
  }
  /// Of the same one: the column of retransmissions.
  Lines retransmitted(const char* machine, const std::vector<const char*>& marks) const {
    return column(0, machine, marks);
  }

  test::TemporaryFolder folder;

 private:
  Lines column(size_t which, const char* machine, const std::vector<const char*>& marks) const;
};

void Views::run(const std::string& file, bool* ran) {
  const auto parsed = parse_file(WAKEPATH_SOURCE_DIR "/tests/scenario/stories/" + file);
  ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text();
  const Scenario& story = std::get<Scenario>(parsed);
  if (const std::string why = why_not_judged(version_table(), host_kernel()); !why.empty()) {
    GTEST_SKIP() << why;
  }
  const FileResult kernel = run_on_kernel(story, {.views = folder / "kernel"});
  if (kernel.skipped) {
    GTEST_SKIP() << *kernel.skipped;
  }
  ASSERT_TRUE(kernel.ok) << text_report(story, kernel, {});
  ASSERT_TRUE(run_on_model(story, {.views = folder / "model"}).ok);
  *ran = true;
}

Lines Views::column(size_t which, const char* machine, const std::vector<const char*>& marks) const {
  const std::regex row(R"(^ *\d+: \S+:1B59 \S+ \d\d \S+ \S+ (\S+) +\d+ +(\d+) .*)");
  Lines out;
  for (const char* mark : marks) {
    for (const std::string& line : lines_of(folder / machine / mark / "proc-net-tcp")) {
      std::smatch columns;
      if (std::regex_match(line, columns, row)) {
        out.push_back(columns[which + 1]);
      }
    }
  }
  return out;
}

/// At each mark of a story.
void Views::compare(const std::string& file, const std::vector<const char*>& marks) {
  bool ran = false;
  run(file, &ran);
  if (!ran) {
    return;
  }
  for (const char* mark : marks) {
    SCOPED_TRACE(mark);
    const auto real = Place(folder / "kernel" / mark).texts();
    const auto ours = Place(folder / "model" / mark).texts();
    ASSERT_GT(real.size(), 5u);
    for (const auto& [name, lines] : real) {
      SCOPED_TRACE(name);
      const bool installed = !lines.empty();  // ss and ls may be missing
      ASSERT_TRUE(ours.contains(name));
      EXPECT_TRUE(!installed || ours.at(name) == lines) << "kernel:\n"
                                                        << testing::PrintToString(lines) << "\nmodel:\n"
                                                        << testing::PrintToString(ours.at(name));
    }
  }
}

TEST_F(Views, AreThoseOfTheRunningKernelAtEveryMark) {
  compare("kernel_views.yaml", {"listening", "queued", "overflow", "data", "halves", "over"});
}

TEST_F(Views, AreThoseOfTheRunningKernelForBothFamilies) {
  compare("kernel_views_ipv6.yaml", {"listening", "queued", "data", "halves", "over"});
}

TEST_F(Views, CountTheReferencesOfTimers) { compare("timers-hold-their-socket.yaml", {"soon", "idle"}); }

TEST_F(Views, CountTheDatagramsThatFoundNoRoom) { compare("udp-drops-are-counted.yaml", {"none", "full", "again"}); }

TEST_F(Views, CountNoRetransmissionWhileTheWindowIsTakenBack) {
  bool ran = false;
  run("shrunk-window-is-probed-with-data.yaml", &ran);
  if (ran) {
    EXPECT_EQ(unanswered("kernel", {"first", "second"}), (Lines{"0", "0"}));
    EXPECT_EQ(unanswered("model", {"first", "second"}), (Lines{"0", "0"}));
    EXPECT_EQ(retransmitted("kernel", {"first", "second"}), (Lines{"00000000", "00000000"}));
    EXPECT_EQ(retransmitted("model", {"first", "second"}), (Lines{"00000000", "00000000"}));
  }
}

TEST_F(Views, ShowAProbeThatCameTooSoonAfterAnotherToBeAnswered) {
  bool ran = false;
  run("probes-answered-twice-a-second.yaml", &ran);
  if (ran) {
    EXPECT_EQ(unanswered("kernel", {"first", "second", "third"}), (Lines{"0", "1", "0"}));
    EXPECT_EQ(unanswered("model", {"first", "second", "third"}), (Lines{"0", "1", "0"}));
  }
}

TEST_F(Views, ShowEveryProbeAnsweredWithoutALimit) {
  bool ran = false;
  run("probes-all-answered.yaml", &ran);
  if (ran) {
    EXPECT_EQ(unanswered("kernel", {"first", "second", "third"}), (Lines{"0", "0", "0"}));
    EXPECT_EQ(unanswered("model", {"first", "second", "third"}), (Lines{"0", "0", "0"}));
  }
}

}  // namespace
}  // namespace wakepath::scenario
