#include "gui/chains.hh"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace wakepath::gui {

using trace::FieldType;
using trace::Kind;
using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;
using trace::Ref;

namespace {

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_part(const Kind& kind, std::string_view type) {
  return std::any_of(kind.parts.begin(), kind.parts.end(), [&](const trace::Part& p) { return p.type == type; });
}

constexpr std::array<std::string_view, 12> kMembers{
    "fd",     "files_struct",     "epitem", "eppoll_entry", "wait_queue_entry", "sk_buff",
    "dentry", "tcp_request_sock", "inode",  "epitems_head", "request_sock",     "fdtable"};
constexpr std::array<std::string_view, 5> kSockets{"socket_alloc", "eventfd_ctx", "pipe_inode_info", "timerfd_ctx",
                                                   "signalfd_ctx"};
constexpr std::array<std::string_view, 5> kLinks{"private_data", "sk", "sk_socket", "file", "socket"};
constexpr std::array<std::string_view, 7> kHomes{"ep", "base", "rsk_listener", "skc_listener", "sk", "private", "file"};

std::string_view last_component(std::string_view name) {
  auto dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

/// Of several pointers the first of kHomes names the home.
void mark_home(const Kind& kind, std::vector<bool>& homes) {
  for (std::string_view wanted : kHomes)
    for (std::size_t i = 0; i < kind.fields.size(); ++i)
      if (kind.fields[i].type == FieldType::kPointer && last_component(kind.fields[i].name) == wanted) {
        homes[i] = true;
        return;
      }
}

}  // namespace

Role role_of(const Kind& kind) {
  if (kind.is_task) return Role::kTask;
  if (kind.name == "file") return Role::kFile;
  if (kind.name == "eventpoll") return Role::kEpoll;
  if (kind.name == "softnet_data") return Role::kSoftnet;
  if (one_of(kind.name, kSockets)) return Role::kSocket;
  if (one_of(kind.name, kMembers)) return Role::kMember;
  if (has_part(kind, "sock") || has_part(kind, "inet_timewait_sock") || kind.name == "tcp_timewait_sock" ||
      kind.name == "tcp_sock" || kind.name == "udp_sock")
    return Role::kSock;
  return Role::kShared;
}

Chains::Chains(const trace::Trace& trace) : trace_(&trace) {
  for (const Kind& kind : trace.schema().kinds) {
    Role role = role_of(kind);
    roles_.push_back(role);
    bool chained = role == Role::kFile || role == Role::kSocket || role == Role::kEpoll || role == Role::kSock;
    auto& links = links_.emplace_back(kind.fields.size());
    auto& homes = homes_.emplace_back(kind.fields.size());
    if (role == Role::kMember) mark_home(kind, homes);
    for (std::size_t i = 0; i < kind.fields.size(); ++i) {
      if (kind.fields[i].type != FieldType::kPointer) continue;
      std::string_view name = last_component(kind.fields[i].name);
      links[i] = chained && one_of(name, kLinks);
    }
  }
}

ObjectId Chains::find(ObjectId id) const {
  while (id < nodes_.size() && nodes_[id].parent != id && nodes_[id].parent != 0) id = nodes_[id].parent;
  return id;
}

void Chains::join(ObjectId a, ObjectId b) {
  a = find(a), b = find(b);
  if (a == b) return;
  if (nodes_[b].born < nodes_[a].born) std::swap(a, b);
  nodes_[b].parent = a;
  dirty_ = true;
}

void Chains::create(const Record& record, Position position) {
  constexpr std::size_t kMostSkipped = std::size_t{1} << 20;  // as the world: a damaged file must not eat the memory
  if (record.field >= roles_.size() || record.object == 0 || record.object > nodes_.size() + kMostSkipped) return;
  if (nodes_.size() <= record.object) nodes_.resize(record.object + std::size_t{1});
  Node& node = nodes_[record.object];
  node = {0, 0, record.field, record.task, position, 0};
  Role role = roles_[record.field];
  if (role == Role::kShared) has_shared_ = true;
  if (role == Role::kTask || role == Role::kMember || role == Role::kShared || role == Role::kSoftnet) return;
  node.parent = record.object;
  dirty_ = true;
  // a TIME_WAIT socket takes over from the socket that the running function closes
  if (trace_->schema().kinds[record.field].name == "tcp_timewait_sock" && record.task < subjects_.size()) {
    const auto& stack = subjects_[record.task];
    auto from = std::find_if(stack.rbegin(), stack.rend(), [&](ObjectId id) {
      return id != 0 && id < nodes_.size() && id != record.object && roles_[nodes_[id].kind] == Role::kSock;
    });
    if (from != stack.rend()) join(*from, record.object);
  }
}

void Chains::set_pointer(const Record& record) {
  if (record.object >= nodes_.size() || record.after == trace::kUnactivePointer) return;
  ObjectId target = Ref::unpack(record.after).object;
  if (target == 0 || target >= nodes_.size()) return;
  Node& node = nodes_[record.object];
  if (record.field < homes_[node.kind].size() && homes_[node.kind][record.field]) node.home = target;
  if (record.field < links_[node.kind].size() && links_[node.kind][record.field] && node.parent != 0 &&
      nodes_[target].parent != 0)
    join(record.object, target);
}

bool Chains::update() {
  for (Position end = trace_->size(); seen_ < end; ++seen_) {
    const Record& r = (*trace_)[seen_];
    switch (r.kind) {
      case RecordKind::kCreate:
        create(r, seen_);
        break;
      case RecordKind::kDestroy:
        if (r.object < nodes_.size()) nodes_[r.object].died = seen_, dirty_ |= nodes_[r.object].parent != 0;
        break;
      case RecordKind::kSet:
        set_pointer(r);
        break;
      case RecordKind::kCall:
        if (subjects_.size() <= r.task) subjects_.resize(r.task + std::size_t{1});
        subjects_[r.task].push_back(r.object);
        break;
      case RecordKind::kReturn:
        if (r.task < subjects_.size() && !subjects_[r.task].empty()) subjects_[r.task].pop_back();
        break;
      default:
        break;
    }
  }
  if (!std::exchange(dirty_, false)) return false;
  assign_slots();
  return true;
}

void Chains::assign_slots() {
  chains_.clear();
  std::map<ObjectId, int> best_owner;  // how good the guess at the owner is
  std::set<ObjectId> telling;          // chains that are more than a file of no interest, such as /dev/null
  std::set<ObjectId> living;
  for (ObjectId id = 1; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.parent == 0) continue;
    ObjectId root = find(id);
    auto [it, fresh] = chains_.try_emplace(root, Chain{root, node.creator, node.born, 0, 0, false});
    Chain& chain = it->second;
    Role role = roles_[node.kind];
    if (role != Role::kFile) telling.insert(root);
    int guess = role == Role::kFile ? 3 : role == Role::kSocket ? 2 : 1;
    if (guess > best_owner[root]) best_owner[root] = guess, chain.owner = node.creator;
    if (node.died == 0) living.insert(root);
    chain.born = std::min(chain.born, node.born);
    chain.died = std::max(chain.died, node.died);
    chain.epoll |= role == Role::kEpoll;
  }
  std::erase_if(chains_, [&](const auto& entry) { return !telling.contains(entry.first); });
  std::vector<Chain*> order;
  for (auto& [root, chain] : chains_) {
    if (living.contains(root)) chain.died = 0;
    order.push_back(&chain);
  }
  std::sort(order.begin(), order.end(), [](const Chain* a, const Chain* b) { return a->born < b->born; });
  slots_.clear();
  struct Tenant {
    Position until;  // 0: for good
    bool epoll;
  };
  std::map<trace::TaskId, std::vector<Tenant>> tenants;
  for (Chain* chain : order) {
    auto& mine = tenants[chain->owner];
    auto free = std::find_if(mine.begin(), mine.end(), [&](const Tenant& t) {
      return t.until != 0 && t.until < chain->born && t.epoll == chain->epoll;
    });
    if (free == mine.end()) free = mine.insert(mine.end(), Tenant{0, chain->epoll});
    free->until = chain->died;
    chain->slot = static_cast<unsigned>(free - mine.begin());
    auto& slots = slots_[chain->owner];
    if (slots.size() <= chain->slot) slots.resize(chain->slot + std::size_t{1});
    slots[chain->slot] = chain->epoll;
  }
}

const Chains::Chain* Chains::chain_of(ObjectId id) const {
  if (id == 0 || id >= nodes_.size() || nodes_[id].parent == 0) return nullptr;
  auto found = chains_.find(find(id));
  return found == chains_.end() ? nullptr : &found->second;
}

ObjectId Chains::home(ObjectId id) const {
  for (int hops = 0; hops < 4 && id < nodes_.size() && nodes_[id].home != 0; ++hops) id = nodes_[id].home;
  return id;
}

}  // namespace wakepath::gui
