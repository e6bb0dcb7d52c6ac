#include "sim/export/architecture.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "sim/export/dot.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/hand_over.hh"

namespace wakepath::exports {

using trace::Position;
using trace::Record;
using trace::RecordKind;
using trace::TaskId;

namespace {

/// What stands in `text` between two words; empty when they do not.
std::string_view between(std::string_view text, std::string_view before, std::string_view behind) {
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + before.size());
  return text.substr(0, text.find(behind));
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Service {
  std::string name;
  std::set<std::string> callbacks;
  long waiting = 0;
};

struct Slot {
  std::string socket, fd, state;
};

/// One kind of hand-over: what went from here to there, and by which threads.
struct Way {
  std::set<std::string> what;
  std::set<std::string> threads;
};

/// The structure as its probe's words tell it.
class Plan {
 public:
  explicit Plan(const trace::Trace& trace) : trace_(trace), cursor_(trace) {}

  void read(Position to) {
    cursor_.seek(to);  // a thread has its name when it has begun
    for (Position at = 0; at < to; ++at) {
      const Record& record = trace_[at];
      if (record.kind == RecordKind::kNote && record.field == static_cast<std::uint16_t>(trace::NoteKind::kLog))
        hear(trace_.string(record.object), record.task);
    }
    for (const trace::Task& task : cursor_.world().tasks())
      if (task.object != 0) (programs_.contains(program(task.id)) ? own : others).insert(thread(task.id));
  }
  [[nodiscard]] bool empty() const { return services.empty() && slots.empty(); }
  [[nodiscard]] std::string thread(TaskId task) const { return trace::task_name(trace_, cursor_.world(), task); }

  std::map<std::uint64_t, Service> services;
  std::map<std::uint64_t, Slot> slots;
  std::map<std::pair<std::string, std::string>, Way> ways;  // between nodes
  std::set<std::string> own;                                // threads of the program
  std::set<std::string> others;                             // those of other programs

 private:
  [[nodiscard]] std::uint64_t program(TaskId id) const {
    const trace::Task* task = cursor_.world().task(id);
    const trace::Object* object = task == nullptr ? nullptr : cursor_.world().find(task->object);
    return object == nullptr ? 0 : trace::value_of(trace_, *object, "tgid");
  }
  void hear(std::string_view note, TaskId task) {
    const std::string by = thread(task);
    programs_.insert(program(task));
    if (note.starts_with(trace::kService)) {
      services[number(note.substr(trace::kService.size()))].name = between(note, trace::kNamed, trace::kBegins);
    } else if (note.starts_with(trace::kSlot)) {
      const std::string_view state = note.substr(note.find(trace::kBecomes) + trace::kBecomes.size());
      slots[number(note.substr(trace::kSlot.size()))] = {std::string(between(note, trace::kOfSocket, " ")),
                                                         std::string(between(note, trace::kAtDescriptor, ")")),
                                                         std::string(state)};
    } else if (note.starts_with(trace::kCallback)) {
      callback(note, by);
    } else if (note.find(trace::kIntoPipe) != std::string_view::npos) {
      const auto service = in_callback_.find(by);
      way(service != in_callback_.end() ? node_of(service->second) : "outside", "server:sendctrl_fd", third_word(note),
          by);
    } else if (note.find(trace::kPushed) != std::string_view::npos) {
      const std::uint64_t service = number(between(note, trace::kPushed, ","));
      ++services[service].waiting;
      way("server:slots", node_of(service) + ":queue", third_word(note), by);
    } else if (note.find(trace::kTaken) != std::string_view::npos) {
      const std::uint64_t service = number(note.substr(note.find(trace::kTaken) + trace::kTaken.size()));
      --services[service].waiting;
    } else if (note.find(trace::kSentByCaller) != std::string_view::npos) {
      if (const auto service = in_callback_.find(by); service != in_callback_.end())
        way(node_of(service->second), "sockets", "send", by);
    }
  }
  void callback(std::string_view note, const std::string& by) {
    const std::uint64_t service = number(between(note, trace::kOfService, ","));
    if (trace::tells_of_callback(note, trace::kBegins)) {
      services[service].callbacks.insert(std::string(between(note, trace::kCallback, " ")) + ", by " + by);
      in_callback_[by] = service;
    } else {
      in_callback_.erase(by);
    }
  }
  /// "command 1 listen for …": its name. "message 3 data of …": its kind.
  static std::string third_word(std::string_view note) {
    for (int i = 0; i < 2; ++i) note.remove_prefix(std::min(note.size(), note.find(' ') + 1));
    return std::string(note.substr(0, note.find(' ')));
  }
  static std::string node_of(std::uint64_t service) { return fmt::format("service{}", service); }
  void way(const std::string& from, const std::string& to, const std::string& what, const std::string& by) {
    Way& found = ways[{from, to}];
    found.what.insert(what);
    found.threads.insert(by);
  }

