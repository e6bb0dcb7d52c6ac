#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "sim/trace/session.hh"

namespace wakepath::cli {

/// A recording, or a scenario that was run, as a session: complete, not live.
class FileSession : public trace::Session {
 public:
  /// `status`: what is to be said of it all the time; may be empty.
  FileSession(std::shared_ptr<trace::Trace> trace, const std::filesystem::path& path, std::string status = "")
      : trace_(std::move(trace)), title_(path.filename().string()), status_(std::move(status)) {}
  [[nodiscard]] const trace::Trace& trace() const override { return *trace_; }
  [[nodiscard]] std::string title() const override { return title_; }
  [[nodiscard]] bool live() const override { return false; }
  [[nodiscard]] std::string status() const override { return status_; }

 private:
  std::shared_ptr<trace::Trace> trace_;
  std::string title_;
  std::string status_;
};

}  // namespace wakepath::cli
