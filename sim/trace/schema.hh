#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/record.hh"

/// What the numbers of a trace mean. A trace carries its schema, so a recording opens without the producer's types.

namespace wakepath::trace {

/// The lane (and colour) a thing belongs to. The order is that of the picture, top to bottom.
enum class Layer : std::uint8_t { kUser, kSyscall, kVfs, kSocket, kEpoll, kTcp, kIp, kSoftirq, kScheduler };
constexpr int kLayers = 9;
[[nodiscard]] std::string_view layer_name(Layer layer);

enum class FieldType : std::uint8_t {
  kUnsigned,
  kSigned,
  kBool,
  kHex,
  kEnum,      ///< One of Schema::enums[detail].
  kFlags,     ///< Bits of Schema::enums[detail].
  kPointer,   ///< A packed Ref; 0 is NULL, kUnactivePointer is (void*)-1.
  kSymbol,    ///< A function or table by name: index into Schema::symbols; 0 is NULL.
  kString,    ///< StringId.
  kTime,      ///< ns of virtual time.
  kDuration,  ///< ns.
  kIpv4,      ///< Address in host byte order.
  kList,      ///< Members are kept by the world, not as a value.
};

/// EP_UNACTIVE_PTR of fs/eventpoll.c: a list end that means "no scan is running".
constexpr std::uint64_t kUnactivePointer = ~std::uint64_t{0};

/// One structure inside a kind. parts[0] is the kind itself; the others are embedded in it, each in its parent.
struct Part {
  std::string type;  ///< Its Linux name: "sock".
  std::string path;  ///< How to reach it from the whole: "inet_conn.icsk_inet.sk"; empty for the whole.
  std::uint16_t parent = 0;
  std::int32_t offset = -1;  ///< In Linux 6.18 (x86-64), bytes from the start of the whole; -1 unknown.
  std::int32_t size = -1;    ///< In Linux 6.18, bytes; -1 unknown.
};

struct FieldInfo {
  std::string name;        ///< Linux name of the member: "sk_ack_backlog".
  std::uint16_t part = 0;  ///< Which structure has it.
  FieldType type{};
  std::uint16_t detail = 0;  ///< Index of the enumeration, for kEnum and kFlags.
};

struct Kind {
  std::string name;  ///< "tcp_sock"
  Layer layer{};
  bool is_task = false;  ///< Its objects are tasks (kSpawn names them).
  std::string source;    ///< Linux file that declares it: "include/linux/tcp.h"
  std::string sentence;  ///< What it is for, in our words.
  std::vector<Part> parts;
  std::vector<FieldInfo> fields;

  [[nodiscard]] std::optional<FieldId> find_field(std::string_view field_name) const;
};

struct FunctionInfo {
  std::string name;  ///< "ep_poll_callback"
  Layer layer{};
  std::string source;  ///< "fs/eventpoll.c"
  std::string sentence;
};

struct Enumeration {
  struct Value {
    std::uint64_t value = 0;
    std::string name;
  };
  std::string name;
  std::vector<Value> values;
};

/// A rule of the model with a stable id: `accept_2  Block waiting for a connection`.
struct Rule {
  std::string id;
  std::string sentence;
  int error = 0;  ///< The errno that it makes a call return; 0 when it is not a rule by which calls fail.
};

struct Schema {
  std::string producer;  ///< "modelled kernel, profile 6.18"
  /// What the trace was compared with while it was made: "Linux 6.18.44 on real loopback sockets"; empty: nothing.
  std::string compared_with;
  std::vector<Kind> kinds;
  std::vector<FunctionInfo> functions;
  std::vector<Enumeration> enums;
  std::vector<std::string> symbols;  ///< symbols[0] is "NULL"
  std::vector<Rule> rules;

  [[nodiscard]] const Kind* find_kind(std::string_view name) const;
  [[nodiscard]] std::optional<KindId> kind_id(std::string_view name) const;
  /// JSON text, and back. `from_json` returns nothing when the text is not a schema.
  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] static std::optional<Schema> from_json(std::string_view text);
};

}  // namespace wakepath::trace