  const trace::Trace& trace_;
  trace::Cursor cursor_;
  std::set<std::uint64_t> programs_;                  // process ids of those that tell
  std::map<std::string, std::uint64_t> in_callback_;  // by thread
};

std::string joined(const std::set<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

std::string title_row(std::string_view name, trace::Layer layer) {
  return fmt::format(R"(<TR><TD COLSPAN="4" BGCOLOR="{}"><B>{}</B></TD></TR>)", layer_colour(layer), html(name));
}
std::string row(std::string_view port, std::string_view name, std::string_view value) {
  return fmt::format(R"(<TR><TD PORT="{}" ALIGN="LEFT">{}</TD><TD ALIGN="LEFT" COLSPAN="3">{}</TD></TR>)", port,
                     html(name), html(value, 80));
}
std::string table(std::string_view node, const std::string& rows) {
  return fmt::format(
      "    {} [label=<<TABLE BORDER=\"0\" CELLBORDER=\"1\" CELLSPACING=\"0\" CELLPADDING=\"4\" "
      "COLOR=\"{}\">{}</TABLE>>];\n",
      node, kLine, rows);
}
std::string cluster(std::string_view name, std::string_view label, trace::Layer layer, const std::string& inside) {
  return fmt::format(
      "  subgraph cluster_{} {{\n    label=<<B>{}</B>>; color=\"{}\"; style=rounded; penwidth=1.4;\n{}  }}\n", name,
      html(label), layer_colour(layer), inside);
}

std::string services_of(const Plan& plan) {
  std::string out;
  for (const auto& [handle, service] : plan.services) {
    std::string rows = title_row(fmt::format("{}  (handle {})", service.name, handle), trace::Layer::kUser) +
                       row("queue", "message queue", fmt::format("{} waiting", service.waiting));
    for (const std::string& callback : service.callbacks) rows += row("", "callback", callback);
    out += table(fmt::format("service{}", handle), rows);
  }
  return out;
}

std::string server_of(const Plan& plan) {
  std::string rows = title_row("SOCKET_SERVER", trace::Layer::kSyscall) +
                     row("sendctrl_fd", "sendctrl_fd", "write end of the control pipe: any thread") +
                     row("recvctrl_fd", "recvctrl_fd", "read end: watched by the same epoll as the sockets") +
                     row("poller", "poller", "epoll: waited in by the socket thread alone");
  rows += row("slots", "slots", fmt::format("{}", plan.slots.size()));
  for (const auto& [index, slot] : plan.slots)
    rows +=
        row("", fmt::format("slot {}", index),
            slot.state == "invalid" ? "invalid"
                                    : fmt::format("socket {}, descriptor {}, {}", slot.socket, slot.fd, slot.state));
  return table("server", rows);
}

std::string ways_of(const Plan& plan) {
  std::string out;
  for (const auto& [ends, way] : plan.ways)
    out += fmt::format("  {} -> {} [label=< {}<BR/><I>{}</I>>, color=\"{}\", fontcolor=\"{}\"];\n", ends.first,
                       ends.second, html(joined(way.what), 60), html("by " + joined(way.threads), 60), kDim, kInk);
  return out;
}

std::string box(std::string_view node, std::string_view words) {
  return fmt::format("    {} [shape=box, style=\"rounded,filled\", fillcolor=white, color=\"{}\", label=<{}>];\n", node,
                     kDim, html(words, 80));
}

std::string kernel_of() {
  return box("pipe", "control pipe") + box("epoll", "eventpoll: ready list, wait queue") +
         box("sockets", "sockets: listeners and connections");
}

std::string clients_of(const Plan& plan, std::string& edges) {
  std::string out;
  int serial = 0;
  for (const std::string& name : plan.others) {
    const std::string node = fmt::format("client{}", ++serial);
    out += box(node, name);
    edges += fmt::format("  {} -> sockets [dir=both, color=\"{}\"];\n", node, kDim);
  }
  return out;
}

}  // namespace

std::string architecture_dot(const trace::Trace& trace, Position to, const ArchitectureOptions& options) {
  Plan plan(trace);
  plan.read(std::min(to, trace.size()));
  if (plan.empty()) return "";
  std::string edges = ways_of(plan);
  edges +=
      "  server:sendctrl_fd -> pipe [label=< write(2)>];\n  pipe -> server:recvctrl_fd [label=< read(2)>];\n"
      "  pipe -> epoll [style=dashed, label=< wakes>];\n  sockets -> epoll [style=dashed, label=< wakes>];\n"
      "  epoll -> server:poller [label=< epoll_wait(2)>];\n";
  const std::string clients = clients_of(plan, edges);
  std::string out = graph_head("architecture", "TB", options.title, options.subtitle);
  out += cluster("services", "services: one thread at a time in each", trace::Layer::kUser,
                 services_of(plan) + box("threads", "threads: " + joined(plan.own)));
  if (plan.ways.contains({"outside", "server:sendctrl_fd"})) out += box("outside", "whoever starts the program");
  out += cluster("driver", "socket-server: one thread", trace::Layer::kSyscall, server_of(plan));
  out += cluster("kernel", "kernel", trace::Layer::kEpoll, kernel_of());
  if (!clients.empty()) out += cluster("clients", "other programs", trace::Layer::kTcp, clients);
  return out + edges + "}\n";
}

}  // namespace wakepath::exports
