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

constexpr std::array<std::string_view, 14> kMembers{
    "fd",           "files_struct", "epitem",           "eppoll_entry", "wait_queue_entry",
    "sk_buff",      "dentry",       "tcp_request_sock", "inode",        "epitems_head",
    "request_sock", "fdtable",      "super_block",      "mount"};
constexpr std::array<std::string_view, 6> kSockets{"socket_alloc", "eventfd_ctx",  "pipe_inode_info",
                                                   "timerfd_ctx",  "signalfd_ctx", "shmem_inode_info"};
constexpr std::array<std::string_view, 6> kLinks{"private_data", "f_inode", "sk", "sk_socket", "file", "socket"};
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
    auto& watched = watched_.emplace_back(kind.fields.size());
    if (role == Role::kMember) mark_home(kind, homes);
    for (std::size_t i = 0; i < kind.fields.size(); ++i) {
      std::string_view name = last_component(kind.fields[i].name);
      if (role == Role::kSock)
        watched[i] = name == "skc_state"   ? Watched::kState
                     : name == "skc_num"   ? Watched::kPort
                     : name == "skc_dport" ? Watched::kPeerPort
                                           : Watched::kNo;
      if (kind.fields[i].type != FieldType::kPointer) continue;
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
  node = {.kind = record.field, .creator = record.task, .born = position};
  Role role = roles_[record.field];
  if (role == Role::kShared) has_shared_ = true;
  if (role == Role::kTask || role == Role::kMember || role == Role::kShared || role == Role::kSoftnet) return;
  node.parent = record.object;
  dirty_ = true;
  use(Use::Type::kObject, record.object, position);
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

int Chains::Chain::rank(Position at) const {
  if (dead(at) || closed < at) return 0;
  return epoll || listening < at ? 2 : bound < at ? 1 : 0;
}

void Chains::set_socket(const Record& record, Position position) {
  constexpr std::uint64_t kTcpClose = 7, kTcpListen = 10;  // include/net/tcp_states.h
  if (record.object >= nodes_.size()) return;
  Node& node = nodes_[record.object];
  Watched watched = record.field < watched_[node.kind].size() ? watched_[node.kind][record.field] : Watched::kNo;
  if (watched == Watched::kNo || record.after == 0) return;
  if (watched == Watched::kState) {
    if (record.after != kTcpListen && record.after != kTcpClose && node.listening != kNever)
      node.listening = kNever, dirty_ = true;  // a child of a listener starts as its copy
    if (record.after != kTcpListen || node.listening != kNever) return;
    node.listening = position, dirty_ = true;
    // whoever made it ready, a listener belongs to the one that accepts from it
    std::erase_if(calls_, [&](const auto& entry) { return find(entry.first.first) == find(record.object); });
    return;
  }
  if (node.bound == kNever) node.bound = position, dirty_ = true;
  (watched == Watched::kPort ? node.port : node.peer_port) = record.after;
  if (node.port != 0 && node.peer_port != 0) by_ports_[{node.port, node.peer_port}].push_back(record.object);
}

ObjectId Chains::peer_of(ObjectId sock, Position at) const {
  if (sock >= nodes_.size() || nodes_[sock].peer_port == 0) return 0;
  auto found = by_ports_.find({nodes_[sock].peer_port, nodes_[sock].port});
  if (found == by_ports_.end()) return 0;
  ObjectId last = 0;  // ports come again: the last one that had them
  for (ObjectId id : found->second)
    if (nodes_[id].born < at && id != sock) last = id;
  return last;
}

void Chains::use(Use::Type type, std::uint32_t id, Position at) {
  bool again = !uses_.empty() && uses_.back().type == type && uses_.back().id == id;
  if (!again || type == Use::Type::kStep || type == Use::Type::kSyscall) uses_.push_back({type, id, at});
}

void Chains::called(const Record& record, Position position) {
  if (subjects_.size() <= record.task) subjects_.resize(record.task + std::size_t{1});
  subjects_[record.task].push_back(record.object);
  ObjectId subject = home(record.object);
  if (subject == 0 || subject >= nodes_.size() || nodes_[subject].parent == 0) return;
  use(Use::Type::kObject, subject, position);
  if (record.context != trace::Context::kProcess) return;
  ++calls_[{subject, record.task}];
  dirty_ |= record.task != nodes_[subject].creator;  // may have a new owner
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
        set_socket(r, seen_);
        break;
      case RecordKind::kCall:
        called(r, seen_);
        break;
      case RecordKind::kReturn:
        if (r.task < subjects_.size() && !subjects_[r.task].empty()) subjects_[r.task].pop_back();
        break;
      case RecordKind::kSyscall:
        use(Use::Type::kSyscall, r.task, seen_);
        break;
      case RecordKind::kSpawn:
        use(Use::Type::kSpawn, r.task, seen_);
        tasks_.insert(r.task);
        break;
      case RecordKind::kRun:
        use(Use::Type::kTask, static_cast<trace::TaskId>(r.after), seen_);
        break;
      case RecordKind::kWake:
        use(Use::Type::kTask, static_cast<trace::TaskId>(r.before), seen_);
        break;
      case RecordKind::kStep:
        use(Use::Type::kStep, 0, seen_);
        dirty_ |= !std::exchange(has_steps_, true);
        break;
      default:
        break;
    }
  }
  if (!std::exchange(dirty_, false)) return false;
  auto chains = gather();
  choose_owners(chains);
  if (chains == chains_ && revision_ != 0) return false;  // what others remember of chains_ stays
  chains_ = std::move(chains);
  ++revision_;
  count_needs();
  return true;
}

