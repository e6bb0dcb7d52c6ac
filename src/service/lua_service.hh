#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/service/lua_socket.hh"
#include "src/service/service.hh"

struct lua_State;

namespace wakepath::service {

/// The memory of one Lua state: no more than `limit` bytes. A state that wants more gets Lua's error "not enough
/// memory", which the script can catch.
struct LuaHeap {
  size_t used = 0;
  size_t limit = 0;
  static void* allocate(void* heap, void* block, size_t old_size, size_t new_size);
};

/// A service that is a script of Lua 5.4, with a state of its own. README.md has its functions; lua_api.cc and
/// lua_socket_api.cc are where they are made.
///
/// Debian's Lua for C raises errors with longjmp, which would skip destructors. (The one for C++ throws instead, and
/// takes 29 us for each coroutine that waits, where this takes less than one.) Hence the rule of this class: whatever
/// can raise an error (everything that allocates or checks arguments) is called either by a C function whose frame has
/// nothing to destroy, or within protect(); and what those functions call of C++ is noexcept and raises nothing.
class LuaService final : public Service {
 public:
  struct Options {
    std::string name;                        ///< for people: the file's name
    std::string source;                      ///< the script
    uint16_t port = 0;                       ///< wakepath.port: where the script is to listen, if it wants to know
    size_t memory_limit = size_t{64} << 20;  ///< bytes
  };

  explicit LuaService(Options options);
  ~LuaService() override;

  std::string_view name() const override { return options_.name; }
  int start(std::string& why) override;
  void on_open(server::Message& message) override;
  void on_accept(server::Message& message) override;
  void on_data(server::Message& message) override;
  void on_udp(server::Message& message) override;
  void on_close(server::Message& message) override;
  void on_error(server::Message& message) override;
  void on_warning(server::Message& message) override;
  void on_timeout(Session session) override;
  void on_request(Message& request) override;
  void on_response(Message& response) override;

  // ---- for the C functions of the two _api files. None of these raises a Lua error or throws.
  static LuaService& of(lua_State* state);
  using Service::log;
  using Service::runtime;
  using Service::self;
  using Service::sockets;
  uint16_t port() const noexcept { return options_.port; }
  size_t memory() const noexcept { return heap_.used; }
  /// Whether `state` is the coroutine that the service itself has resumed: others cannot wait.
  bool may_wait(lua_State* state) const noexcept { return state == running_; }
  /// The running coroutine is about to yield, and will be resumed: by the answer to `session`, by wakeup(), …
  void waits() noexcept { blocked_ = true; }
  Session wait_for_session(lua_State* coroutine) noexcept;
  void wait_for_wakeup(lua_State* coroutine) noexcept;
  bool wakeup(lua_State* coroutine) noexcept;
  /// `coroutine` has a function and `arguments` on its stack: to be run when the present one waits or ends.
  void run_later(lua_State* coroutine, int arguments) noexcept;
  /// A new session whose timeout calls the function that is kept as `reference`.
  void call_after(int64_t delay_ns, int reference) noexcept;
  Session request(Handle to, std::string_view text, lua_State* waiter) noexcept;
  /// Answers the request that the coroutine was made for. False when there is none, or it was answered before.
  bool answer(lua_State* coroutine, std::string_view text, bool failed) noexcept;
  LuaSockets& socket_table() noexcept { return lua_sockets_; }
  void set_dispatch(int reference) noexcept { dispatch_ = reference; }
  int dispatch_reference() const noexcept { return dispatch_; }
  void set_callback(int reference) noexcept { callback_ = reference; }
  int callback_reference() const noexcept { return callback_; }

 private:
  struct Request {
    Handle source = 0;
    Session session = 0;
  };
  struct Ready {
    lua_State* coroutine;
    int arguments;
  };
  using Protected = int (*)(lua_State*);

  // lua_service.cc
  bool protect(Protected function, void* argument, int results);
  bool push_text(lua_State* coroutine, std::string_view text);
  lua_State* new_coroutine(int function_reference);
  void resume(lua_State* coroutine, int arguments);
  void run_ready();
  void forget(lua_State* coroutine);

  // lua_socket_events.cc
  void wake_reader(server::SocketId id, LuaSocket& socket);
  void over(server::SocketId id, std::string_view why, bool gone);
  void spawn(int function_reference, server::SocketId id, std::string_view first, std::string_view second,
             bool answers_for = false);
  bool call_back(const server::Message& message);
  void give_up(server::SocketId id);

  Options options_;
  LuaHeap heap_;
  lua_State* state_ = nullptr;
  lua_State* running_ = nullptr;
  bool blocked_ = false;
  std::string failure_;  // of the coroutine that ended last, if it failed
  int dispatch_;
  int callback_;
  std::deque<Ready> ready_;
  std::unordered_map<lua_State*, Request> requests_;  // none of these is walked through
  std::unordered_map<Session, lua_State*> sessions_;
  std::unordered_map<Session, int> timeouts_;
  std::unordered_map<lua_State*, bool> waiting_;
  std::unordered_map<lua_State*, server::SocketId> clients_;  // the connection that a coroutine was made for
  LuaSockets lua_sockets_;
};

}  // namespace wakepath::service
