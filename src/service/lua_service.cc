// The state, its coroutines, and the boundary around both.

#include "src/service/lua_service.hh"

#include <cerrno>
#include <cstdlib>
#include <lua.hpp>
#include <utility>

#include "src/service/lua_api.hh"
#include "src/service/runtime.hh"

namespace wakepath::service {

static_assert(LuaSocket::kNone == LUA_NOREF);

void* LuaHeap::allocate(void* heap, void* block, size_t old_size, size_t new_size) {
  auto& self = *static_cast<LuaHeap*>(heap);
  if (block == nullptr) old_size = 0;  // then it is the kind of the new object
  if (new_size == 0) {
    std::free(block);
    self.used -= old_size;
    return nullptr;
  }
  if (new_size > old_size && self.used + (new_size - old_size) > self.limit) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved != nullptr) self.used += new_size - old_size;
  return moved;
}

namespace {

struct Text {
  std::string_view view;
};

int push_given_text(lua_State* state) {
  const auto& text = *static_cast<const Text*>(lua_touserdata(state, 1));
  lua_pushlstring(state, text.view.data(), text.view.size());
  return 1;
}

int make_coroutine(lua_State* state) {
  const int reference = *static_cast<const int*>(lua_touserdata(state, 1));
  lua_State* coroutine = lua_newthread(state);
  lua_rawsetp(state, LUA_REGISTRYINDEX, coroutine);  // or it would be collected
  lua_rawgeti(coroutine, LUA_REGISTRYINDEX, reference);
  lua_pushlightuserdata(state, coroutine);
  return 1;
}

int make_traceback(lua_State* state) {
  auto* coroutine = static_cast<lua_State*>(lua_touserdata(state, 1));
  luaL_traceback(state, coroutine, luaL_tolstring(coroutine, -1, nullptr), 0);
  return 1;
}

struct Setup {
  LuaService* service;
  const std::string* source;
  const std::string* chunk;
};

/// Opens the libraries and compiles the script. Returns its function.
int set_up(lua_State* state) {
  const auto& setup = *static_cast<const Setup*>(lua_touserdata(state, 1));
  luaL_openlibs(state);
  lua_getglobal(state, "os");
  lua_pushnil(state);
  lua_setfield(state, -2, "exit");  // it is not the script's process
  lua_pop(state, 1);
  open_wakepath(state);
  open_socket(state);
  if (luaL_loadbufferx(state, setup.source->data(), setup.source->size(), setup.chunk->c_str(), "t") != LUA_OK)
    return lua_error(state);
  return 1;
}

}  // namespace

LuaService::LuaService(Options options) : options_(std::move(options)), dispatch_(LUA_NOREF), callback_(LUA_NOREF) {
  heap_.limit = options_.memory_limit;
}

LuaService::~LuaService() {
  if (state_ != nullptr) lua_close(state_);
}

LuaService& LuaService::of(lua_State* state) { return **static_cast<LuaService**>(lua_getextraspace(state)); }

int LuaService::start(std::string& why) {
  state_ = lua_newstate(&LuaHeap::allocate, &heap_);
  if (state_ == nullptr) return -ENOMEM;
  *static_cast<LuaService**>(lua_getextraspace(state_)) = this;  // every coroutine gets a copy
  const std::string chunk = "@" + options_.name;
  Setup setup{.service = this, .source = &options_.source, .chunk = &chunk};
  if (!protect(&set_up, &setup, 1)) {
    why = failure_;
    return -EINVAL;
  }
  const int main = luaL_ref(state_, LUA_REGISTRYINDEX);
  if (lua_State* coroutine = new_coroutine(main); coroutine != nullptr) resume(coroutine, 0);
  luaL_unref(state_, LUA_REGISTRYINDEX, main);
  why = failure_;
  if (!why.empty()) return -EINVAL;
  run_ready();
  return 0;
}

/// Calls a C function of one argument where a Lua error does no harm. `results` are on the state's stack then. False
/// when there was an error: failure_ says which.
bool LuaService::protect(Protected function, void* argument, int results) {
  lua_pushcfunction(state_, function);
  lua_pushlightuserdata(state_, argument);
  if (lua_pcall(state_, 1, results, 0) == LUA_OK) return true;
  const char* text = lua_tostring(state_, -1);
  failure_ = text == nullptr ? "an error that is no text" : text;
  lua_pop(state_, 1);
  return false;
}

bool LuaService::push_text(lua_State* coroutine, std::string_view text) {
  Text given{text};
  if (!protect(&push_given_text, &given, 1)) return false;
  lua_xmove(state_, coroutine, 1);
  return true;
}

/// A coroutine with that function on its stack. Null, and logged, when there is no memory for it.
lua_State* LuaService::new_coroutine(int function_reference) {
  if (!protect(&make_coroutine, &function_reference, 1)) {
    log(failure_);
    return nullptr;
  }
  auto* coroutine = static_cast<lua_State*>(lua_touserdata(state_, -1));
  lua_pop(state_, 1);
  return coroutine;
}

