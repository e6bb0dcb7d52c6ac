#include "src/cli/serve_services.hh"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/service/chat.hh"
#include "src/service/console.hh"
#include "src/service/echo.hh"
#include "src/service/gate.hh"
#include "src/service/http.hh"
#include "src/service/lua_service.hh"

namespace wakepath::cli {

bool is_service(const std::string& use) {
  return use == "echo" || use == "gate" || use == "chat" || use == "http" || use == "console" || use.ends_with(".lua");
}

std::unique_ptr<service::Service> make_service(const ServiceChoice& choice, std::string& why) {
  const service::ListenAt where{.port = choice.port};
  if (choice.use == "gate")
    return std::make_unique<service::Gate>(service::Gate::Options{.where = where, .max_clients = choice.max_clients},
                                           service::echoing_handler());
  if (choice.use == "chat") return std::make_unique<service::ChatService>(where);
  if (choice.use == "http") return std::make_unique<service::HttpService>(where);
  if (choice.use == "console") return std::make_unique<service::ConsoleService>(where);
  if (!choice.use.ends_with(".lua")) return std::make_unique<service::EchoService>(where);
  std::ifstream file(choice.use, std::ios::binary);
  std::string source((std::istreambuf_iterator<char>(file)), {});
  if (!file) {
    why = choice.use + " cannot be read";
    return nullptr;
  }
  return std::make_unique<service::LuaService>(service::LuaService::Options{
      .name = std::filesystem::path(choice.use).filename().string(), .source = std::move(source), .port = choice.port});
}

}  // namespace wakepath::cli
