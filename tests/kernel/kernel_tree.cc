#include "tests/kernel/kernel_tree.hh"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace wakepath::testing_kernel {

namespace {

constexpr std::size_t kNotFound = ~std::size_t{0};

/// Adds a line "a > b > c"; returns the node of c.
Node* add_chain(std::vector<Node>& siblings, std::string line) {
  bool tail = line.starts_with('~');
  if (tail) line.erase(0, 1);
  std::vector<Node>* at = &siblings;
  Node* last = nullptr;
  bool is_symbol = line.starts_with("= ");  // "= A -> B" has no chain
  while (!line.empty()) {
    std::size_t arrow = is_symbol ? std::string::npos : line.find(" > ");
    at->push_back({line.substr(0, arrow), tail, {}});
    tail = false;
    last = &at->back();
    at = &last->children;
    line = arrow == std::string::npos ? "" : line.substr(arrow + 3);
  }
  return last;
}

std::vector<Node> parse_tree(const std::vector<std::string>& lines, std::size_t& at, std::size_t indent) {
  std::vector<Node> out;
  while (at < lines.size()) {
    std::size_t depth = lines[at].find_first_not_of(' ');
    if (depth < indent) break;
    Node* last = add_chain(out, lines[at++].substr(depth));
    if (at < lines.size() && lines[at].find_first_not_of(' ') > depth) {
      std::vector<Node> below = parse_tree(lines, at, depth + 1);
      std::move(below.begin(), below.end(), std::back_inserter(last->children));
    }
  }
  return out;
}

std::vector<Node> as_modelled(std::vector<Node> nodes, const Absent& absent, const Names& kinds) {
  std::vector<Node> out;
  for (Node& node : nodes) {
    std::vector<Node> below = as_modelled(std::move(node.children), absent, kinds);
    const bool object = node.name.starts_with("+ ") || node.name.starts_with("- ");
    if (auto kind = object ? kinds.find(node.name.substr(2)) : kinds.end(); kind != kinds.end())
      node.name.replace(2, std::string::npos, kind->second);
    if (absent.contains(node.name)) {
      std::move(below.begin(), below.end(), std::back_inserter(out));
    } else {
      node.children = std::move(below);
      out.push_back(std::move(node));
    }
  }
  return out;
}

/// Where the match of `nodes` within [from, to) ends; kNotFound with the path of what is missing.
bool stands_in(const std::vector<Node>& nodes, const FlatTree& model, std::size_t from, std::size_t to,
               std::string& missing) {
  std::size_t inside = from;  // behind the entry of the sibling before
  std::size_t behind = from;  // behind all of it
  for (const Node& node : nodes) {
    std::size_t found = kNotFound;
    std::string deepest = node.name;
    for (std::size_t i = node.tail_called ? inside : behind; i < to && found == kNotFound; ++i) {
      if (model[i].name != node.name) continue;
      std::string below;
      if (stands_in(node.children, model, i + 1, model[i].end, below))
        found = i;
      else if (below.size() + node.name.size() + 3 > deepest.size())  // the candidate that came furthest
        deepest = node.name + " > " + below;
    }
    if (found == kNotFound) {
      missing = deepest;
      return false;
    }
    inside = found + 1;
    behind = std::max(behind, model[found].end);
  }
  return true;
}

}  // namespace

Names read_names(const std::string& path) {
  Names out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    if (auto colon = line.find(": "); !line.starts_with('#') && colon != std::string::npos)
      out[line.substr(0, colon)] = line.substr(colon + 2);
  return out;
}

std::vector<KernelCall> read_kernel_calls(const std::string& path, const Absent& absent, const Names& kinds) {
  std::vector<KernelCall> out;
  std::vector<std::string> lines;
  auto finish = [&] {
    std::size_t at = 0;
    if (!out.empty()) out.back().tree = as_modelled(parse_tree(lines, at, 1), absent, kinds);
    lines.clear();
  };
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      finish();
      out.push_back({line[1], line.substr(4), {}});
    } else {
      lines.push_back(line);
    }
  }
  finish();
  return out;
}

std::vector<FlatTree> model_calls(const trace::Trace& trace, trace::TaskId task) {
  using trace::RecordKind;
  const trace::Schema& schema = trace.schema();
  auto sock = schema.kind_id("tcp_sock").value();
  const trace::Kind& kind = schema.kinds[sock];
  auto state = kind.find_field("skc_state").value();
  auto state_name = [&](std::uint64_t value) {
    for (const auto& named : schema.enums[kind.fields[state].detail].values)
      if (named.value == value) return named.name;
    return std::string("?");
  };
  std::vector<FlatTree> out;
  std::vector<std::size_t> open;
  std::map<trace::ObjectId, trace::KindId> kinds;
  for (trace::Position i = 0; i < trace.size(); ++i) {
    const trace::Record& r = trace[i];
    if (r.kind == RecordKind::kCreate) kinds[r.object] = r.field;
    if (r.task != task) continue;
    if (r.kind == RecordKind::kSyscall) {
      out.emplace_back();
      open.clear();
    }
    if (out.empty()) continue;
    FlatTree& tree = out.back();
    auto leaf = [&](const std::string& name) { tree.push_back({name, tree.size() + 1}); };
    if (r.kind == RecordKind::kCall) {
      open.push_back(tree.size());
      tree.push_back({schema.functions[r.field].name, 0});
    } else if (r.kind == RecordKind::kReturn && !open.empty()) {
      tree[open.back()].end = tree.size();
      open.pop_back();
    } else if (r.kind == RecordKind::kCreate || r.kind == RecordKind::kDestroy) {
      leaf((r.kind == RecordKind::kCreate ? "+ " : "- ") + schema.kinds[r.field].name);
    } else if (r.kind == RecordKind::kSet && kinds[r.object] == sock && r.field == state) {
      leaf("= " + state_name(r.before) + " -> " + state_name(r.after));
    }
  }
  return out;
}

std::string first_missing(const std::vector<Node>& tree, const FlatTree& model) {
  std::string missing;
  stands_in(tree, model, 0, model.size(), missing);
  return missing;
}

}  // namespace wakepath::testing_kernel
