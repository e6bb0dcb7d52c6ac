// When the oracles are asked, and what becomes of their answers.

#include <fmt/format.h>

#include <algorithm>

#include "src/mirror/evidence.hh"
#include "src/mirror/mirror.hh"

namespace wakepath::mirror {

using namespace kernel;

/// One descriptor after the other, one reading at a time; the next when at most `oracle_share` of the time will have
/// gone into readings.
bool Mirror::wants_to_sample() const {
  return options_.oracle_share > 0 && first_ != nullptr && !stopped_ && evidence::now_ns() >= next_reading_ns_;
}

void Mirror::sample_oracles() {
  const int64_t begun = evidence::now_ns();
  const auto numbers = static_cast<int>(first_->files->by_number.size());
  for (int tried = 0; tried < numbers; ++tried) {
    next_fd_ = (next_fd_ + 1) % numbers;
    if (consult_oracle(next_fd_)) break;
  }
  const int64_t now = evidence::now_ns();
  next_reading_ns_ = now + static_cast<int64_t>(static_cast<double>(now - begun) / options_.oracle_share);
}

bool Mirror::consult_oracle(int fd) {
  const bool busy =
      std::any_of(actors_.begin(), actors_.end(), [&](const auto& entry) { return entry.second.sleeping_on == fd; });
  const auto finding = oracles_.consult(first_, fd, busy);
  if (!finding) return false;
  switch (finding->kind) {
    case Finding::Kind::kAgrees:
      change_figures([](Figures& f) { ++f.readings; });
      break;
    case Finding::Kind::kUnchecked:
      change_figures([](Figures& f) { ++f.readings_unchecked; });
      break;
    case Finding::Kind::kDiffers: {
      const std::string text = "oracle: " + finding->on_what;
      kernel_.recorder.divergence(text, finding->model, finding->kernel);
      change_figures([&](Figures& f) {
        ++f.divergences;
        if (f.first_divergence.empty())
          f.first_divergence =
              fmt::format("{}: the model has {}, the kernel {}", text, finding->model, finding->kernel);
      });
    }
  }
  return true;
}

void Mirror::consult_all_oracles() {
  if (first_ == nullptr || stopped_) return;
  for (int fd = 0; fd < static_cast<int>(first_->files->by_number.size()); ++fd) consult_oracle(fd);
}

}  // namespace wakepath::mirror
