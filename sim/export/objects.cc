#include "sim/export/objects.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "sim/export/changes.hh"
#include "sim/export/dot.hh"

namespace wakepath::exports {

using trace::FieldId;
using trace::FieldInfo;
using trace::FieldType;
using trace::Kind;
using trace::Object;
using trace::ObjectId;
using trace::Ref;

namespace {

constexpr std::size_t kMostMembers = 6;  // edges drawn from one list

/// Fields that hardly ever tell a reader something: shown only when they change.
bool is_boring(std::string_view name) {
  static const std::set<std::string_view> kNames = {"count",
                                                    "d_lockref.count",
                                                    "f_flags",
                                                    "i_count",
                                                    "i_mode",
                                                    "ops",
                                                    "ovflist_next",
                                                    "pid",
                                                    "sk_prot",
                                                    "sk_error_report",
                                                    "sk_state_change",
                                                    "sk_write_space",
                                                    "skc_family",
                                                    "skc_refcnt",
                                                    "skc_rcv_saddr",
                                                    "skc_daddr",
                                                    "tgid",
                                                    "type",
                                                    "sk_rcvbuf",
                                                    "sk_sndbuf"};
  return kNames.contains(name);
}

class ObjectsDot {
 public:
  ObjectsDot(const trace::Trace& trace, const trace::World& world, const ObjectsOptions& options)
      : trace_(trace), world_(world), options_(options), changes_(trace, options.changed_from, options.changed_to) {}

  std::string draw() {
    find_slots();
    choose();
    for (ObjectId id : shown_) find_targets(*world_.find(id));
    std::string out = graph_head("objects", "LR", options_.title, options_.subtitle + left_out());
    for (int layer = 0; layer < trace::kLayers; ++layer) out += cluster(static_cast<trace::Layer>(layer));
    for (ObjectId id : shown_) edges(*world_.find(id), out);
    return out + "}\n";
  }

 private:
  const Kind& kind_of(const Object& object) const { return trace_.schema().kinds[object.kind]; }

  /// A slot is an object that does no more than stand in one list and point to something, as the entries of a
  /// descriptor table do: it is drawn as a row of the list's owner. Slots with /dev/null in them are not drawn at all.
  void find_slots() {
    std::map<ObjectId, int> uses;
    for (const Object& object : world_.objects())
      if (object.alive)
        for (const Ref& ref : links(object)) ++uses[ref.object];
    for (const Object& object : world_.objects()) {
      if (!object.alive) continue;
      const Kind& kind = kind_of(object);
      bool is_null = kind.name == "file" && trace::value_of(trace_, object, "f_op") == null_operations();
      bool is_hash = kind.name.ends_with("_bucket");  // of ports and of established and listening sockets
      bool in_background = is_hash || is_of_file_system(kind.name);
      if ((is_null && !changes_.is_new(object)) || (in_background && !changes_.touched(object.id)))
        hidden_.insert(object.id);
      if (!kind.fields.empty() && kind.fields[0].name == kind.name && slot_target(object) && uses[object.id] == 1)
        slots_.insert(object.id);
    }
  }

  /// What stands between a file and what it is about: of interest only when it is made.
  static bool is_of_file_system(std::string_view kind) {
    return kind == "dentry" || kind == "inode" || kind == "super_block" || kind == "mount";
  }

  /// Where the first pointer of an object goes.
  std::optional<Ref> slot_target(const Object& slot) const {
    for (FieldId f = 0; f < kind_of(slot).fields.size(); ++f)
      if (kind_of(slot).fields[f].type == FieldType::kPointer) return pointer(slot, f);
    return std::nullopt;
  }

  /// The symbol null_fops (drivers/char/mem.c): what /dev/null is made of. ~0 when the trace does not know it.
  std::uint64_t null_operations() const {
    const auto& symbols = trace_.schema().symbols;
    auto found = std::find(symbols.begin(), symbols.end(), "null_fops");
    return found == symbols.end() ? ~std::uint64_t{0} : static_cast<std::uint64_t>(found - symbols.begin());
  }

