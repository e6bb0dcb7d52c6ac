// What each kind of object shows on its card. A kind that is not named here shows its fields in order, non-zero first.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gui/fields.hh"
#include "gui/stage.hh"
#include "gui/tokens.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

using trace::FieldId;
using trace::FieldType;
using trace::Object;
using trace::ObjectId;
using trace::Ref;

namespace {

/// One card in the making.
struct Maker {
  const ViewModel& model;
  const Moment& moment;
  const Object& object;
  Reader read;
  Card card;
  std::vector<bool> used;  // fields already on the card

  Maker(const ViewModel& m, const Moment& mo, const Object& o)
      : model(m), moment(mo), object(o), read(m.trace(), m.world(), o), used(read.kind().fields.size()) {}

  void field(std::string_view name, bool hide_zero = false, std::string_view label = {}) {
    auto id = field_named(read.kind(), name);
    if (!id || *id >= object.values.size() || used[*id]) return;
    const trace::FieldInfo& info = read.kind().fields[*id];
    auto old = model.changes().before.find({object.id, *id});
    bool changed = old != model.changes().before.end();
    if (hide_zero && object.values[*id] == 0 && !changed) return;
    used[*id] = true;
    Item item{.key = std::string(label.empty() ? std::string_view(info.name) : label)};
    item.value = trace::field_text(model.trace(), model.world(), object, *id);
    if (item.value == "NULL" || item.value == "0") item.tone = Tone::kDim;
    if (info.type == FieldType::kPointer) {
      if ((item.link = read.target(name)) != 0)
        item.tone = Tone::kLink, item.value = trace::object_name(model.trace(), model.world(), item.link);
    }
    if (changed) {
      item.changed = true;
      item.was = trace::value_text(model.trace(), model.world(), info, old->second);
    }
    card.items.push_back(std::move(item));
  }

  /// Adds a list; false when the kind has none of that name.
  bool queue(std::string_view name, Item::Type type, std::string_view label = {}, bool hide_empty = false,
             int section = -1) {
    auto id = field_named(read.kind(), name);
    if (!id || read.kind().fields[*id].type != FieldType::kList) return false;
    used[*id] = true;
    bool changed = model.changes().lists.contains({object.id, *id});
    if (hide_empty && object.list(*id).empty() && !changed) return true;
    Item item{.type = type, .key = std::string(label.empty() ? std::string_view(read.kind().fields[*id].name) : label)};
    item.changed = changed;
    item.section = section;
    for (const Ref& member : object.list(*id)) {
      Token token = make_token(model, moment, member);
      token.fresh = model.changes().inserted.contains({object.id, member.packed()});
      item.tokens.push_back(std::move(token));
    }
    if (item.tokens.empty()) item.value = "empty";
    card.items.push_back(std::move(item));
    return true;
  }

  void text(std::string words, Tone tone = Tone::kPlain, std::string key = {}) {
    card.items.push_back({.type = Item::Type::kText, .key = std::move(key), .value = std::move(words), .tone = tone});
  }

  void rest() {
    for (int pass = 0; pass < 2; ++pass)  // what changed or is set first
      for (FieldId i = 0; i < used.size(); ++i) {
        if (used[i]) continue;
        const trace::FieldInfo& info = read.kind().fields[i];
        if (info.type == FieldType::kList) {
          queue(field_path(read.kind(), i), Item::Type::kSquares, {}, pass == 0);
          continue;
        }
        if (pass == 0) field(field_path(read.kind(), i), true);
      }
  }