std::map<ObjectId, Chains::Chain> Chains::gather() const {
  std::map<ObjectId, Chain> chains;
  std::map<ObjectId, int> best_owner;  // how good the guess at the owner is
  std::set<ObjectId> telling;          // chains that are more than a file of no interest, such as /dev/null
  std::set<ObjectId> living, open;
  for (ObjectId id = 1; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.parent == 0) continue;
    ObjectId root = find(id);
    auto [it, fresh] = chains.try_emplace(root, Chain{.root = root, .owner = node.creator, .born = node.born});
    Chain& chain = it->second;
    Role role = roles_[node.kind];
    if (role != Role::kFile) telling.insert(root);
    int guess = role == Role::kFile ? 3 : role == Role::kSocket ? 2 : 1;
    if (guess > best_owner[root]) best_owner[root] = guess, chain.owner = node.creator;
    if (node.died == 0) living.insert(root);
    if (role == Role::kFile) {
      if (node.died == 0) open.insert(root);
      chain.closed = chain.closed == kNever ? node.died : std::max(chain.closed, node.died);
    }
    chain.born = std::min(chain.born, node.born);
    chain.died = std::max(chain.died, node.died);
    chain.listening = std::min(chain.listening, node.listening);
    chain.bound = std::min(chain.bound, node.bound);
    chain.epoll |= role == Role::kEpoll;
  }
  std::erase_if(chains, [&](const auto& entry) { return !telling.contains(entry.first); });
  for (auto& [root, chain] : chains) {
    if (living.contains(root)) chain.died = 0;
    if (open.contains(root)) chain.closed = kNever;
  }
  return chains;
}

void Chains::choose_owners(std::map<ObjectId, Chain>& chains) const {
  std::map<std::pair<ObjectId, trace::TaskId>, std::uint32_t> calls;  // by root
  for (auto& [key, count] : calls_) calls[{find(key.first), key.second}] += count;
  std::map<ObjectId, std::uint32_t> most;
  for (auto& [key, count] : calls) {
    auto chain = chains.find(key.first);
    if (chain == chains.end() || key.second == 0 || count <= most[key.first]) continue;
    most[key.first] = count;
    chain->second.owner = key.second;
  }
}

void Chains::count_needs() {
  struct Change {
    Position at;
    int by;  // ends before begins at the same position
    auto operator<=>(const Change&) const = default;
  };
  auto most = [](std::vector<Change>& changes) {
    std::sort(changes.begin(), changes.end());
    int now = 0, peak = 0;
    for (const Change& c : changes) peak = std::max(peak, now += c.by);
    return static_cast<unsigned>(peak);
  };
  struct Lives {
    std::vector<Change> epolls, plain, important;
  };
  std::map<trace::TaskId, Lives> lives;
  needs_.clear();
  for (auto& [root, chain] : chains_) {
    Lives& of = lives[chain.owner];
    auto add = [](std::vector<Change>& to, Position from, Position until) {
      if (from >= until) return;
      to.push_back({from, 1});
      to.push_back({until, -1});
    };
    Position end = chain.died == 0 ? kNever : chain.died;
    add(chain.epoll ? of.epolls : of.plain, chain.born, end);
    if (!chain.epoll) add(of.important, std::min(chain.bound, chain.listening), std::min(end, chain.closed));
    needs_[chain.owner].listens |= chain.listening != kNever;
  }
  for (auto& [task, of] : lives) {
    Needs& needs = needs_[task];
    needs.epolls = most(of.epolls), needs.plain = most(of.plain), needs.important = most(of.important);
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