  void choose() {
    std::set<ObjectId> alive;
    for (const Object& object : world_.objects())
      if (object.alive && !slots_.contains(object.id) && !hidden_.contains(object.id)) alive.insert(object.id);
    living_ = alive.size();
    if (alive.size() <= options_.most_objects) {
      shown_.assign(alive.begin(), alive.end());
      return;
    }
    // what changed; then what that points to; then the rest, oldest first, as long as there is room
    std::vector<ObjectId> order;
    for (ObjectId id : changes_.objects()) order.push_back(id);
    for (ObjectId id : changes_.objects())
      if (const Object* object = world_.find(id))
        for (const Ref& ref : links(*object)) order.push_back(ref.object);
    order.insert(order.end(), alive.begin(), alive.end());
    std::set<ObjectId> chosen;
    for (ObjectId id : order)
      if (chosen.size() < options_.most_objects && alive.contains(id)) chosen.insert(id);
    shown_.assign(chosen.begin(), chosen.end());
  }

  std::vector<Ref> links(const Object& object) const {
    std::vector<Ref> out;
    const Kind& kind = kind_of(object);
    for (FieldId f = 0; f < kind.fields.size(); ++f) {
      if (kind.fields[f].type == FieldType::kList) out.insert(out.end(), object.list(f).begin(), object.list(f).end());
      if (auto target = pointer(object, f)) out.push_back(*target);
    }
    return out;
  }

  std::optional<Ref> pointer(const Object& object, FieldId field) const {
    std::uint64_t value = object.values[field];
    if (kind_of(object).fields[field].type != FieldType::kPointer || value == 0 || value == trace::kUnactivePointer)
      return std::nullopt;
    return Ref::unpack(value);
  }

  bool is_shown(ObjectId id) const { return std::binary_search(shown_.begin(), shown_.end(), id); }

  std::string left_out() const {
    if (shown_.size() == living_) return "";
    return fmt::format("{}{} of {} objects: those that changed, and what they point to",
                       options_.subtitle.empty() ? "" : "; ", shown_.size(), living_);
  }

  bool worth_showing(const Object& object, FieldId field) const {
    const FieldInfo& info = kind_of(object).fields[field];
    if (changes_.changed(object, field) && !(changes_.is_new(object) && is_boring(info.name))) return true;
    if (is_boring(info.name)) return false;
    if (auto target = pointer(object, field); target && hidden_.contains(target->object)) return false;
    if (info.type == FieldType::kList) return !object.list(field).empty();
    return object.values[field] != 0;
  }

  /// The smaller the sooner it is shown when there is no room for all.
  int rank(const Object& object, FieldId field) const {
    if (changes_.changed(object, field)) return 0;
    switch (kind_of(object).fields[field].type) {
      case FieldType::kList:
      case FieldType::kPointer:
        return 1;
      case FieldType::kEnum:
      case FieldType::kString:
        return 2;
      case FieldType::kFlags:
      case FieldType::kSymbol:
      case FieldType::kIpv4:
        return 3;
      default:
        return 4;
    }
  }

  std::vector<FieldId> fields_of(const Object& object, std::size_t& omitted) const {
    std::vector<FieldId> fields;
    for (FieldId f = 0; f < kind_of(object).fields.size(); ++f)
      if (worth_showing(object, f)) fields.push_back(f);
    std::stable_sort(fields.begin(), fields.end(),
                     [&](FieldId a, FieldId b) { return rank(object, a) < rank(object, b); });
    omitted = fields.size() > options_.most_fields ? fields.size() - options_.most_fields : 0;
    fields.resize(fields.size() - omitted);
    // by structure, and as declared within it
    std::sort(fields.begin(), fields.end(), [&](FieldId a, FieldId b) {
      const auto& infos = kind_of(object).fields;
      return std::pair(infos[a].part, a) < std::pair(infos[b].part, b);
    });
    return fields;
  }

  void find_targets(const Object& object) {
    for (const Ref& ref : links(object)) {
      targets_.insert({ref.object, ref.part});
      if (slots_.contains(ref.object))
        for (const Ref& next : links(world_.objects()[ref.object])) targets_.insert({next.object, next.part});
    }
  }

  /// "tcp_sock#1 .sk": the object, and the last name on the way to the structure inside it. A task by its own name.
  std::string short_name(const Ref& ref) const {
    std::string name = trace::object_name(trace_, world_, ref.object);
    if (ref.object >= world_.objects().size()) return name;
    const Kind& kind = kind_of(world_.objects()[ref.object]);
    if (kind.is_task)
      for (const trace::Task& task : world_.tasks())
        if (task.object == ref.object) return fmt::format("{} ({})", name, trace::task_name(trace_, world_, task.id));
    if (ref.part == 0 || ref.part >= kind.parts.size()) return name;
    const std::string& path = kind.parts[ref.part].path;
    return name + " ." + path.substr(path.rfind('.') + 1);
  }

