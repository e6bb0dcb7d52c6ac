// Epolls that watch epolls: no circle, not too deep, and not so many ways up that one event becomes a storm of
// wake-ups.
#include <algorithm>
#include <array>

#include "sim/kernel/epoll_internal.hh"

namespace wakepath::kernel {

namespace {

using Files = std::vector<const struct file*>;

/// ep_loop_check_proc(): how many epolls are nested below `ep`; more than kEpMaxNests when `outer` is among them.
int depth_below(const eventpoll* ep, const eventpoll* outer, int depth) {
  int result = 0;
  for (const epitem* epi : ep->rbr) {
    if (!is_file_epoll(epi->ffd_file)) continue;
    const eventpoll* inner = eventpoll_of(epi->ffd_file);
    if (inner == outer || depth > kEpMaxNests)
      result = kEpMaxNests + 1;
    else
      result = std::max(result, depth_below(inner, outer, depth + 1) + 1);
    if (result > kEpMaxNests) break;
  }
  return result;
}

/// ep_get_upwards_depth_proc(): how many epolls stand one above the other over `ep`.
int depth_above(const eventpoll* ep, int depth) {
  int result = 0;
  if (depth > kEpMaxNests) return result;  // more than that has never been let in
  for (const epitem* epi : ep->refs.epitems) result = std::max(result, depth_above(epi->ep, depth + 1) + 1);
  return result;
}

/// The files that are no epolls, below `ep` at any depth; each once.
void plain_files_below(const eventpoll* ep, Files* files) {
  for (const epitem* epi : ep->rbr) {
    const struct file* file = epi->ffd_file;
    if (is_file_epoll(file))
      plain_files_below(eventpoll_of(file), files);
    else if (std::find(files->begin(), files->end(), file) == files->end())
      files->push_back(file);
  }
}

/// Ways from a file up to an epoll that nobody watches, counted by their length; any number may be one step long.
class PathCount {
 public:
  /// reverse_path_check_proc(). False: too many.
  bool count(const epitems_head& watchers, std::size_t depth) {
    if (depth > kEpMaxNests) return false;
    for (const epitem* epi : watchers.epitems) {
      const epitems_head& above = epi->ep->refs;
      if (!(above.epitems.empty() ? one_more(depth) : count(above, depth + 1))) return false;
    }
    return true;
  }

 private:
  bool one_more(std::size_t depth) { return depth == 0 || ++counts_[depth] <= kLimits[depth]; }

  static constexpr std::array<int, kEpMaxNests + 1> kLimits = {1000, 500, 100, 50, 10};  // path_limits
  std::array<int, kEpMaxNests + 1> counts_{};
};

}  // namespace

bool ep_may_nest(Kernel& k, eventpoll* outer, eventpoll* inner) {
  Call call(k, Fn::ep_loop_check, inner);
  int below = depth_below(inner, outer, 0);
  bool may = below <= kEpMaxNests && below + 1 + depth_above(outer, 0) <= kEpMaxNests;
  return call.result(may);
}

bool ep_watches(const eventpoll* ep, const eventpoll* other) {
  for (const epitem* epi : ep->rbr) {
    if (!is_file_epoll(epi->ffd_file)) continue;
    const eventpoll* inner = eventpoll_of(epi->ffd_file);
    if (inner == other || ep_watches(inner, other)) return true;
  }
  return false;
}

bool ep_too_many_paths(Kernel& k, eventpoll* inner, struct file* target) {
  Call call(k, Fn::reverse_path_check, target);
  Files files;
  if (inner != nullptr)
    plain_files_below(inner, &files);
  else
    files.push_back(target);
  bool fine = std::all_of(files.begin(), files.end(), [](const struct file* file) {
    return file->f_ep == nullptr || PathCount().count(*file->f_ep, 0);
  });
  return call.result(!fine);
}

}  // namespace wakepath::kernel
