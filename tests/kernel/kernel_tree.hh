#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/trace/trace.hh"

/// Call trees of the running kernel, from data files, and whether a tree of the model contains one.

namespace wakepath::testing_kernel {

struct Node {
  std::string name;
  bool tail_called = false;  ///< May stand below the node before it: the frame of its caller was lost.
  std::vector<Node> children;
};

/// What one thread did in one system call.
struct KernelCall {
  char thread = 'S';  ///< 'S' or 'C'; '2': the server's second thread
  std::string title;
  std::vector<Node> tree;  ///< Empty when nothing of it was seen.
};

/// A model's tree, flattened: nodes in order of entry.
struct Flat {
  std::string name;
  std::size_t end = 0;  ///< One beyond the last node below it.
};
using FlatTree = std::vector<Flat>;

using Names = std::map<std::string, std::string>;  ///< Lines "NAME: TEXT" of a file.
using Absent = Names;                              ///< A function, or "+ kind", "- kind" of an object; and the reason.

[[nodiscard]] Names read_names(const std::string& path);
/// Functions that are absent give way to their callees; objects have the kinds that the model has for them.
[[nodiscard]] std::vector<KernelCall> read_kernel_calls(const std::string& path, const Absent& absent,
                                                        const Names& kinds);
/// The system calls of a task, in order: functions, changes of TCP states, objects made and freed.
[[nodiscard]] std::vector<FlatTree> model_calls(const trace::Trace& trace, trace::TaskId task);

/// Nothing when `tree` stands in `model` in order and nesting; else the path of the first node that does not.
[[nodiscard]] std::string first_missing(const std::vector<Node>& tree, const FlatTree& model);

}  // namespace wakepath::testing_kernel
