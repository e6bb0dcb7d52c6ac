// Why a call read what it did: the buffers that it took, each followed back to where it joined the socket; of other
// files, who filled them.
#include <fmt/format.h>

#include <algorithm>

#include "sim/export/readiness.hh"
#include "sim/export/tcp_rows.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

class Read {
 public:
  Read(const Question& question, const Return& call, std::vector<WhyLine>& lines)
      : q_(question), trace_(question.history.trace()), call_(call), lines_(lines) {}

  void explain() {
    if (call_.file == nullptr) return;
    if (const Object* sock = sock_of(q_.reading, call_.file)) return from_socket(*sock);
    const Object* data = q_.reading.target(*call_.file, "private_data");
    if (q_.reading.is(data, "pipe_inode_info"))
      from_pipe(*data);
    else if (q_.reading.is(data, "eventfd_ctx"))
      grown(*data, "count", "counter_was_up");
    else if (q_.reading.is(data, "timerfd_ctx"))
      grown(*data, "ticks", "timer_had_run_out");
    else if (q_.reading.is(data, "signalfd_ctx"))
      add("signal_was_pending");
    else
      add(call_.result > 0 ? "file_read" : "file_at_its_end");
  }

 private:
  void add(std::string_view id, const Places& places = {}, Position at = 0) {
    auto line = q_.say(id, places, at);
    auto same = [&](const WhyLine& other) { return other.id == line.id && other.text == line.text; };
    if (std::none_of(lines_.begin(), lines_.end(), same)) lines_.push_back(line);
  }
  [[nodiscard]] bool ours(Position at) const { return trace_[at].task == call_.task; }
  [[nodiscard]] bool is_field(const Record& r, const Object& object, std::string_view name) const {
    if (r.kind != RecordKind::kSet || r.object != object.id) return false;
    auto field = trace_.schema().kinds[object.kind].find_field(name);
    return field && r.field == *field;
  }
  [[nodiscard]] std::string list_of(const Record& r) const {
    return trace::member_name(trace_.schema().kinds[q_.reading.world().objects()[r.object].kind], r.field);
  }

  // --- sockets ---

  void from_socket(const Object& sock) {
    bool stream = is_stream(q_.reading, sock);
    std::vector<Position> came = urgent() ? urgent_came(sock) : arrivals(sock, taken(sock));
    if (!stream || call_.result > 0)
      for (Position at : came)
        add(stream ? "bytes_came" : "datagram_came", {{"object", q_.reading.name(&sock)}, {"who", q_.whose_doing(at)}},
            at);
    if (call_.result > 0 || !lines_.empty()) return;
    if (auto shut = ended(sock))
      add("end_of_stream", {{"who", q_.whose_doing(*shut)}}, *shut);
    else
      add("nothing_asked");
  }

  [[nodiscard]] bool urgent() const {
    const auto& arguments = call_.call.arguments;
    return std::any_of(arguments.begin(), arguments.end(),
                       [](std::string_view text) { return text.starts_with("MSG_OOB"); });
  }

  /// Who last ended the reading side.
  [[nodiscard]] std::optional<Position> ended(const Object& sock) const {
    return q_.history.last(call_.at, [&](const Record& r, Position) {
      return is_field(r, sock, "sk_shutdown") && (r.after & 1) != 0 && (r.before & 1) == 0;
    });
  }

  /// The announcement of TCP's urgent byte, the buffer of AF_UNIX's.
  [[nodiscard]] std::vector<Position> urgent_came(const Object& sock) const {
    auto came = q_.history.last(call_.at, [&](const Record& r, Position) {
      return r.after != 0 && (is_field(r, sock, "oob_skb") || is_field(r, sock, "urg_seq"));
    });
    return came ? std::vector<Position>{*came} : std::vector<Position>{};
  }

  /// The buffers that this call took, wholly or in part, the first first. When it only looked (MSG_PEEK) they still
  /// stand in front of the queue.
  [[nodiscard]] std::vector<ObjectId> taken(const Object& sock) const {
    std::vector<ObjectId> out;
    auto note = [&](ObjectId buffer) {
      if (std::find(out.begin(), out.end(), buffer) == out.end()) out.push_back(buffer);
    };
    for (Position at = call_.entered; at < call_.at; ++at) {
      const Record& r = trace_[at];
      if (!ours(at)) continue;
      if (r.kind == RecordKind::kListErase && r.object == sock.id && is_receive_queue(list_of(r)))
        note(trace::Ref::unpack(r.after).object);
      else if (r.kind == RecordKind::kListInsert && r.object == sock.id)  // only moved to the other queue
        std::erase(out, trace::Ref::unpack(r.after).object);
      else if (r.kind == RecordKind::kCall && q_.history.function(at) == "skb_copy_datagram_iter")
        note(r.object);
      else if (r.kind == RecordKind::kSet && q_.reading.is(&q_.reading.world().objects()[r.object], "sk_buff") &&
               is_field(r, q_.reading.world().objects()[r.object], "consumed") && r.after > r.before)
        note(r.object);
    }
    return out.empty() ? in_front(sock) : out;
  }

  static bool is_receive_queue(std::string_view list) {
    return list == "sk_receive_queue.list" || list == "reader_queue.list";
  }

  [[nodiscard]] std::vector<ObjectId> in_front(const Object& sock) const {
    std::vector<ObjectId> out;
    bool stream = is_stream(q_.reading, sock);
    std::int64_t left = call_.result;
    for (const char* list : {"reader_queue.list", "sk_receive_queue.list"})
      for (trace::Ref ref : q_.reading.list(sock, list)) {
        if (out.empty() ? call_.result == 0 && stream : !stream || left <= 0) return out;
        out.push_back(ref.object);
        const Object& buffer = q_.reading.world().objects()[ref.object];
        left -= q_.reading.number(buffer, "len") - q_.reading.number(buffer, "consumed");
      }
    return out;
  }

