#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "sim/trace/codec.hh"
#include "sim/trace/trace.hh"

/// Recordings: `.wkp` files.
///
/// Layout, little endian: the 8 bytes "WAKEPATH", u32 version (2), then chunks. A chunk is a 4-letter name, u32 length
/// of the payload, u32 CRC-32C of name and payload, payload. Payloads are zstd frames of: SCHM (the schema as JSON),
/// STRS (strings in order of their ids, each u32 length and bytes), SITE (u32 string ids), RECD (records as
/// differences, codec.hh; version 1 had RECS, records by column, which is still read). INDX, the last chunk, is not
/// compressed: u64 offset of each chunk; a reader that misses it walks the chunks instead. Unknown names are skipped. A
/// chunk that refers to strings comes after them, so every prefix of whole chunks is a valid recording.

namespace wakepath::trace {

/// Writes a trace as it grows. Errors (full disk, records of a ring that were gone before they were written, …) are
/// kept and told by `error()`; nothing is thrown.
class FileWriter {
 public:
  FileWriter(const Trace& trace, const std::filesystem::path& path);
  /// Writes everything that the trace has gained since the last call.
  void flush();
  /// flush(), then the index. Called by the destructor when not called before.
  void close();
  ~FileWriter() { close(); }
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void chunk(const char (&name)[5], const std::string& payload, bool compress = true);

  const Trace* trace_;
  RecordCoder coder_;
  std::filesystem::path path_;
  std::ofstream out_;
  std::string error_;
  std::string offsets_;
  std::size_t strings_ = 0;
  std::size_t sites_ = 1;
  Position records_ = 0;
  bool closed_ = false;
};

struct OpenedFile {
  std::unique_ptr<Trace> trace;  ///< nullptr when it cannot be opened; then `message` says why.
  std::string message;           ///< Also what was missing at the end of a file that was cut; empty when whole.
};

/// Opens a recording. A file cut anywhere opens up to its last whole chunk.
[[nodiscard]] OpenedFile open_file(const std::filesystem::path& path);

}  // namespace wakepath::trace
