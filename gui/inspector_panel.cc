#include <fmt/format.h>

#include "gui/fields.hh"
#include "gui/panel.hh"
#include "gui/tongue.hh"
#include "sim/export/explain.hh"

namespace wakepath::gui {

namespace {

using trace::FieldId;
using trace::FieldType;
using trace::Object;
using trace::ObjectId;
using trace::Ref;

struct InspectorDrawer {
  Ui& ui;
  const Painter& p;
  const Object& object;
  const trace::Kind& kind;
  float x, w;
  float y;

  void heading(std::string_view words, std::string_view sub, Rgb colour) {
    y += p.px(4);
    float used = p.text(fonts().small_bold, {x, y}, ink(colour), words, w);
    p.text(fonts().small, {x + used + p.px(8), y}, ink(theme().dim), sub, w - used - p.px(8));
    y += p.px(18);
    p.line({x, y - p.px(1)}, {x + w, y - p.px(1)}, ink(theme().line));
    y += p.px(2);
  }

  /// One row; with a target it is a link.
  void row(std::string_view name, std::string_view value, Rgb colour, ObjectId target, bool changed,
           std::string_view was, const std::string& mark) {
    Rect r{x, y, w, p.px(19)};
    if (changed) p.fill({r.x - p.px(4), r.y, r.w + p.px(8), r.h}, ink(theme().now, 0.12f), p.px(3));
    if (target != 0) {
      if (hit(mark.c_str(), r)) ui.model.select(target);
      if (ImGui::IsItemHovered()) p.fill({r.x - p.px(4), r.y, r.w + p.px(8), r.h}, ink(theme().hover, 0.6f), p.px(3));
    }
    float names = w * 0.46f;
    p.text(fonts().mono_small, {x, y + p.px(1)}, ink(theme().dim), name, names - p.px(6));
    float room = w - names;
    float old = was.empty() ? 0 : std::min(Painter::width(fonts().small, was) + p.px(34), room * 0.5f);
    float used = p.text(fonts().mono_small, {x + names, y + p.px(1)}, ink(colour), value, room - old);
    if (!was.empty())
      p.text(fonts().small, {x + names + used + p.px(7), y + p.px(1)}, ink(theme().dim), said("was {}", was),
             room - used - p.px(7));
    y += p.px(20);
  }

  void value_row(FieldId field) {
    const trace::FieldInfo& info = kind.fields[field];
    auto change = ui.model.changes().before.find({object.id, field});
    bool changed = change != ui.model.changes().before.end();
    std::uint64_t value = object.values[field];
    ObjectId target =
        info.type == FieldType::kPointer && value != trace::kUnactivePointer ? Ref::unpack(value).object : 0;
    std::string text = trace::field_text(ui.model.trace(), ui.model.world(), object, field);
    std::string was = changed ? trace::value_text(ui.model.trace(), ui.model.world(), info, change->second) : "";
    Rgb colour = changed ? theme().now : target != 0 ? theme().user : value == 0 ? theme().dim : theme().text;
    row(info.name, text.empty() ? "\"\"" : text, colour, target, changed, was,
        fmt::format("inspector/field/{}", field));
  }

  void list_rows(FieldId field) {
    const auto& members = object.list(field);
    bool changed = ui.model.changes().lists.contains({object.id, field});
    row(kind.fields[field].name, members.empty() ? std::string(tr("empty")) : said("{} on it", members.size()),
        changed           ? theme().now
        : members.empty() ? theme().dim
                          : theme().text,
        0, changed, "", "");
    constexpr std::size_t kMost = 32;
    for (std::size_t i = 0; i < members.size() && i < kMost; ++i) {
      bool fresh = ui.model.changes().inserted.contains({object.id, members[i].packed()});
      row(fmt::format("   [{}]", i), trace::ref_name(ui.model.trace(), ui.model.world(), members[i]),
          fresh ? theme().now : theme().user, members[i].object, fresh, "",
          fmt::format("inspector/member/{}/{}", field, i));
    }
    if (members.size() > kMost) row("", said("and {} more", members.size() - kMost), theme().dim, 0, false, "", "");
  }

