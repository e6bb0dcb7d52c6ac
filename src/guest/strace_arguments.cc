#include "src/guest/strace_arguments.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "src/guest/strace_calls.hh"
#include "src/guest/strace_names.hh"

namespace wakepath::guest {

namespace {

using ValueKind = StraceValue::Kind;

[[noreturn]] void fail_at(const StraceValue& value, const std::string& expected) {
  static const char* const kNames[] = {"a number", "words", "a string", "a group", "a call", "...", "?"};
  std::string found = kNames[static_cast<std::size_t>(value.kind)];
  if (value.kind == ValueKind::words) found = "'" + value.text + "'";
  if (value.kind == ValueKind::number) found = std::to_string(value.number);
  throw StraceMismatch(value.at, found, expected);
}

template <class T>
std::string as_bytes(const T& value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// htons(80)
uint16_t port_in(const StraceValue& value) {
  if (value.kind != ValueKind::call || value.text != "htons" || value.items.size() != 1) fail_at(value, "htons(PORT)");
  const StraceValue& number = value.items.front().value;
  if (number.kind != ValueKind::number || number.number < 0 || number.number > 65535)
    fail_at(number, "a port up to 65535");
  return static_cast<uint16_t>(number.number);
}

const StraceValue& part(const StraceValue& group, std::string_view name, std::size_t place) {
  if (const StraceValue* found = group.field(name)) return *found;
  if (place < group.items.size() && group.items[place].name.empty()) return group.items[place].value;  // strace 4
  fail_at(group, fmt::format("a group with its {}", name));
}

}  // namespace

const StraceValue& Arguments::at(std::size_t i) const {
  if (i < values_.size()) return values_[i];
  throw StraceMismatch(values_.empty() ? 0 : values_.back().at, fmt::format("{} arguments", values_.size()),
                       fmt::format("at least {}", i + 1));
}

long Arguments::number_in(const StraceValue& given) const {
  const StraceValue& value = given.last();
  if (value.kind == ValueKind::number) return value.number;
  if (value.kind == ValueKind::group && value.items.size() == 1) return number_in(value.items.front().value);  // [16]
  if (value.kind != ValueKind::words) fail_at(value, "a number");
  const auto known = constant(value.text);
  if (!known) throw NotShown("a word that is not known here: " + value.text);
  return *known;
}

int Arguments::whole(std::size_t i) const {
  const long number = this->number(i);
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<uint32_t>::max())
    fail_at(at(i), "a number of 32 bits");
  return static_cast<int>(number);
}

std::size_t Arguments::length(std::size_t i) const {
  const long number = this->number(i);
  if (number < 0) fail_at(at(i), "a size");
  return static_cast<std::size_t>(number);
}

std::optional<long> Arguments::try_number(std::size_t i) const {
  if (at(i).kind == ValueKind::words) return constant(at(i).text);
  if (at(i).kind == ValueKind::number) return at(i).number;
  return std::nullopt;
}

int Arguments::descriptor_in(const StraceValue& value) const {
  if (value.kind != ValueKind::number || value.number > kMostDescriptor ||
      value.number < std::numeric_limits<int>::min())
    fail_at(value, fmt::format("a descriptor up to {}", kMostDescriptor));
  return static_cast<int>(value.number);
}

Bytes Arguments::bytes(std::size_t i, std::size_t size, long shown) const {
  const StraceValue& value = at(i);
  if (value.kind != ValueKind::string) return {};
  const std::size_t most = std::min(size, static_cast<std::size_t>(std::max(shown, 0L)));
  if (value.cut ? value.text.size() > most : value.text.size() != most)
    throw StraceMismatch(value.at, fmt::format("{} bytes", value.text.size()), fmt::format("{}", most));
  return {.data = value.text};
}

Bytes Arguments::pieces(const StraceValue& list, long shown) const {
  Bytes bytes;
  if (list.kind != ValueKind::group) throw NotShown("pieces that are not shown");
  auto left = static_cast<std::size_t>(std::max(shown, 0L));
  bool known = true;
  for (const auto& item : list.items) {
    if (item.value.kind == ValueKind::omitted) {
      bytes.partial = true;
      break;
    }
    if (item.value.kind != ValueKind::group) fail_at(item.value, "{iov_base=…, iov_len=…}");
    const StraceValue& base = part(item.value, "iov_base", 0);
    const long size = number_in(part(item.value, "iov_len", 1));
    if (size < 0 || static_cast<std::size_t>(size) > kMostGiven) throw NotShown("more than 64 MiB at once");
    bytes.room += static_cast<std::size_t>(size);
    const std::size_t used = std::min(left, static_cast<std::size_t>(size));
    left -= used;
    known = known && base.kind == ValueKind::string;
    if (known) bytes.data += base.text.substr(0, used);
    known = known && !base.cut && base.text.size() >= used;
  }
  return bytes;
}

int Arguments::milliseconds(std::size_t i) const {
  const StraceValue& value = at(i);
  if (value.is_null()) return -1;
  if (value.kind != ValueKind::group) fail_at(value, "{tv_sec=…, tv_nsec=…}");
  const long seconds = number_in(part(value, "tv_sec", 0));
  const StraceValue* us = value.field("tv_usec");
  const long ns =
      us != nullptr ? std::clamp(number_in(*us), 0L, 999'999L) * 1'000 : number_in(part(value, "tv_nsec", 1));
  if (seconds < 0 || seconds > std::numeric_limits<int>::max() / 1000 - 1) return std::numeric_limits<int>::max();
  return static_cast<int>(seconds * 1000 + (std::clamp(ns, 0L, 999'999'999L) + 999'999) / 1'000'000);
}

/// Those that are not known here are no option of the model's either.
int Arguments::option_word(std::size_t i) const {
  const auto known = try_number(i);
  return known ? static_cast<int>(*known) : -1;
}

std::optional<std::string> Arguments::option_value(std::size_t i, std::size_t size) const {
  const StraceValue& value = at(i).last();
  if (value.kind == ValueKind::string) {
    if (value.cut || value.text.size() > size) return std::nullopt;
    std::string bytes = value.text;
    bytes.resize(std::min<std::size_t>(size, 256));
    return bytes;
  }
  if (value.kind != ValueKind::group) return std::nullopt;
  const auto pair = [&](const char* first, const char* second) -> std::optional<std::pair<long, long>> {
    if (value.field(first) == nullptr || value.field(second) == nullptr) return std::nullopt;
    return std::pair(number_in(*value.field(first)), number_in(*value.field(second)));
  };
  for (const auto& [first, second] : {std::pair("l_onoff", "l_linger"), std::pair("onoff", "linger")})
    if (const auto found = pair(first, second))
      return as_bytes(linger{static_cast<int>(found->first), static_cast<int>(found->second)});
  if (const auto found = pair("tv_sec", "tv_usec")) return as_bytes(timeval{found->first, found->second});
  if (value.items.size() != 1 || !value.items.front().name.empty()) return std::nullopt;
  const StraceValue& one = value.items.front().value;
  if (one.kind == ValueKind::words && !constant(one.text)) {
    const int error = error_number(one.text);  // SO_ERROR: [ECONNREFUSED]
    return error != 0 ? std::optional(as_bytes(error)) : std::nullopt;
  }
  if (one.kind != ValueKind::number && one.kind != ValueKind::words) return std::nullopt;
  return as_bytes(static_cast<int>(number_in(one)));
}

os::Address Arguments::address_in(const StraceValue& given) const {
  const StraceValue& value = given.last();
  if (value.kind != ValueKind::group) return {};
  const StraceValue* family = value.field("sa_family");
  if (family == nullptr || family->kind != ValueKind::words) fail_at(value, "{sa_family=AF_…, …}");
  const long domain = constant(family->text).value_or(AF_UNSPEC);
  if (domain == AF_INET) {
    sockaddr_in inet{};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(port_in(part(value, "sin_port", 1)));
    const StraceValue& ip = part(value, "sin_addr", 2);
    const bool plain = ip.kind == ValueKind::call && ip.text == "inet_addr" && ip.items.size() == 1;
    if (!plain || inet_pton(AF_INET, ip.items.front().value.text.c_str(), &inet.sin_addr) != 1)
      fail_at(ip, "inet_addr(\"A.B.C.D\")");
    return os::Address::copy(reinterpret_cast<const sockaddr*>(&inet), sizeof inet);
  }
  if (domain == AF_INET6) {
    sockaddr_in6 inet{};
    inet.sin6_family = AF_INET6;
    inet.sin6_port = htons(port_in(part(value, "sin6_port", 1)));
    for (const auto& item : value.items)
      if (item.value.kind == ValueKind::call && item.value.text == "inet_pton" && item.value.items.size() >= 2)
        inet_pton(AF_INET6, item.value.items[1].value.text.c_str(), &inet.sin6_addr);
    return os::Address::copy(reinterpret_cast<const sockaddr*>(&inet), sizeof inet);
  }
  sockaddr other{};
  other.sa_family = static_cast<sa_family_t>(domain);
  return os::Address::copy(&other, sizeof other);
}

epoll_event Arguments::event_in(const StraceValue& value) const {
  if (value.kind != ValueKind::group) fail_at(value, "{events=EPOLL…, data={u32=…, u64=…}}");
  const StraceValue& data = part(value, "data", 1);
  epoll_event event{};
  event.events = static_cast<uint32_t>(number_in(part(value, "events", 0)));
  const StraceValue* wide = data.field("u64");
  event.data.u64 = static_cast<uint64_t>(wide != nullptr ? number_in(*wide) : number_in(data));
  return event;
}

}  // namespace wakepath::guest
