#include "sim/trace/file.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstring>
#include <random>

#include "sim/trace/crc32c.hh"
#include "sim/trace/cursor.hh"
#include "tests/temporary_folder.hh"
#include "tests/trace/toy.hh"

namespace wakepath::trace {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
template <class T>
std::string raw(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}
std::string chunk(std::string_view name, std::string_view payload) {
  std::uint32_t sum = crc32c(std::as_bytes(std::span(payload)), crc32c(std::as_bytes(std::span(name))));
  return std::string(name) + raw(static_cast<std::uint32_t>(payload.size())) + raw(sum) + std::string(payload);
}

/// `prefix` has the records, strings and sites of the first part of `whole`.
void expect_prefix(const Trace& prefix, const Trace& whole) {
  ASSERT_LE(prefix.size(), whole.size());
  for (Position p = 0; p < prefix.size(); ++p) {
    ASSERT_EQ(prefix[p], whole[p]) << "record " << p;
    ASSERT_EQ(prefix.site(prefix[p].site), whole.site(whole[p].site)) << "site of record " << p;
  }
  for (std::size_t i = 0; i < prefix.string_count(); ++i)
    ASSERT_EQ(prefix.string(static_cast<StringId>(i)), whole.string(static_cast<StringId>(i)));
}

class RecordingFile : public ::testing::Test {
 protected:
  RecordingFile() : trace(toy::schema()) { path = folder / "toy.wkp"; }
  /// A small recording of several flushes, so that there are many chunks.
  std::string small_file() {
    toy::Toy toy(trace, 21);
    FileWriter writer(trace, path);
    toy.spawn("server");
    for (Position end = 30; end <= 90; end += 30) {
      toy.happen_until(end);
      writer.flush();
    }
    writer.close();
    EXPECT_EQ(writer.error(), "");
    return read_bytes(path);
  }

  Trace trace;
  test::TemporaryFolder folder;
  fs::path path;
};

TEST_F(RecordingFile, OpensAsWhatWasWritten) {
  toy::fill(trace, 40000, 20);
  FileWriter writer(trace, path);
  writer.close();
  ASSERT_EQ(writer.error(), "");
  OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr) << opened.message;
  EXPECT_EQ(opened.message, "");
  EXPECT_EQ(opened.trace->size(), trace.size());
  EXPECT_EQ(opened.trace->string_count(), trace.string_count());
  EXPECT_EQ(opened.trace->site_count(), trace.site_count());
  EXPECT_EQ(opened.trace->schema().to_json(), trace.schema().to_json());
  expect_prefix(*opened.trace, trace);
  Cursor before(trace);
  Cursor after(*opened.trace);
  before.seek(trace.size());
  after.seek(trace.size());
  EXPECT_EQ(before.world(), after.world());
}

TEST_F(RecordingFile, OfNothingButTheSchemaOpens) {
  FileWriter(trace, path).close();
  OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr);
  EXPECT_EQ(opened.message, "");
  EXPECT_EQ(opened.trace->size(), 0u);
}

TEST_F(RecordingFile, CutAtAnyByteOpensUpToItsLastWholeChunkOrSaysWhyNot) {
  std::string bytes = small_file();
  Position most = 0;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    write_bytes(path, std::string_view(bytes).substr(0, cut));
    OpenedFile opened = open_file(path);
    ASSERT_NE(opened.message, "") << "cut at " << cut;
    ASSERT_THAT(opened.message, HasSubstr("toy.wkp: "));
    if (opened.trace == nullptr) {
      ASSERT_EQ(most, 0u) << "cut at " << cut << " opens less than a shorter cut";
      continue;
    }
    ASSERT_GE(opened.trace->size(), most) << "cut at " << cut;
    most = opened.trace->size();
    expect_prefix(*opened.trace, trace);
    Cursor cursor(*opened.trace);
    cursor.seek(~Position{0});
  }
  EXPECT_EQ(most, trace.size()) << "without its index the recording still has all records";
}