  void changed_rest() {
    for (FieldId i = 0; i < used.size(); ++i)
      if (!used[i] && model.changes().before.contains({object.id, i})) field(field_path(read.kind(), i));
  }
};

void task_card(Maker& m) {
  auto found = m.moment.task_of.find(m.object.id);
  const trace::Task* task = found == m.moment.task_of.end() ? nullptr : m.model.world().task(found->second);
  std::string state = m.read.text("__state");
  bool running = task != nullptr && m.model.world().running() == task->id;
  bool gone = state == "TASK_DEAD";
  bool asleep = !running && !gone && !state.empty() && state != "TASK_RUNNING";
  m.card.title = m.read.text("comm").empty() ? trace::object_name(m.model.trace(), m.model.world(), m.object.id)
                                             : m.read.text("comm");
  m.card.pill = running ? "RUNNING" : gone ? "EXITED" : asleep ? "SLEEPING" : "READY";
  m.card.pill_tone = running ? Tone::kGood : asleep || gone ? Tone::kDim : Tone::kWait;
  const auto& functions = m.model.trace().schema().functions;
  if (task != nullptr && task->syscall != 0) {
    m.text(std::string(m.model.trace().string(m.model.trace()[task->syscall - 1].object)), Tone::kLink);
  } else {
    m.text("in user mode", Tone::kDim);
  }
  if (task != nullptr && !task->stack.empty() && task->stack.back().function < functions.size()) {
    std::string where = functions[task->stack.back().function].name;
    m.text(where, asleep ? Tone::kWait : Tone::kPlain, asleep ? "asleep in" : "in");
  }
  m.text(fmt::format("{}  tgid {}", m.read.text("pid"), m.read.text("tgid")), Tone::kPlain, "pid");
  auto id = field_named(m.read.kind(), "__state");
  if (id && m.model.changes().before.contains({m.object.id, *id})) m.field("__state");
}

void file_card(Maker& m) {
  auto fds = m.moment.descriptors.find(m.object.id);
  if (fds != m.moment.descriptors.end()) {
    m.card.pill = fds->second.size() == 1 ? "fd " : "fds ";
    for (std::size_t i = 0; i < fds->second.size(); ++i)
      m.card.pill += fmt::format("{}{}", i != 0 ? "," : "", fds->second[i]);
  } else {
    m.card.pill = "no fd";
    m.card.pill_tone = Tone::kDim;
  }
  m.field("f_op");
  m.field("f_flags");
  m.field("f_ref");
  m.field("f_pos", true);
  m.changed_rest();
}

void socket_card(Maker& m) {
  m.card.pill = m.read.text("socket.state").empty() ? m.read.text("state") : m.read.text("socket.state");
  if (m.card.pill.starts_with("SS_")) m.card.pill = m.card.pill.substr(3);
  m.card.pill_tone = m.card.pill == "CONNECTED" ? Tone::kGood : Tone::kPlain;
  for (const char* name : {"socket.state", "state"})
    if (auto id = field_named(m.read.kind(), name)) m.used[*id] = true;
  m.queue("rd_wait.head", Item::Type::kChips, "rd_wait");
  m.queue("wr_wait.head", Item::Type::kChips, "wr_wait");
  if (!m.queue("wait.head", Item::Type::kChips, "wq.wait")) m.queue("head", Item::Type::kChips, "wq.wait");
  m.field("ops");
  m.changed_rest();
  m.field("i_ino", true);
  m.field("socket.flags", true);
  m.rest();
}

std::string endpoint(Reader& read, const char* address, const char* port, bool swap) {
  std::uint64_t number = read.value(port);
  if (swap) number = ((number & 0xFF) << 8) | (number >> 8);
  return number == 0 && read.value(address) == 0 ? "*" : fmt::format("{}:{}", read.text(address), number);
}

void sock_card(Maker& m) {
  std::string state = m.read.text("skc_state");
  m.card.pill = state.starts_with("TCP_") ? state.substr(4) : state;
  bool listening = m.card.pill == "LISTEN";
  m.card.pill_tone = m.card.pill == "ESTABLISHED" ? Tone::kGood
                     : listening                  ? Tone::kLink
                     : m.card.pill == "CLOSE"     ? Tone::kDim
                                                  : Tone::kWait;
  for (const char* name : {"skc_rcv_saddr", "skc_num", "skc_daddr", "skc_dport", "skc_state"})
    if (auto id = field_named(m.read.kind(), name); id && !m.model.changes().before.contains({m.object.id, *id}))
      m.used[*id] = true;
  std::string local = endpoint(m.read, "skc_rcv_saddr", "skc_num", false);
  std::string remote = endpoint(m.read, "skc_daddr", "skc_dport", false);
  if (local != "*" || remote != "*") {
    // on loopback both addresses are the same: the ports say it all
    if (m.read.text("skc_rcv_saddr") == m.read.text("skc_daddr")) remote = remote.substr(remote.find(':'));
    m.text(listening ? local : local + " → " + remote, Tone::kPlain);
  }
  if (listening) {
    m.queue("rskq_accept_head", Item::Type::kSquares, "accept queue");
    auto half = m.moment.half_open.find(m.object.id);
    if (half != m.moment.half_open.end()) {
      Item open{.type = Item::Type::kSquares, .key = "SYN_RECV"};
      for (ObjectId id : half->second) open.tokens.push_back(make_token(m.model, m.moment, {id, 0}));
      m.card.items.push_back(std::move(open));
    }
    m.field("sk_ack_backlog");
    m.field("sk_max_ack_backlog");
  }
  for (const char* name : {"sk_receive_queue.qlen", "sk_write_queue.qlen"})  // the queue shows its length
    if (auto id = field_named(m.read.kind(), name)) m.used[*id] = true;
  m.queue("sk_receive_queue.list", Item::Type::kSquares, "sk_receive_queue", listening) ||
      m.queue("sk_receive_queue", Item::Type::kSquares, {}, listening);
  m.queue("reader_queue", Item::Type::kSquares, {}, true);
  m.queue("sk_write_queue.list", Item::Type::kSquares, "sk_write_queue", true) ||
      m.queue("sk_write_queue", Item::Type::kSquares, {}, true);
  m.queue("tcp_rtx_queue", Item::Type::kSquares, {}, true);
  m.queue("sk_backlog", Item::Type::kSquares, {}, true) ||
      m.queue("sk_backlog.head", Item::Type::kSquares, "sk_backlog", true);
  m.queue("out_of_order_queue", Item::Type::kSquares, {}, true);
  m.changed_rest();
  if (!listening)
    for (const char* name :
         {"sk_rmem_alloc", "sk_wmem_queued", "rcv_nxt", "copied_seq", "snd_una", "snd_nxt", "write_seq"})
      m.field(name, true);
  m.rest();
}

void epoll_card(Maker& m) {
  std::size_t waiters = m.read.list("wq.head").size();
  m.card.pill = waiters == 0 ? "no waiter" : said("{} waiting", waiters);
  m.card.pill_tone = waiters == 0 ? Tone::kDim : Tone::kWait;
  m.queue("rbr", Item::Type::kChips, "rbr", false, 0);
  m.queue("rdllist", Item::Type::kChips, "rdllist", false, 1);
  m.queue("wq.head", Item::Type::kChips, "wq");
  m.queue("poll_wait.head", Item::Type::kSquares, "poll_wait", true);
  m.field("ovflist");
  m.queue("txlist", Item::Type::kSquares, {}, true);
  m.changed_rest();
  m.rest();
}

void softnet_card(Maker& m) {
  std::size_t waiting = m.read.list("input_pkt_queue").size() + m.read.list("process_queue").size();
  bool pending = m.read.value("NET_RX pending") != 0;
  m.card.pill = waiting != 0 ? said("{} queued", waiting) : pending ? "PENDING" : "EMPTY";
  m.card.pill_tone = waiting == 0 && !pending ? Tone::kDim : Tone::kWait;
  for (const char* name : {"input_pkt_queue.qlen", "cpu"})
    if (auto id = field_named(m.read.kind(), name)) m.used[*id] = true;
  // the number first: of several CPUs' cards a narrow one shows little of its title
  if (m.read.has("cpu")) m.card.title = fmt::format("CPU {} softnet_data", m.read.value("cpu"));
  m.queue("input_pkt_queue", Item::Type::kSquares);
  m.queue("process_queue", Item::Type::kSquares, {}, true);
  m.rest();
}

}  // namespace