  void fields() {
    for (std::uint16_t part = 0; part < std::max<std::size_t>(1, kind.parts.size()); ++part) {
      bool any = false;
      for (FieldId f = 0; f < kind.fields.size() && f < object.values.size(); ++f) {
        if (kind.fields[f].part != part) continue;
        if (!any && part < kind.parts.size())
          heading("struct " + kind.parts[part].type,
                  kind.parts[part].path.empty() ? kind.source : "." + kind.parts[part].path, theme().of(kind.layer));
        any = true;
        if (kind.fields[f].type == FieldType::kList)
          list_rows(f);
        else
          value_row(f);
      }
    }
  }

  void pointed_from() {
    heading(tr("POINTED TO BY"), "", theme().dim);
    int shown = 0;
    const auto& kinds = ui.model.trace().schema().kinds;
    for (const Object& other : ui.model.world().objects()) {
      if (!other.alive || other.id == object.id || shown >= 24) continue;
      const trace::Kind& its = kinds[other.kind];
      for (FieldId f = 0; f < its.fields.size() && f < other.values.size() && shown < 24; ++f) {
        bool points = its.fields[f].type == FieldType::kPointer && other.values[f] != trace::kUnactivePointer &&
                      Ref::unpack(other.values[f]).object == object.id;
        if (its.fields[f].type == FieldType::kList)
          for (const Ref& member : other.list(f)) points |= member.object == object.id;
        if (!points) continue;
        ++shown;
        row(its.fields[f].name, trace::object_name(ui.model.trace(), ui.model.world(), other.id), theme().user,
            other.id, false, "", fmt::format("inspector/from/{}/{}", other.id, f));
      }
    }
    if (shown == 0) row(tr("nobody"), "", theme().dim, 0, false, "", "");
  }
};

void nothing_selected(const Painter& p, Rect area) {
  float x = area.x + p.px(12), w = area.w - p.px(24), y = area.y + p.px(44);
  y += p.wrapped(fonts().text, {x, y}, ink(theme().text),
                 tr("Click a card, a packet in a queue, or a wait entry to see its fields."), w, 3) +
       p.px(6);
  p.wrapped(
      fonts().small, {x, y}, ink(theme().dim),
      tr("Fields are grouped by the embedded structures that they live in. What the last move changed is marked, with "
         "the value it had before."),
      w, 5);
}

}  // namespace

void draw_inspector(Ui& ui, Rect area) {
  Panel panel("##inspector", area, theme().panel);
  Painter head(ImGui::GetWindowDrawList(), ui.scale);
  float pad = head.px(12), w = area.w - 2 * pad;
  ObjectId id = ui.model.focus();
  const auto& objects = ui.model.world().objects();
  if (id == 0 || id >= objects.size() || objects[id].kind >= ui.model.trace().schema().kinds.size() ||
      objects[id].id == 0) {
    panel_head(head, {area.x + pad, area.y + head.px(10)}, tr("Inspector"), tr("nothing selected"), theme().epoll, w);
    nothing_selected(head, area);
    return;
  }
  const Object& object = objects[id];
  const trace::Kind& kind = ui.model.trace().schema().kinds[object.kind];
  panel_head(head, {area.x + pad, area.y + head.px(10)}, trace::object_name(ui.model.trace(), ui.model.world(), id),
             !object.alive              ? tr("freed")
             : ui.model.selected() == 0 ? tr("changed last")
                                        : std::string_view(),
             theme().of(kind.layer), w - head.px(70));
  head.pill({area.right() - pad, area.y + head.px(12)}, tr(trace::layer_name(kind.layer)), theme().of(kind.layer), true,
            head.px(90));
  float y = area.y + head.px(36);
  if (const std::string what = exports::explain_kind(language(), kind); !what.empty())
    y += head.wrapped(fonts().small, {area.x + pad, y}, ink(theme().dim), what, w, 3) + head.px(2);
  ImGui::SetCursorScreenPos({area.x, y});
  ImGui::BeginChild("##fields", {area.w, area.bottom() - y - head.px(4)});
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  float start = y - ImGui::GetScrollY();
  InspectorDrawer drawer{ui, p, object, kind, area.x + pad, w - head.px(6), start};
  drawer.fields();
  drawer.pointed_from();
  ImGui::SetCursorScreenPos({area.x, start});
  ImGui::Dummy({1, drawer.y - start + p.px(8)});
  ImGui::EndChild();
}

}  // namespace wakepath::gui