/// Runs a coroutine until it waits or ends. `arguments` are on its stack.
void LuaService::resume(lua_State* coroutine, int arguments) {
  failure_.clear();
  lua_State* outer = std::exchange(running_, coroutine);
  blocked_ = false;
  int results = 0;
  const int status = lua_resume(coroutine, state_, arguments, &results);
  running_ = outer;
  if (status == LUA_YIELD && blocked_) return lua_pop(coroutine, results);
  if (status == LUA_YIELD) {
    failure_ = "a coroutine of the service has yielded by itself: nobody would resume it";
    log(failure_);
  } else if (status != LUA_OK) {
    if (protect(&make_traceback, coroutine, 1)) {
      failure_ = lua_tostring(state_, -1);
      lua_pop(state_, 1);
    }
    log(failure_);
  } else {
    std::string_view text;
    if (results > 0 && lua_type(coroutine, -results) == LUA_TSTRING) {
      size_t size = 0;
      const char* bytes = lua_tolstring(coroutine, -results, &size);
      text = {bytes, size};
    }
    answer(coroutine, text, false);
  }
  if (!failure_.empty()) {
    answer(coroutine, failure_, true);
    if (const auto client = clients_.find(coroutine); client != clients_.end()) give_up(client->second);
  }
  forget(coroutine);
}

/// It has ended: its variables that are to be closed are closed, and it may be collected.
void LuaService::forget(lua_State* coroutine) {
  clients_.erase(coroutine);
  lua_resetthread(coroutine);
  lua_pushnil(state_);
  lua_rawsetp(state_, LUA_REGISTRYINDEX, coroutine);
}

void LuaService::run_ready() {
  while (!ready_.empty()) {
    const Ready next = ready_.front();
    ready_.pop_front();
    resume(next.coroutine, next.arguments);
  }
}

Session LuaService::wait_for_session(lua_State* coroutine) noexcept {
  const Session session = next_session();
  sessions_[session] = coroutine;
  waits();
  return session;
}

void LuaService::wait_for_wakeup(lua_State* coroutine) noexcept {
  waiting_[coroutine] = true;
  waits();
}

bool LuaService::wakeup(lua_State* coroutine) noexcept {
  if (waiting_.erase(coroutine) == 0) return false;
  ready_.push_back({coroutine, 0});
  return true;
}

void LuaService::run_later(lua_State* coroutine, int arguments) noexcept { ready_.push_back({coroutine, arguments}); }

void LuaService::call_after(int64_t delay_ns, int reference) noexcept {
  const Session session = next_session();
  timeouts_[session] = reference;
  runtime().timeout(self(), session, delay_ns);
}

/// 0 when it cannot be sent, or when nobody waits for the answer.
Session LuaService::request(Handle to, std::string_view text, lua_State* waiter) noexcept {
  const Session session = waiter == nullptr ? 0 : next_session();
  const int error = runtime().send(
      to, {.kind = MessageKind::request, .source = self(), .session = session, .text = std::string(text)});
  if (error < 0 || waiter == nullptr) return error < 0 ? 0 : ~Session{0};
  sessions_[session] = waiter;
  waits();
  return session;
}

bool LuaService::answer(lua_State* coroutine, std::string_view text, bool failed) noexcept {
  if (requests_.empty()) return false;
  const auto request = requests_.extract(coroutine);
  if (request.empty()) return false;
  respond({.source = request.mapped().source, .session = request.mapped().session}, std::string(text), failed);
  return true;
}

void LuaService::on_timeout(Session session) {
  if (const auto sleeper = sessions_.extract(session); !sleeper.empty()) {
    resume(sleeper.mapped(), 0);
  } else if (const auto timer = timeouts_.extract(session); !timer.empty()) {
    lua_State* coroutine = new_coroutine(timer.mapped());
    luaL_unref(state_, LUA_REGISTRYINDEX, timer.mapped());
    if (coroutine != nullptr) resume(coroutine, 0);
  }
  run_ready();
}

void LuaService::on_request(Message& request) {
  if (dispatch_ == LUA_NOREF) return Service::on_request(request);
  lua_State* coroutine = new_coroutine(dispatch_);
  if (coroutine == nullptr || !push_text(coroutine, request.text)) return respond(request, failure_, true);
  lua_pushinteger(coroutine, request.source);
  if (request.session != 0) requests_[coroutine] = {.source = request.source, .session = request.session};
  resume(coroutine, 2);
  run_ready();
}

void LuaService::on_response(Message& response) {
  const auto waiter = sessions_.extract(response.session);
  if (waiter.empty()) return;
  lua_State* coroutine = waiter.mapped();
  const bool failed = response.kind == MessageKind::failure;
  lua_pushboolean(coroutine, failed ? 0 : 1);
  if (!push_text(coroutine, response.text)) lua_pushnil(coroutine);
  resume(coroutine, 2);
  run_ready();
}

}  // namespace wakepath::service
