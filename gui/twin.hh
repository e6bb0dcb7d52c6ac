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
  /// Goes to the step in which `left` stands, and as far into it; to its own end where it has no such step.
  void follow(const ViewModel& left);

 private:
  std::shared_ptr<const trace::Session> session_;
  std::string message_;
  ViewModel model_;
  exports::Beside differences_;
};

}  // namespace wakepath::gui