TEST_F(RecordingFile, DamagedNearItsEndOpensForMostOfIt) {
  toy::fill(trace, 20000, 23);
  FileWriter(trace, path).close();
  std::string bytes = read_bytes(path);
  bytes[bytes.size() * 9 / 10] = static_cast<char>(bytes[bytes.size() * 9 / 10] ^ 1);
  write_bytes(path, bytes);
  const OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr);
  EXPECT_THAT(opened.message, HasSubstr(fmt::format("its first {} records could be read", opened.trace->size())));
  EXPECT_GE(opened.trace->size(), trace.size() * 3 / 5);
  expect_prefix(*opened.trace, trace);
}

TEST_F(RecordingFile, WithFlippedBitsNeverGivesWrongRecords) {
  std::string bytes = small_file();
  std::mt19937 random(22);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = bytes;
    std::size_t bit = random() % (bytes.size() * 8);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write_bytes(path, damaged);
    OpenedFile opened = open_file(path);
    ASSERT_NE(opened.message, "") << "bit " << bit << " flipped and nobody noticed";
    if (opened.trace != nullptr) expect_prefix(*opened.trace, trace);
  }
}

TEST_F(RecordingFile, OfAnotherKindIsNamedAsSuch) {
  write_bytes(path,
              "\x7f"
              "ELF and then a lot of other things");
  EXPECT_EQ(open_file(path).trace, nullptr);
  EXPECT_THAT(open_file(path).message, HasSubstr("found a file of another kind, expected a Wakepath recording"));
  write_bytes(path, "");
  EXPECT_THAT(open_file(path).message, HasSubstr("found an empty file"));
}

TEST_F(RecordingFile, OfANewerVersionIsRefusedWithBothNumbers) {
  write_bytes(path, "WAKEPATH" + raw(std::uint32_t{3}) + chunk("SCHM", "unreadable"));
  OpenedFile opened = open_file(path);
  EXPECT_EQ(opened.trace, nullptr);
  EXPECT_THAT(opened.message, HasSubstr("found format version 3, expected 1 to 2"));
}

std::string zstd_frame(const std::string& payload) {
  std::string out(ZSTD_compressBound(payload.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), payload.data(), payload.size(), 3));
  return out;
}

// As version 1 wrote them: a count, then each member of all records in turn.
TEST_F(RecordingFile, OfTheFirstVersionIsStillRead) {
  const std::vector<Record> records = {{.kind = RecordKind::kCreate, .field = toy::kNodeKind, .object = 1, .after = 1},
                                       {.kind = RecordKind::kSet,
                                        .context = Context::kSoftirq,
                                        .field = toy::kValue,
                                        .object = 1,
                                        .task = 2,
                                        .cause = 0,
                                        .after = 7}};
  std::string payload = raw(static_cast<std::uint32_t>(records.size()));
  auto column = [&](auto member) {
    for (const Record& r : records) payload += raw(member(r));
  };
  column([](const Record& r) { return r.kind; });
  column([](const Record& r) { return r.context; });
  column([](const Record& r) { return r.field; });
  column([](const Record& r) { return r.object; });
  column([](const Record& r) { return r.task; });
  column([](const Record& r) { return r.site; });
  column([](const Record& r) { return r.cause; });
  column([](const Record& r) { return r.before; });
  column([](const Record& r) { return r.after; });
  write_bytes(path, "WAKEPATH" + raw(std::uint32_t{1}) + chunk("SCHM", zstd_frame(trace.schema().to_json())) +
                        chunk("RECS", zstd_frame(payload)) + chunk("INDX", ""));
  OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr) << opened.message;
  EXPECT_EQ(opened.message, "");
  ASSERT_EQ(opened.trace->size(), records.size());
  for (Position p = 0; p < records.size(); ++p) EXPECT_EQ((*opened.trace)[p], records[p]);
}

TEST_F(RecordingFile, WithAChunkOfAnUnknownKindIsReadAroundIt) {
  std::string bytes = small_file();
  std::uint32_t schema_length = 0;
  std::memcpy(&schema_length, bytes.data() + 16, 4);
  bytes.insert(24 + schema_length, chunk("NEWS", "from a later version"));
  write_bytes(path, bytes);
  OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr) << opened.message;
  EXPECT_EQ(opened.message, "");
  EXPECT_EQ(opened.trace->size(), trace.size());
  expect_prefix(*opened.trace, trace);
}

