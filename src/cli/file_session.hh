#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "sim/trace/session.hh"

namespace wakepath::cli {

/// A recording, or a scenario that was run, as a session: complete, not live.
class FileSession : public trace::Session {
 public:
  FileSession(std::shared_ptr<trace::Trace> trace, const std::filesystem::path& path)
      : trace_(std::move(trace)), title_(path.filename().string()) {}
  [[nodiscard]] const trace::Trace& trace() const override { return *trace_; }
  [[nodiscard]] std::string title() const override { return title_; }
  [[nodiscard]] bool live() const override { return false; }
  [[nodiscard]] std::string status() const override { return ""; }

 private:
  std::shared_ptr<trace::Trace> trace_;
  std::string title_;
};

}  // namespace wakepath::cli