  std::string value_cell(const Object& object, FieldId field) const {
    const FieldInfo& info = kind_of(object).fields[field];
    if (info.type == FieldType::kList) {
      const auto& list = object.list(field);
      std::string text = list.empty() ? "empty" : fmt::format("[{}]", list.size());
      for (std::size_t i = 0; i < list.size() && i < 3; ++i)
        if (!slots_.contains(list[i].object)) text += " " + trace::object_name(trace_, world_, list[i].object);
      bool more = list.size() > 3 && !slots_.contains(list[0].object);
      return html(more ? text + " …" : text);
    }
    auto target = pointer(object, field);
    std::string text =
        html(target ? short_name(*target) : trace::value_text(trace_, world_, info, object.values[field]));
    if (target && world_.find(target->object) == nullptr) text += " " + small("(freed)");
    if (!changes_.is_new(object) && changes_.changed(object, field))
      text +=
          " " + small("was " + html(trace::value_text(trace_, world_, info, changes_.old_value(object.id, field)), 28));
    return text;
  }

  /// The slots of a list as rows: number, and where it points.
  std::string slot_rows(const Object& object, FieldId field) const {
    std::string out;
    for (const Ref& ref : object.list(field)) {
      if (!slots_.contains(ref.object)) continue;
      const Object& slot = world_.objects()[ref.object];
      auto target = slot_target(slot);
      if (!target || hidden_.contains(target->object)) continue;
      std::string back = changes_.touched(slot.id) ? fmt::format(R"( BGCOLOR="{}")", kChangedColour) : "";
      out += fmt::format(R"(<TR><TD ALIGN="LEFT"{0}>{1}</TD><TD ALIGN="LEFT" PORT="s{2}"{0}>{3}</TD></TR>)", back,
                         html(fmt::format("  {} {}", kind_of(slot).fields[0].name,
                                          trace::value_text(trace_, world_, kind_of(slot).fields[0], slot.values[0]))),
                         slot.id, html(short_name(*target)));
    }
    return out;
  }

  std::string rows(const Object& object) const {
    const Kind& kind = kind_of(object);
    std::size_t omitted = 0;
    std::vector<FieldId> fields = fields_of(object, omitted);
    std::string out;
    for (std::uint16_t part = 0; part < kind.parts.size(); ++part) {
      bool has_rows = std::any_of(fields.begin(), fields.end(), [&](FieldId f) { return kind.fields[f].part == part; });
      if (part != 0 && (has_rows || targets_.contains({object.id, part})))
        out += fmt::format(R"(<TR><TD COLSPAN="2" PORT="p{}" BGCOLOR="#EEF1F5" ALIGN="LEFT">{}</TD></TR>)", part,
                           small(html(kind.parts[part].type + "  ." + kind.parts[part].path)));
      for (FieldId f : fields) {
        if (kind.fields[f].part != part) continue;
        std::string back = changes_.changed(object, f) && !changes_.is_new(object)
                               ? fmt::format(R"( BGCOLOR="{}")", kChangedColour)
                               : "";
        out +=
            fmt::format(R"(<TR><TD ALIGN="LEFT" PORT="n{2}"{0}>{1}</TD><TD ALIGN="LEFT" PORT="f{2}"{0}>{3}</TD></TR>)",
                        back, html(kind.fields[f].name), f, value_cell(object, f));
        out += slot_rows(object, f);
      }
    }
    if (omitted > 0)
      out += fmt::format(R"(<TR><TD COLSPAN="2" ALIGN="LEFT">{}</TD></TR>)",
                         small(fmt::format("{} more fields", omitted)));
    return out;
  }

  std::string node(const Object& object) const {
    const Kind& kind = kind_of(object);
    std::string name = html(trace::object_name(trace_, world_, object.id));
    std::string title = fmt::format("<B>{}</B>", name);
    if (kind.is_task)
      for (const trace::Task& task : world_.tasks())
        if (task.object == object.id)
          title = fmt::format("<B>{}</B>  {}", html(trace::task_name(trace_, world_, task.id)), small(name, kInk));
    if (changes_.is_new(object)) title += "   " + small("<B>NEW</B>", "#9A5B00");
    return fmt::format(
        "    o{} [label=<<TABLE BORDER=\"0\" CELLBORDER=\"1\" CELLSPACING=\"0\" CELLPADDING=\"3\" COLOR=\"{}\" "
        "BGCOLOR=\"white\">"
        "<TR><TD COLSPAN=\"2\" PORT=\"p0\" ALIGN=\"LEFT\" BGCOLOR=\"{}\">{}</TD></TR>{}</TABLE>>];\n",
        object.id, kLine, layer_colour(kind.layer), title, rows(object));
  }

