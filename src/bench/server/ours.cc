#include <unistd.h>

#include <functional>
#include <memory>
#include <utility>

#include "src/bench/server/counting_os.hh"
#include "src/bench/server/kind.hh"
#include "src/mirror/afterwards.hh"
#include "src/mirror/follower.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/step_log.hh"
#include "src/os/call_log.hh"
#include "src/os/linux_os.hh"
#include "src/os/recorded_os.hh"
#include "src/server/echo_service.hh"
#include "src/server/service_loop.hh"
#include "src/service/echo.hh"
#include "src/service/lua_service.hh"
#include "src/service/runtime.hh"

namespace wakepath::bench {

namespace {

constexpr uint64_t kRing = 16'384;  // slots of a thread
constexpr uint64_t kLog = 8192;     // the same where a mirror follows: few, since what waits in it is not followed yet
constexpr uint64_t kKept = 4'000'000;  // records of a running mirror
constexpr server::ListenOptions kListen{.backlog = 1024, .starts_accepted = true, .nodelay = true};

/// The running kernel, counted or mirrored where that is asked for.
struct Machine {
  explicit Machine(const Seat& seat) : seat_(seat), counting_(kernel_, seat.shared->calls) {
    if (seat.mirroring == Mirroring::off) return;
    const bool ring = seat.mirroring == Mirroring::ring;
    log_ = std::make_unique<os::CallLog>(ring ? mirror::ring_of(kRing) : os::CallLogOptions{.slots = kLog});
    recorded_ = std::make_unique<os::RecordedOs>(kernel_, *log_);
    steps_ = std::make_unique<mirror::StepLog>(*log_);
    mirror_ = std::make_unique<mirror::Mirror>(mirror::MirrorOptions{.ring = kKept});
    if (!ring) follower_ = std::make_unique<mirror::Follower>(*log_, *mirror_);
  }
  os::Os& os() {
    if (recorded_ != nullptr) return *recorded_;
    return seat_.count_calls ? static_cast<os::Os&>(counting_) : kernel_;
  }
  probe::Probe& probe() { return steps_ != nullptr ? static_cast<probe::Probe&>(*steps_) : nobody_; }
  void report() const {
    if (mirror_ == nullptr) return;
    if (follower_ != nullptr)
      follower_->catch_up();
    else
      mirror::follow_afterwards(*log_, *mirror_);
    const mirror::Figures figures = mirror_->figures();
    seat_.shared->mirror_checked = figures.checked;
    seat_.shared->mirror_lost = figures.lost;
    seat_.shared->mirror_divergences = figures.divergences;
    figures.first_divergence.copy(seat_.shared->first_divergence, sizeof seat_.shared->first_divergence - 1);
  }

 private:
  const Seat& seat_;
  os::LinuxOs kernel_;
  CountingOs counting_;
  probe::Probe nobody_;
  std::unique_ptr<mirror::Mirror> mirror_;
  std::unique_ptr<os::CallLog> log_;
  std::unique_ptr<os::RecordedOs> recorded_;
  std::unique_ptr<mirror::StepLog> steps_;
  std::unique_ptr<mirror::Follower> follower_;
};

/// The runtime as `wakepath serve` has it, with one service, until the seat says that it is over.
void serve_with(const Seat& seat, std::unique_ptr<service::Service> service, bool in_place = true) {
  Machine machine(seat);
  {
    service::Runtime runtime(machine.os(), machine.probe(), {.in_place = in_place});
    if (runtime.open() < 0) return;
    if (runtime.launch(std::move(service)).error < 0 || runtime.start() < 0) return;
    seat.tell(runtime.listening().front().port);
    char stop = 0;
    while (read(seat.stop_fd, &stop, 1) < 0) {
    }
  }
  machine.report();
}

void serve_script(const Seat& seat, std::string source) {
  serve_with(seat, std::make_unique<service::LuaService>(
                       service::LuaService::Options{.name = "bench.lua", .source = std::move(source)}));
}

}  // namespace

void serve_echo(const Seat& seat) {
  Machine machine(seat);
  constexpr server::ServiceId kOwner = 1;
  server::SocketServer server(machine.os(), machine.probe());
  if (server.open() < 0) return;
  const server::Opened listening = server.listen(kOwner, "127.0.0.1", 0, kListen);
  if (listening.error < 0) return;
  server::EchoService echo(server, kOwner);
  server::ServiceLoop loop(machine.os(), machine.probe(), server, echo, kOwner);
  server.start(kOwner, listening.id);
  seat.tell(listening.address.port);
  loop.run();
}

void serve_service(const Seat& seat) {
  serve_with(seat, std::make_unique<service::EchoService>(service::ListenAt{.options = kListen}));
}

void serve_workers(const Seat& seat) {
  serve_with(seat, std::make_unique<service::EchoService>(service::ListenAt{.options = kListen}), false);
}

void serve_lua(const Seat& seat) {
  serve_script(seat, R"(
    local listener = assert(socket.listen("127.0.0.1", 0, 1024))
    socket.callback(function(kind, id, what)
      if kind == "data" then
        socket.write(id, what)
      elseif kind == "accept" then
        socket.start(what)
      elseif kind == "close" or kind == "error" or kind == "reset" then
        if id ~= listener then socket.close(id) end
      end
    end)
    socket.start(listener))");
}

void serve_coroutine(const Seat& seat) {
  serve_script(seat, R"(
    local listener = assert(socket.listen("127.0.0.1", 0, 1024))
    socket.start(listener, function(id)
      socket.start(id)
      while true do
        local data = socket.read(id)
        if not data then break end
        socket.write(id, data)
      end
      socket.close(id)
    end))");
}

}  // namespace wakepath::bench
