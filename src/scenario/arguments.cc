#include "src/scenario/arguments.hh"

#include <fmt/format.h>
#include <poll.h>

namespace wakepath::scenario {

namespace {

/// A descriptor as epoll_event.data.fd holds it.
uint32_t as_token(int fd) { return static_cast<uint32_t>(fd); }

}  // namespace

Address Arguments::address(const Arg& arg, const Process& own) {
  if (arg.kind == Arg::Kind::address || arg.kind == Arg::Kind::numbered) {
    return arg.literal;
  }
  const auto [process, fd] = scope_.anywhere(step_, &own, arg.process, arg.name, arg.at);
  const std::optional<Address> address = machine_.address(process, fd, arg.kind == Arg::Kind::peer_of);
  if (!address) {
    throw FileError{arg.at, fmt::format("step {}: {} has no address: descriptor {} of {} is not a {}socket", step_,
                                        arg.text, fd, process, arg.kind == Arg::Kind::peer_of ? "connected " : "")};
  }
  return *address;
}

Request Arguments::request(const CallStep& call, const Process& own) {
  Request request;
  request.call = call.signature->call;
  request.name = std::string(call.signature->name);
  for (size_t i = 0; i < call.args.size(); ++i) {
    const Param::Kind kind = call.signature->params[i].kind;
    if (call.args[i].kind == Arg::Kind::pointer) {
      pointer(call.args[i], kind, request);
    } else if (kind == Param::Kind::signal_list) {
      request.signals.emplace();
      for (const Arg& item : call.args[i].items) {
        request.signals->push_back(static_cast<int>(item.number));
      }
    } else if (kind == Param::Kind::descriptor_list) {
      set(call.args[i], i, own, request);
    } else {
      argument(call.args[i], own, request);
    }
  }
  if (request.call == Call::epoll_ctl) {
    if (request.numbers.size() < 4) {
      request.numbers.push_back(0);
    }
    const auto data = call.keywords.find("data");
    const Arg* const given = data != call.keywords.end() ? &data->second : nullptr;
    const bool numbered = given != nullptr && given->kind != Arg::Kind::name;
    const int shown = numbered ? static_cast<int>(given->number) : static_cast<int>(request.numbers[2]);
    request.token = view_.new_token(given != nullptr ? given->text : call.args[2].text, as_token(shown));
  }
  for (const auto& [word, arg] : call.keywords) {
    keyword(word, arg, own, request);
  }
  if (request.call == Call::fork || request.call == Call::thread) {
    request.new_actor = call.args[0].name;
    request.new_process = request.call == Call::fork ? request.new_actor : own.name;
  }
  return request;
}

/// NULL or OUTSIDE in place of an argument.
void Arguments::pointer(const Arg& arg, Param::Kind kind, Request& request) {
  (kind == Param::Kind::address       ? request.address_at
   : kind == Param::Kind::signal_list ? request.signals_at
                                      : request.buffer) = arg.pointer;
}

void Arguments::keyword(const std::string& word, const Arg& arg, const Process& process, Request& request) {
  if (word == "rights") {
    for (const Arg& fd : arg.items) {
      request.rights.push_back(descriptor(fd, process));
    }
  } else if (word != "data") {
    (word == "addr" ? request.address_at : word == "len" ? request.length_at : request.buffer) = arg.pointer;
  }
}

void Arguments::argument(const Arg& arg, const Process& process, Request& request) {
  switch (arg.kind) {
    case Arg::Kind::integer:
    case Arg::Kind::flags:
      request.numbers.push_back(arg.number);
      return;
    case Arg::Kind::name:
      if (request.call != Call::fork && request.call != Call::thread) {
        request.numbers.push_back(scope_.variable(step_, process, arg.name, arg.at));
      }
      return;
    case Arg::Kind::data:
      request.data = arg.bytes;
      request.buffer = arg.pointer;
      return;
    case Arg::Kind::address:
    case Arg::Kind::address_of:
    case Arg::Kind::peer_of:
    case Arg::Kind::numbered:
      request.address = address(arg, process);
      return;
    case Arg::Kind::value:
      request.value = arg.numbers;
      return;
    case Arg::Kind::duration:
      request.numbers.push_back(arg.time.count());
      return;
    case Arg::Kind::pointer:  // pointer() has it
      return;
    case Arg::Kind::list:
    case Arg::Kind::events:
      for (const Arg& one : arg.items) {
        item(one, process, request);
      }
      return;
  }
}

/// A set of select(), by its place among the arguments.
void Arguments::set(const Arg& fds, size_t place, const Process& process, Request& request) {
  const short events = place == 0 ? POLLIN : place == 1 ? POLLOUT : POLLPRI;
  for (const Arg& item : fds.items) {
    const int fd = descriptor(item, process);
    request.polls.push_back({fd, events, view_.new_token(item.text, as_token(fd))});
  }
}

int Arguments::descriptor(const Arg& arg, const Process& process) {
  return static_cast<int>(arg.kind == Arg::Kind::name ? scope_.variable(step_, process, arg.name, arg.at) : arg.number);
}

void Arguments::item(const Arg& arg, const Process& process, Request& request) {
  if (arg.kind == Arg::Kind::data) {
    request.pieces.push_back(arg.bytes);
    request.pieces_at.push_back(arg.pointer);
  } else if (request.call == Call::readv) {
    request.numbers.push_back(arg.number);
    request.pieces_at.push_back(arg.pointer);
  } else if (arg.kind == Arg::Kind::flags && !arg.items.empty()) {
    const int fd = descriptor(arg.items[0], process);
    request.polls.push_back({fd, static_cast<short>(arg.number), view_.new_token(arg.token, as_token(fd))});
  } else {
    argument(arg, process, request);
  }
}

}  // namespace wakepath::scenario
