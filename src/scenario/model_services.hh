#pragma once

#include "src/os/model_os.hh"
#include "src/probe/notes.hh"
#include "src/scenario/services.hh"

namespace wakepath::scenario {

/// The services of a file inside the modelled kernel of its actors: one more process there, whose threads are host
/// threads that take turns with the maker's. All functions are for the thread that made it.
class ModelServices {
 public:
  /// Starts them, until all their threads sleep. Throws as Services does.
  ModelServices(kernel::Kernel& k, const Scenario& scenario);
  /// Ends them, which the trace does not tell: nothing more is recorded.
  ~ModelServices();
  ModelServices(const ModelServices&) = delete;
  ModelServices& operator=(const ModelServices&) = delete;

  /// Everything runs, actors too, until all sleep or are idle. No time passes.
  void run_until_quiet() { os_.run_until_quiet(); }
  /// Of their process.
  kernel::task_struct* first_task() const { return os_.first_task(); }
  const std::map<std::string, int>& listeners() const { return services_->listeners(); }

 private:
  /// What the server tells of its own steps stands in the trace, as a mirror writes it.
  class Diary final : public probe::Notes {
   public:
    explicit Diary(os::ModelOs& os) : os_(os) {}

   private:
    void note(const std::string& text) override { os_.note(text); }
    os::ModelOs& os_;
  };

  kernel::Kernel& k_;
  os::ModelOs os_;
  Diary diary_{os_};
  std::unique_ptr<Services> services_;
};

}  // namespace wakepath::scenario
