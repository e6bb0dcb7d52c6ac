#include "src/scenario/matching.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <algorithm>

namespace wakepath::scenario {
namespace {

Words event_words(const Signature& signature) {
  const bool poll = signature.call == Call::poll || signature.call == Call::ppoll || signature.call == Call::select;
  return poll ? Words::poll_events : Words::epoll_events;
}

}  // namespace

Entry::Truth compare(const Observation& left, Expectation::Op op, const Observation& right) {
  using Op = Expectation::Op;
  using Truth = Entry::Truth;
  if (!left.observable || !right.observable) {
    return Truth::unobservable;
  }
  const auto decide = [](bool surely, bool perhaps) {
    return surely ? Truth::yes : perhaps ? Truth::unobservable : Truth::no;
  };
  const bool exact = left.low == left.high && right.low == right.high;
  const bool overlap = left.low <= right.high && right.low <= left.high;
  switch (op) {
    case Op::equal:
      return decide(exact && left.low == right.low, overlap && !exact);
    case Op::not_equal:
      return decide(!overlap, !exact);
    case Op::less:
      return decide(left.high < right.low, left.low < right.high);
    case Op::at_most:
      return decide(left.high <= right.low, left.low <= right.high);
    case Op::greater:
      return decide(left.low > right.high, left.high > right.low);
    case Op::at_least:
      return decide(left.low >= right.high, left.high >= right.low);
    case Op::in:
    case Op::not_in:
      break;
  }
  return Truth::unobservable;
}

void View::fix_ports_of(const Scenario& scenario) {
  const auto note = [this](const Arg& arg) {
    if (arg.kind == Arg::Kind::address && arg.literal.port != 0) {
      fixed_.insert(arg.literal.port);
    }
  };
  for (const Step& step : scenario.steps) {
    std::for_each(step.call.args.begin(), step.call.args.end(), note);
  }
  for (const auto& [name, service] : scenario.services) {
    fixed_.insert(service.listen.port);
  }
}

uint64_t View::new_token(const std::string& text, uint32_t number) {
  constexpr uint64_t kNext = uint64_t{1} << 32;
  uint64_t token = number;
  while (tokens_.emplace(token, text).first->second != text) {
    token += kNext;
  }
  return token;
}

std::string View::address(const Address& address) {
  char ip[INET6_ADDRSTRLEN] = "";
  switch (address.family) {
    case Address::Family::none:
      return "none";
    case Address::Family::unspecified:
      return "AF_UNSPEC";
    case Address::Family::unix_abstract:
      return address.name.empty() ? "unix:" : "unix:@" + address.name;
    case Address::Family::ipv4:
      inet_ntop(AF_INET, address.ip.data(), ip, sizeof ip);
      break;
    case Address::Family::ipv6:
      inet_ntop(AF_INET6, address.ip.data(), ip, sizeof ip);
      break;
  }
  const std::string host = address.family == Address::Family::ipv6 ? fmt::format("[{}]", ip) : ip;
  if (address.port == 0 || fixed_.count(address.port)) {
    return fmt::format("{}:{}", host, address.port);
  }
  const auto [found, is_new] = numbers_.emplace(address.port, static_cast<int>(numbers_.size()) + 1);
  return fmt::format("{}:?{}", host, found->second);
}

void View::show(const Outcome& outcome, const Signature& signature, Entry& out) {
  out.ret = outcome.ret;
  out.error = outcome.ret < 0 && outcome.error != 0 ? errno_name(outcome.error) : "";
  out.data = outcome.data;
  out.value = outcome.value;
  out.fds = outcome.fds;
  if (outcome.address) {
    out.address = address(*outcome.address);
  }
  if (outcome.events) {
    out.events.emplace();
    for (const Outcome::Event& event : *outcome.events) {
      const auto text = tokens_.find(event.token);
      out.events->push_back({flags_text(event_words(signature), event.events),
                             text != tokens_.end() ? text->second : fmt::format("{}", event.token)});
    }
  }
}

bool View::matches(const Result& result, const std::optional<Outcome>& outcome, const std::optional<Address>& wanted) {
  if (result.kind == Result::Kind::anything) {
    return true;
  }
  if (result.kind == Result::Kind::blocks || !outcome) {
    return result.kind == Result::Kind::blocks && !outcome;
  }
  if (result.kind == Result::Kind::error) {
    return outcome->ret < 0 && (result.error == 0 || outcome->error == result.error);
  }
  if (outcome->ret < result.low || outcome->ret > result.high) {
    return false;
  }
  if (result.data && outcome->data != result.data->bytes) {
    return false;
  }
  if (!result.rights.empty() && outcome->fds.size() != result.rights.size()) {
    return false;
  }
  if (result.value && outcome->value != result.value->numbers) {
    return false;
  }
  if (result.address && result.address->kind == Arg::Kind::numbered) {
    Address shown = result.address->literal;
    if (!outcome->address || outcome->address->ip != shown.ip) {
      return false;
    }
    const auto number = numbers_.find(outcome->address->port);
    return number != numbers_.end() && number->second == shown.port;
  }
  if (result.address && outcome->address != wanted) {
    return false;
  }
  if (result.events) {
    const auto& items = result.events->items;
    if (!outcome->events || outcome->events->size() != items.size()) {
      return false;
    }
    for (size_t i = 0; i < items.size(); ++i) {
      const Outcome::Event& event = (*outcome->events)[i];
      const auto token = tokens_.find(event.token);
      if (event.events != static_cast<uint32_t>(items[i].number) || token == tokens_.end() ||
          token->second != items[i].token) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace wakepath::scenario
