#include "sim/trace/file.hh"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "sim/trace/crc32c.hh"

namespace wakepath::trace {

namespace {

constexpr std::string_view kMagic = "WAKEPATH";
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kOldestVersion = 1;
constexpr Position kFewestRecords = 1024;         // of a chunk
constexpr std::size_t kMostPayload = 256u << 20;  // no chunk of ours comes near; a damaged length does

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));  // the machines this runs on are little endian, as the format
  out.append(bytes, sizeof(T));
}

template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

/// Records of version 1: by column.
template <class Visit>
void for_each_column(Visit visit) {
  visit([](auto& r) -> auto& { return r.kind; });
  visit([](auto& r) -> auto& { return r.context; });
  visit([](auto& r) -> auto& { return r.field; });
  visit([](auto& r) -> auto& { return r.object; });
  visit([](auto& r) -> auto& { return r.task; });
  visit([](auto& r) -> auto& { return r.site; });
  visit([](auto& r) -> auto& { return r.cause; });
  visit([](auto& r) -> auto& { return r.before; });
  visit([](auto& r) -> auto& { return r.after; });
}

bool unpack_records(std::string_view in, Trace& trace) {
  std::uint32_t count = 0;
  if (!take(in, count) || in.size() != std::size_t{count} * sizeof(Record)) return false;
  std::vector<Record> records(count);
  for_each_column([&](auto member) {
    for (Record& r : records) take(in, member(r));
  });
  if (!std::all_of(records.begin(), records.end(), PackedRecord::has_place_for)) return false;
  for (const Record& r : records) trace.append(r);
  return true;
}

bool unpack_strings(std::string_view in, Trace& trace) {
  std::uint32_t length = 0;
  while (!in.empty()) {
    if (!take(in, length) || in.size() < length) return false;
    trace.intern(in.substr(0, length));
    in.remove_prefix(length);
  }
  return true;
}

bool unpack_sites(std::string_view in, Trace& trace) {
  StringId text = 0;
  while (!in.empty()) {
    if (!take(in, text)) return false;
    trace.intern_site(trace.string(text));
  }
  return true;
}

/// Unpacks one chunk after another into the same room.
class Decompressor {
 public:
  /// Nothing when it is damaged. Good until the next call.
  std::optional<std::string_view> unpack(std::string_view in) {
    unsigned long long size = ZSTD_getFrameContentSize(in.data(), in.size());
    if (size > kMostPayload) return std::nullopt;  // also the two error values, which are huge
    if (room_.size() < size) room_.resize(size);
    std::size_t got = ZSTD_decompressDCtx(context_.get(), room_.data(), size, in.data(), in.size());
    if (ZSTD_isError(got) != 0 || got != size) return std::nullopt;
    return std::string_view(room_).substr(0, size);
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  std::string room_;
};

std::uint32_t checksum(std::string_view name, std::string_view payload) {
  return crc32c(std::as_bytes(std::span(payload)), crc32c(std::as_bytes(std::span(name))));
}

}  // namespace

FileWriter::FileWriter(const Trace& trace, const std::filesystem::path& path)
    : trace_(&trace), coder_(trace.schema()), path_(path), out_(path, std::ios::binary | std::ios::trunc) {
  if (!out_) {
    error_ = fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno));
    closed_ = true;
    return;
  }
  std::string head(kMagic);
  put(head, kVersion);
  out_ << head;
  chunk("SCHM", trace.schema().to_json());
}

void FileWriter::chunk(const char (&name)[5], const std::string& payload, bool compress) {
  std::string packed = payload;
  if (compress) {
    packed.resize(ZSTD_compressBound(payload.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), payload.data(), payload.size(), 3));
  }
  std::string_view letters(name, 4);
  put(offsets_, static_cast<std::uint64_t>(out_.tellp()));
  std::string head(letters);
  put(head, static_cast<std::uint32_t>(packed.size()));
  put(head, checksum(letters, packed));
  out_ << head << packed;
}

void FileWriter::flush() {
  if (closed_ || !error_.empty()) return;
  RecordStore::Reading reading = trace_->reading();
  if (Position floor = trace_->floor(); floor > records_) {
    error_ = fmt::format("{}: records {} to {} are no longer kept", path_.string(), records_, floor);
    return;
  }
  // The writer may go on meanwhile: what a record refers to was interned before it, a site's string before the site.
  // Read in the opposite order, no chunk refers to what is in none.
  Position end = trace_->size();
  std::size_t sites = trace_->site_count();
  std::size_t strings = trace_->string_count();
  if (strings > strings_) {
    std::string payload;
    for (; strings_ < strings; ++strings_) {
      std::string_view text = trace_->string(static_cast<StringId>(strings_));
      put(payload, static_cast<std::uint32_t>(text.size()));
      payload += text;
    }
    chunk("STRS", payload);
  }
  if (sites > sites_) {
    std::string payload;
    for (; sites_ < sites; ++sites_) put(payload, trace_->site_string(static_cast<std::uint16_t>(sites_)));
    chunk("SITE", payload);
  }
  while (records_ < end) {
    // Damage costs what stands from its chunk on: a chunk is at most a quarter of what stands before it.
    Position to = std::min(end, records_ + std::clamp(records_ / 4, kFewestRecords, RecordCoder::kMostRecords));
    chunk("RECD", coder_.encode(*trace_, records_, to));
    records_ = to;
  }
  out_.flush();
  if (!out_ && error_.empty()) error_ = fmt::format("{}: writing failed: {}", path_.string(), std::strerror(errno));
}