TEST_F(RecordingFile, WithBytesBehindItsEndSaysHowMany) {
  write_bytes(path, small_file() + "junk");
  const OpenedFile opened = open_file(path);
  ASSERT_NE(opened.trace, nullptr);
  EXPECT_EQ(opened.trace->size(), trace.size());
  EXPECT_THAT(opened.message, HasSubstr("found 4 bytes behind the end of the recording, expected none"));
  EXPECT_THAT(opened.message, HasSubstr("records are whole"));
  write_bytes(path, small_file() + chunk("NEWS", "appended"));
  EXPECT_THAT(open_file(path).message, HasSubstr("found 20 bytes behind the end"));
}

TEST_F(RecordingFile, WithoutASchemaIsRefused) {
  write_bytes(path, "WAKEPATH" + raw(std::uint32_t{1}) + chunk("NEWS", "no schema"));
  EXPECT_THAT(open_file(path).message, HasSubstr("found no whole schema chunk"));
}

TEST_F(RecordingFile, ThatIsMissingOrADirectoryIsAMessage) {
  EXPECT_THAT(open_file(folder / "nowhere.wkp").message, HasSubstr("nowhere.wkp: cannot be read: No such file"));
  EXPECT_THAT(open_file(folder.path()).message, HasSubstr("cannot be read: Is a directory"));
}

TEST_F(RecordingFile, ThatCannotBeWrittenIsAMessage) {
  FileWriter nowhere(trace, folder / "no" / "such" / "folder.wkp");
  EXPECT_THAT(nowhere.error(), HasSubstr("cannot be written: No such file"));
  nowhere.flush();
  nowhere.close();
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this machine has no /dev/full";
  toy::fill(trace, 20000, 24);
  FileWriter full(trace, "/dev/full");
  full.close();
  EXPECT_THAT(full.error(), HasSubstr("/dev/full: writing failed"));
}

TEST(Schema, SurvivesTheTripThroughJson) {
  auto back = Schema::from_json(toy::schema().to_json());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->to_json(), toy::schema().to_json());
  ASSERT_NE(back->find_kind("node"), nullptr);
  EXPECT_EQ(back->find_kind("node")->find_field("queue"), toy::kQueue);
  EXPECT_EQ(back->find_kind("node")->parts[1].path, "part.link");
  EXPECT_EQ(back->find_kind("no such"), nullptr);
}

TEST(Schema, TellsWhatItWasComparedWithAndOlderOnesTellNothing) {
  Schema schema = toy::schema();
  EXPECT_EQ(schema.compared_with, "");
  schema.compared_with = "Linux 6.18.44";
  std::string text = schema.to_json();
  EXPECT_EQ(Schema::from_json(text).value().compared_with, "Linux 6.18.44");
  std::string key = "\"compared_with\":\"Linux 6.18.44\",";
  ASSERT_NE(text.find(key), std::string::npos);
  EXPECT_EQ(Schema::from_json(text.erase(text.find(key), key.size())).value().compared_with, "");
}

TEST(Schema, RefusesWhatIsNotOne) {
  std::string good = toy::schema().to_json();
  for (std::string_view text : {"", "[]", "{}", "{\"producer\":3}", "null"})
    EXPECT_FALSE(Schema::from_json(text)) << text;
  Schema bad = toy::schema();
  bad.kinds[1].fields[4].detail = 9;  // an enumeration that is not there
  EXPECT_FALSE(Schema::from_json(bad.to_json()));
  bad = toy::schema();
  bad.kinds[1].fields[0].part = 7;
  EXPECT_FALSE(Schema::from_json(bad.to_json()));
  bad = toy::schema();
  bad.kinds[1].parts[1].parent = 7;
  EXPECT_FALSE(Schema::from_json(bad.to_json()));
}

}  // namespace
}  // namespace wakepath::trace