  /// Where buffers joined the socket, and where more data was added to them there; of a buffer that was taken in parts
  /// only what this call took.
  [[nodiscard]] std::vector<Position> arrivals(const Object& sock, const std::vector<ObjectId>& buffers) const {
    std::vector<Position> out;
    for (ObjectId buffer : buffers) {
      const Object& object = q_.reading.world().objects()[buffer];
      auto end = static_cast<std::uint32_t>(q_.reading.value(object, "len"));
      for (Position at = call_.at; at > 0 && !creates(trace_[at - 1], buffer); --at) {
        const Record& r = trace_[at - 1];
        if (!is_field(r, object, "len") || r.before == 0 || r.after <= r.before) continue;
        std::vector<Position> chain = q_.history.chain(at - 1);
        if (!q_.history.find_in(chain, "tcp_try_coalesce")) continue;
        if (took(sock, object, static_cast<std::uint32_t>(r.before), end)) out.push_back(bearer(sock, chain, at - 1));
        end = static_cast<std::uint32_t>(r.before);
      }
      if (!took(sock, object, 0, end)) continue;
      if (auto joined = first_insert(sock, buffer)) out.push_back(*joined);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  /// Whether this call took any of the bytes [begin, end) of a buffer: TCP counts them, others are taken as they came.
  [[nodiscard]] bool took(const Object& sock, const Object& buffer, std::uint32_t begin, std::uint32_t end) const {
    if (!q_.reading.is(&sock, "tcp_sock")) return true;
    auto first = static_cast<std::uint32_t>(q_.reading.value(sock, "copied_seq"));
    std::uint32_t last = first + static_cast<std::uint32_t>(call_.result);  // when it only looked (MSG_PEEK)
    for (Position at = call_.entered; at < call_.at; ++at) {
      if (!ours(at) || !is_field(trace_[at], sock, "copied_seq")) continue;
      last = first;
      first = static_cast<std::uint32_t>(trace_[at].before);
      break;
    }
    auto seq = static_cast<std::uint32_t>(q_.reading.value(buffer, "seq"));
    auto before = [](std::uint32_t one, std::uint32_t other) { return static_cast<std::int32_t>(one - other) < 0; };
    return before(seq + begin, last) && before(first, seq + end);
  }

  static bool creates(const Record& r, ObjectId object) { return r.kind == RecordKind::kCreate && r.object == object; }

  /// Where a buffer first stood on a list of the socket: what waited on its backlog or beyond a hole had come before.
  [[nodiscard]] std::optional<Position> first_insert(const Object& sock, ObjectId buffer) const {
    std::optional<Position> first;
    for (Position at = call_.at; at > 0 && !creates(trace_[at - 1], buffer); --at) {
      const Record& r = trace_[at - 1];
      if (r.kind == RecordKind::kListInsert && r.object == sock.id && trace::Ref::unpack(r.after).object == buffer)
        first = at - 1;
    }
    return first;
  }

  /// Of data that joined a buffer which stood there already: where the one that bore it had come, if that had waited.
  [[nodiscard]] Position bearer(const Object& sock, const std::vector<Position>& chain, Position joined) const {
    auto waited = q_.history.find_in(chain, "tcp_ofo_queue");
    if (!waited) waited = q_.history.find_in(chain, "__release_sock");
    if (!waited) return joined;
    auto left = q_.history.last(
        joined, [&](const Record& r, Position) { return r.kind == RecordKind::kListErase && r.object == sock.id; },
        *waited);
    if (!left) return joined;
    return first_insert(sock, trace::Ref::unpack(trace_[*left].after).object).value_or(joined);
  }

  // --- other files ---

  void from_pipe(const Object& pipe) {
    if (call_.result == 0 && q_.reading.value(pipe, "writers") == 0) return add("pipe_has_no_writer");
    if (call_.result == 0) return add("nothing_asked");
    // bytes are taken in their order: those of this call are behind all that was taken before
    std::uint64_t before = 0;
    std::uint64_t now = 0;
    Position end = call_.at;
    auto last = [&](Position at) { return is_field(trace_[at], pipe, "bytes"); };
    for (Position at = 0; at < end; ++at) {
      if (!last(at) || trace_[at].after >= trace_[at].before) continue;
      std::uint64_t gone = trace_[at].before - trace_[at].after;
      (at >= call_.entered && ours(at) ? now : before) += gone;
    }
    std::uint64_t written = 0;
    for (Position at = 0; at < end && written < before + now; ++at) {
      if (!last(at) || trace_[at].after <= trace_[at].before) continue;
      written += trace_[at].after - trace_[at].before;
      if (written > before) add("pipe_was_filled", {{"who", q_.whose_doing(at)}}, at);
    }
  }

  /// A counter of the file that this call took down, and that somebody had brought up.
  void grown(const Object& object, std::string_view field, std::string_view id) {
    auto up = q_.history.last(
        call_.at, [&](const Record& r, Position) { return is_field(r, object, field) && r.after > r.before; });
    if (up) add(id, {{"who", q_.whose_doing(*up)}}, *up);
  }

  const Question& q_;
  const trace::Trace& trace_;
  const Return& call_;
  std::vector<WhyLine>& lines_;
};

}  // namespace

void why_read(const Question& question, const Return& call, std::vector<WhyLine>& lines) {
  Read(question, call, lines).explain();
}

}  // namespace wakepath::exports
