#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/trace/lesson_words.hh"
#include "src/scenario/problem.hh"

/// A scenario as data: what parse() makes of a file. Everything that can be wrong with a file without running it has
/// been checked; numbers of flags and options are looked up, names of descriptors are not (they change as it runs).

namespace wakepath::scenario {

using Duration = std::chrono::nanoseconds;

using Text = trace::Words;
using Ask = trace::Question;  ///< its `names`: who has acted and what has been named by then

/// An address as a call takes it: numbers, never names.
struct Address {
  enum class Family { none, ipv4, ipv6, unix_abstract, unspecified };
  Family family = Family::none;
  std::array<uint8_t, 16> ip{};  ///< network order; the first four for IPv4
  int port = 0;
  std::string name;  ///< of an abstract Unix socket, without the leading zero byte
  bool operator==(const Address&) const = default;
};

/// Where a pointer of a call leads: to memory of the caller's, or not.
enum class Pointer {
  good,
  null,     ///< NULL: nothing is there, which shows as soon as something is read or written
  outside,  ///< OUTSIDE: (void*)-1, beyond user space, which shows before (access_ok())
};

/// An argument, or a part of a result.
struct Arg {
  enum class Kind {
    integer,     ///< number
    flags,       ///< number; `text` has the names
    name,        ///< name: a variable of the process, or an actor (fork, thread)
    data,        ///< bytes
    address,     ///< literal
    address_of,  ///< addr(name)
    peer_of,     ///< peer(name)
    numbered,    ///< literal with port ?number, in results
    value,       ///< numbers: an option value
    events,      ///< items: each has number (the flags) and token
    list,        ///< items
    duration,    ///< time
    pointer,     ///< NULL or OUTSIDE, in place of what the call reads or writes
  };
  Kind kind = Kind::integer;
  Position at;
  std::string text;  ///< as written
  long number = 0;
  std::string name;
  std::string process;  ///< of `process.name`; empty for the own process first
  std::string bytes;
  bool counter = false;             ///< bytes were written u64(N)
  Pointer pointer = Pointer::good;  ///< of data and sizes, too: `NULL * 8` is eight bytes that are not there
  Address literal;
  std::vector<int> numbers;
  std::vector<Arg> items;
  std::string token;  ///< of an event: the text that stands for its data; of an item of poll(): the descriptor's
  Duration time{0};
};

/// What a call should give.
struct Result {
  enum class Kind { blocks, anything, count, error };
  Kind kind = Kind::anything;
  Position at;
  std::string text;
  long low = 0;
  long high = 0;
  int error = 0;  ///< errno; 0 with Kind::error means any
  std::optional<Arg> data, address, value, events;
  std::vector<std::string> rights;
};

struct Signature;

struct CallStep {
  std::vector<std::string> targets;  ///< names to bind
  const Signature* signature = nullptr;
  std::vector<Arg> args;                ///< in the order of the signature; optional ones may be missing at the end
  std::map<std::string, Arg> keywords;  ///< data= of epoll_ctl, rights= of sendmsg, buffer= of recv, …
  std::vector<Result> results;          ///< none: must succeed and not block; several: any of them
  std::string text;                     ///< `epoll_wait(ep, 8, -1)`
};

/// A statement about kernel objects.
struct Term {
  enum class Kind { path, integer, word, length };
  Kind kind = Kind::integer;
  Position at;
  std::string text;
  long number = 0;
  std::string word;     ///< a TCP state, or a call's name, or `none`
  bool model = false;   ///< after `model.`: never checked on the running kernel
  std::string process;  ///< of `process.name.field`
  std::string name;
  std::vector<std::string> fields;
};

struct Expectation {
  enum class Op { equal, not_equal, less, at_most, greater, at_least, in, not_in };
  Term left;
  Op op = Op::equal;
  Term right;
  std::string text;
};

struct Wire {
  long drop = 0;
  long reorder = 0;
  Duration delay{0};
  std::string from;
};
struct Signal {
  std::string to;
  int number = 0;
  bool restart = false;
};
struct Fault {
  std::string actor;
  const Signature* call = nullptr;
  int error = 0;
  long times = 1;
};

struct Step {
  enum class Kind { call, returns, say, mark, ask, wait, expect, wire, signal, fault };
  int number = 0;  ///< from 1
  Position at;     ///< of the main key
  Kind kind = Kind::say;
  std::string actor;            ///< of call and returns
  CallStep call;                ///< of call
  std::vector<Result> returns;  ///< of returns: any of them
  Text say;
  std::string mark;
  Ask ask;
  Duration wait{0};
  Expectation expect;
  Wire wire;
  Signal signal;
  Fault fault;
  std::vector<std::string> focus;
  Text label;
};

struct Service {
  Position at;         ///< of its name
  std::string type;    ///< echo, gate, or a file of Lua
  std::string script;  ///< the text of that file
  Position listen_at;
  Address listen;
};

/// The process in which the services of a file run: their listeners are its variables, by the names of the services.
inline constexpr const char* kServicesProcess = "services";

struct Scenario {
  std::string file;
  long version = 1;
  Text title, about;
  std::string level;
  std::optional<std::pair<long, long>> lesson;  ///< number, order
  std::vector<std::string> references;
  std::map<std::string, std::string> actors;  ///< declared ones: actor to process
  std::map<std::string, std::string> kernel;  ///< sysctls
  bool device_nic = false;
  long cpus = 1;
  std::string profile = "6.18";
  std::string only;  ///< model, kernel, or empty
  Text because;
  std::vector<std::string> needs;
  std::map<std::string, Service> services;
  std::vector<Step> steps;
};

}  // namespace wakepath::scenario