void FileWriter::close() {
  if (closed_) return;
  flush();
  chunk("INDX", std::string(offsets_), false);
  out_.close();
  if (!out_ && error_.empty()) error_ = fmt::format("{}: writing failed: {}", path_.string(), std::strerror(errno));
  closed_ = true;
}

namespace {

struct Chunk {
  std::string_view name;
  std::string_view payload;
};

std::optional<Chunk> next_chunk(std::string_view& in) {
  std::uint32_t length = 0;
  std::uint32_t sum = 0;
  if (in.size() < 12) return std::nullopt;
  Chunk chunk{in.substr(0, 4), {}};
  std::string_view rest = in.substr(4);
  take(rest, length);
  take(rest, sum);
  if (rest.size() < length) return std::nullopt;
  chunk.payload = rest.substr(0, length);
  if (checksum(chunk.name, chunk.payload) != sum) return std::nullopt;
  in = rest.substr(length);
  return chunk;
}

bool read_chunk(const Chunk& chunk, Decompressor& decompressor, RecordCoder& coder, Trace& trace) {
  bool known = chunk.name == "STRS" || chunk.name == "SITE" || chunk.name == "RECS" || chunk.name == "RECD";
  if (!known) return true;
  std::optional<std::string_view> payload = decompressor.unpack(chunk.payload);
  if (!payload) return false;
  if (chunk.name == "STRS") return unpack_strings(*payload, trace);
  if (chunk.name == "SITE") return unpack_sites(*payload, trace);
  if (chunk.name == "RECS") return unpack_records(*payload, trace);
  return coder.decode(*payload, trace);
}

}  // namespace

OpenedFile open_file(const std::filesystem::path& path) {
  auto cannot = [&](int error) { return fmt::format("{}: cannot be read: {}", path.string(), std::strerror(error)); };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return {nullptr, cannot(EISDIR)};  // opens, but reading it throws
  std::ifstream file(path, std::ios::binary);
  if (!file) return {nullptr, cannot(errno)};
  std::string bytes;
  auto size = std::filesystem::file_size(path, ignored);
  if (!ignored) bytes.reserve(static_cast<std::size_t>(size));  // a pipe has none
  for (std::string block(1u << 20, '\0'); file;) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block, 0, static_cast<std::size_t>(file.gcount()));
  }
  std::string_view in = bytes;
  std::uint32_t version = 0;
  if (in.empty())
    return {nullptr, fmt::format("{}: found an empty file, expected a Wakepath recording", path.string())};
  if (in.substr(0, kMagic.size()) != kMagic)
    return {nullptr,
            fmt::format("{}: found a file of another kind, expected a Wakepath recording (.wkp)", path.string())};
  in.remove_prefix(kMagic.size());
  if (!take(in, version)) return {nullptr, fmt::format("{}: the recording is cut within its head", path.string())};
  if (version < kOldestVersion || version > kVersion)
    return {nullptr, fmt::format("{}: found format version {}, expected {} to {}", path.string(), version,
                                 kOldestVersion, kVersion)};

  Decompressor decompressor;
  std::optional<Chunk> first = next_chunk(in);
  std::optional<Schema> schema;
  if (first && first->name == "SCHM")
    if (auto text = decompressor.unpack(first->payload)) schema = Schema::from_json(*text);
  if (!schema)
    return {nullptr, fmt::format("{}: found no whole schema chunk, expected one at the start", path.string())};

  OpenedFile opened{std::make_unique<Trace>(std::move(*schema)), ""};
  RecordCoder coder(opened.trace->schema());
  bool whole = false;
  while (auto chunk = whole ? std::nullopt : next_chunk(in)) {
    whole = chunk->name == "INDX";
    if (!read_chunk(*chunk, decompressor, coder, *opened.trace)) break;
  }
  if (whole && !in.empty())
    opened.message =
        fmt::format("{}: found {} bytes behind the end of the recording, expected none; its {} records are whole",
                    path.string(), in.size(), opened.trace->size());
  else if (!whole)
    opened.message = fmt::format("{}: the recording is cut or damaged: {}", path.string(),
                                 opened.trace->size() == 0
                                     ? "none of its records could be read"
                                     : fmt::format("its first {} records could be read", opened.trace->size()));
  return opened;
}

}  // namespace wakepath::trace
