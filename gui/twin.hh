#pragma once

#include <memory>
#include <string>

#include "gui/view_model.hh"
#include "sim/export/beside.hh"

namespace wakepath::gui {

/// A second trace beside the one on the stage: another future of the same scenario, or any other recording. It stands
/// wherever the first one stands, by steps.
class Twin {
 public:
  /// `message`: what is to be said of it; may be empty.
  Twin(std::shared_ptr<const trace::Session> session, const trace::Trace& left, std::string message);

  [[nodiscard]] ViewModel& model() { return model_; }
  [[nodiscard]] const trace::Session& session() const { return *session_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const exports::Beside& differences() const { return differences_; }
  /// What came out of the step that a model stands in, one of the two; looked up again when it has gone on.
  [[nodiscard]] const std::string& outcome_in(const ViewModel& model);
  /// Goes to the step in which `left` stands, and as far into it; to its own end where it has no such step.
  void follow(const ViewModel& left);

 private:
  std::shared_ptr<const trace::Session> session_;
  std::string message_;
  ViewModel model_;
  exports::Beside differences_;
  struct Outcome {
    std::size_t step = 0, records = 0;  ///< as of when it was looked up
    std::string words;
  };
  Outcome here_, there_;
};

}  // namespace wakepath::gui
