#include "src/scenario/services.hh"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "src/scenario/machine.hh"
#include "src/scenario/scope.hh"
#include "src/service/echo.hh"
#include "src/service/gate.hh"
#include "src/service/lua_service.hh"

namespace wakepath::scenario {
namespace {

os::SocketAddress address_of(const Service& service) {
  os::SocketAddress out;
  out.family = service.listen.family == Address::Family::ipv6 ? AF_INET6 : AF_INET;
  out.port = static_cast<uint16_t>(service.listen.port);
  out.bytes = service.listen.ip;
  return out;
}

std::unique_ptr<service::Service> make(const Service& service) {
  const os::SocketAddress at = address_of(service);
  char host[INET6_ADDRSTRLEN] = "";
  inet_ntop(at.family, at.bytes.data(), host, sizeof host);
  const service::ListenAt where{.host = host, .port = at.port};
  if (service.type == "echo") return std::make_unique<service::EchoService>(where);
  if (service.type == "gate") {
    return std::make_unique<service::Gate>(service::gate_at(where), service::echoing_handler());
  }
  return std::make_unique<service::LuaService>(service::LuaService::Options{
      .name = std::filesystem::path(service.type).filename().string(), .source = service.script, .port = at.port});
}

bool is_at(const os::SocketAddress& listener, const os::SocketAddress& wanted) {
  return listener.family == wanted.family && listener.bytes == wanted.bytes &&
         (wanted.port == 0 || wanted.port == listener.port);
}

}  // namespace

Services::Services(os::Os& os, probe::Probe& probe, const Scenario& scenario, Log log)
    : runtime_(os, probe, {.workers = 1, .in_place = false, .log = std::move(log)}) {
  if (const int error = runtime_.open(); error < 0) {
    throw Unavailable(fmt::format("the socket-server does not open: {}", std::strerror(-error)));
  }
  std::vector<std::pair<std::string, const Service*>> in_order;
  for (const auto& [name, service] : scenario.services) in_order.emplace_back(name, &service);
  std::sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->at.line, a.second->at.column) < std::pair(b.second->at.line, b.second->at.column);
  });
  for (const auto& [name, service] : in_order) launch(name, *service);
  if (const int error = runtime_.start(); error < 0) {
    throw Unavailable(fmt::format("the threads of the services do not start: {}", std::strerror(-error)));
  }
}

void Services::launch(const std::string& name, const Service& service) {
  const os::SocketAddress wanted = address_of(service);
  const size_t before = runtime_.listening().size();
  const service::Launched launched = runtime_.launch(make(service), name);
  if (launched.error == -EADDRINUSE) {
    throw Unavailable(fmt::format("the service '{}' does not start: {} is in use", name, wanted.to_string()));
  }
  if (launched.error < 0) {
    throw FileError{service.at, fmt::format("the service '{}' does not start: {}", name,
                                            launched.why.empty() ? std::strerror(-launched.error) : launched.why)};
  }
  const std::vector<os::SocketAddress> all = runtime_.listening();
  const std::vector<os::SocketAddress> its(all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
  const auto found =
      std::find_if(its.begin(), its.end(), [&](const os::SocketAddress& address) { return is_at(address, wanted); });
  if (found == its.end()) {
    throw FileError{service.listen_at,
                    fmt::format("the service '{}' listens {}, not at {}", name,
                                its.empty() ? "nowhere" : "at " + its.front().to_string(), wanted.to_string())};
  }
  for (const server::SocketInfo& socket : runtime_.sockets().info()) {
    if (socket.kind == "tcp" && socket.address == found->to_string()) listeners_[name] = socket.fd;
  }
}

}  // namespace wakepath::scenario