Card make_card(const ViewModel& model, const Moment& moment, ObjectId id) {
  const Object& object = model.world().objects()[id];
  Maker m(model, moment, object);
  m.card.id = id;
  m.card.layer = m.read.kind().layer;
  m.card.title = trace::object_name(model.trace(), model.world(), id);
  m.card.dead = !object.alive;
  m.card.created = model.changes().created.contains(id);
  m.card.selected = model.selected() == id;
  switch (model.chains().role(object.kind)) {
    case Role::kTask:
      task_card(m);
      break;
    case Role::kFile:
      file_card(m);
      break;
    case Role::kSocket:
      socket_card(m);
      break;
    case Role::kSock:
      sock_card(m);
      break;
    case Role::kEpoll:
      epoll_card(m);
      break;
    case Role::kSoftnet:
      softnet_card(m);
      break;
    case Role::kMember:
    case Role::kShared:
      m.rest();
      break;
  }
  if (m.card.dead) m.card.pill = "freed", m.card.pill_tone = Tone::kDim;
  return std::move(m.card);
}

Card make_virtual_card(const ViewModel& model, const Moment& moment, ObjectId id) {
  Card card{.id = id, .layer = trace::Layer::kSoftirq};
  const auto& functions = model.trace().schema().functions;
  if (id == kLoopbackCard) {
    card.title = "lo";
    card.pill = "UP";
    card.pill_tone = Tone::kGood;
    Item flight{.type = Item::Type::kSquares, .key = "in flight", .value = "nothing"};
    for (ObjectId skb : moment.in_flight) flight.tokens.push_back(make_token(model, moment, {skb, 0}));
    card.items.push_back(std::move(flight));
    card.items.push_back({.type = Item::Type::kText, .key = "xmit", .value = "loopback_xmit"});
    return card;
  }
  card.title = "NET_RX softirq";
  card.pill = "idle";
  card.pill_tone = Tone::kDim;
  std::string chain;
  for (const trace::Task& task : model.world().tasks())
    for (const trace::Frame& frame : task.stack) {
      if (frame.context == trace::Context::kProcess || frame.function >= functions.size()) continue;
      if (card.items.empty()) {
        card.pill = "RUNNING";
        card.pill_tone = Tone::kNow;
        card.items.push_back(
            {.type = Item::Type::kText,
             .value = task.id == 0 ? std::string(tr("on the idle task's stack"))
                                   : said("on {}'s stack", trace::task_name(model.trace(), model.world(), task.id)),
             .tone = Tone::kWait});
      }
      chain = functions[frame.function].name;
    }
  if (card.items.empty())
    card.items.push_back(
        {.type = Item::Type::kText, .value = "runs when the bottom half is enabled", .tone = Tone::kDim});
  if (!chain.empty()) card.items.push_back({.type = Item::Type::kText, .key = "in", .value = chain});
  return card;
}

}  // namespace wakepath::gui