  std::string cluster(trace::Layer layer) const {
    std::string nodes;
    for (ObjectId id : shown_)
      if (kind_of(*world_.find(id)).layer == layer) nodes += node(*world_.find(id));
    if (nodes.empty()) return "";
    return fmt::format(
        "  subgraph cluster_{0} {{\n    label=<<B>{0}</B>>; labeljust=l; fontsize=9; fontcolor=\"{2}\"; color=\"{1}\"; "
        "style=rounded;\n"
        "    penwidth=1.4; margin=10;\n{3}  }}\n",
        trace::layer_name(layer), layer_colour(layer), kDim, nodes);
  }

  bool points_to(const Object& from, ObjectId to) const {
    std::vector<Ref> out = links(from);
    return std::any_of(out.begin(), out.end(), [&](const Ref& ref) { return ref.object == to; });
  }

  /// Forward is from left to right: to a later layer; in the same layer from a list to its members, else to a younger
  /// object. Pointers back leave at the left and do not take part in the ranking. Those along a line that is there
  /// already
  /// (`sk_socket`, `epitem.ep`) are not drawn: the cell names the object.
  bool is_forward(const Object& from, const Object& to, bool from_list) const {
    trace::Layer here = kind_of(from).layer;
    trace::Layer there = kind_of(to).layer;
    if (here != there) return here < there;
    if (from_list || kind_of(from).name == "file") return true;  // what a file is about was there before it
    for (const auto& list : to.lists)
      for (const Ref& ref : list.refs)
        if (ref.object == from.id) return false;
    return from.id < to.id;
  }

  /// Where an edge leaves: the row of a field, or of a slot of a list.
  struct Tail {
    char kind = 'f';  ///< 'f': of the field, 's': of a slot
    std::uint32_t id = 0;
    bool is_list = false;
    bool is_changed = false;
  };

  void edge(const Object& from, const Tail& tail, const Ref& to, std::string_view number, std::string& out) const {
    if (!is_shown(to.object)) return;
    const Object& target = *world_.find(to.object);
    if (kind_of(target).is_task) return;  // named in the cell; a line across the picture helps nobody
    std::size_t part = to.part < kind_of(target).parts.size() ? to.part : 0;
    std::string look = fmt::format("{}{}{}", number, tail.is_list ? ", arrowhead=vee, style=bold" : "",
                                   tail.is_changed ? R"(, color="#C77700", penwidth=1.8)" : "");
    if (tail.kind == 's' || is_forward(from, target, tail.is_list))
      out +=
          fmt::format("  o{}:{}{}:e -> o{}:p{}:w [weight=2{}];\n", from.id, tail.kind, tail.id, to.object, part, look);
    else if (tail.is_changed && !points_to(target, from.id))
      out += fmt::format("  o{}:n{}:w -> o{}:p{}:e [constraint=false{}];\n", from.id, tail.id, to.object, part, look);
  }

  void edges(const Object& object, std::string& out) const {
    std::size_t omitted = 0;
    for (FieldId f : fields_of(object, omitted)) {
      Tail tail{'f', f, false, changes_.changed(object, f)};
      if (auto target = pointer(object, f)) edge(object, tail, *target, "", out);
      tail.is_list = true;
      const auto& list = object.list(f);
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (slots_.contains(list[i].object)) {
          if (auto target = slot_target(world_.objects()[list[i].object]))
            edge(object, {'s', list[i].object, false, false}, *target, "", out);
        } else if (i < kMostMembers) {
          edge(object, tail, list[i], list.size() > 1 ? fmt::format(", label=\"{}\"", i + 1) : "", out);
        }
      }
    }
  }

  const trace::Trace& trace_;
  const trace::World& world_;
  const ObjectsOptions& options_;
  Changes changes_;
  std::vector<ObjectId> shown_;  // sorted
  std::set<ObjectId> slots_;     // drawn as rows of their list's owner
  std::set<ObjectId> hidden_;
  std::size_t living_ = 0;
  std::set<std::pair<ObjectId, std::uint16_t>> targets_;
};

}  // namespace

std::string objects_dot(const trace::Trace& trace, const trace::World& world, const ObjectsOptions& options) {
  return ObjectsDot(trace, world, options).draw();
}

}  // namespace wakepath::exports
