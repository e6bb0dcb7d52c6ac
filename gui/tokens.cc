#include "gui/tokens.hh"

#include <fmt/format.h>

#include "gui/fields.hh"

namespace wakepath::gui {

using trace::Object;

namespace {

std::string packet_text(const Reader& skb) {
  std::string flags = skb.text("tcp_flags");
  std::string out;
  for (const char* name : {"SYN", "FIN", "RST"})
    if (flags.find(name) != std::string::npos) out += (out.empty() ? "" : "+") + std::string(name);
  if (std::uint64_t read = skb.value("consumed"); read != 0 && out.empty())
    return fmt::format("{} of {} B", skb.value("len") - read, skb.value("len"));
  std::string data = skb.text("data");
  if (!data.empty() && data.size() <= 6 && out.empty()) return "\"" + data + "\"";
  if (std::uint64_t length = skb.value("len"); length != 0 && out.empty()) return fmt::format("{} B", length);
  return out.empty() ? "ACK" : out;
}

std::string item_text(const Reader& item) {
  std::string events = item.text("event.events");
  if (events.empty()) events = item.text("events");
  std::string out = fmt::format("fd {}", item.value("ffd.fd"));
  for (const char* name : {"EPOLLIN", "EPOLLOUT", "EPOLLRDHUP", "EPOLLET", "EPOLLONESHOT"}) {
    auto at = events.find(name);
    std::string_view word = std::string_view(name).substr(5);
    if (at != std::string::npos) out += (out.find(' ', 3) == std::string::npos ? " " : "|") + std::string(word);
  }
  return out;
}

std::string waiter_text(const ViewModel& model, const Reader& entry) {
  std::string func = entry.text("func");
  const trace::World& world = model.world();
  if (const Object* base = entry.follow("base"))
    return fmt::format("{}→fd{}", func, Reader(model.trace(), world, *base).value("ffd.fd"));
  std::string who;
  if (const Object* task = entry.follow("private")) who = Reader(model.trace(), world, *task).text("comm");
  bool exclusive = entry.text("flags").find("EXCLUSIVE") != std::string::npos;
  return (who.empty() ? "" : who + (exclusive ? " excl: " : ": ")) + func;
}

std::string request_text(const Reader& request) {
  std::uint64_t port = request.value("skc_dport");
  return port != 0 ? fmt::format(":{}", port) : "req";
}

}  // namespace

Token make_token(const ViewModel& model, const Moment&, trace::Ref member) {
  const trace::World& world = model.world();
  Token token{.object = member.object, .text = trace::ref_name(model.trace(), world, member)};
  if (member.object >= world.objects().size()) return token;
  const Object& object = world.objects()[member.object];
  Reader read(model.trace(), world, object);
  const std::string& kind = read.kind().name;
  token.layer = read.kind().layer;
  if (kind == "sk_buff") token.text = packet_text(read), token.layer = trace::Layer::kTcp;
  if (kind == "epitem") token.text = item_text(read), token.layer = trace::Layer::kEpoll;
  if (kind == "eppoll_entry") token.text = waiter_text(model, read), token.layer = trace::Layer::kEpoll;
  if (kind == "wait_queue_entry") token.text = waiter_text(model, read), token.layer = trace::Layer::kUser;
  if (kind == "tcp_request_sock") token.text = request_text(read);
  return token;
}

}  // namespace wakepath::gui
