#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "src/service/runtime.hh"
#include "tests/server/fixture.hh"

namespace wakepath::service {

using server::Client;
using server::pattern;

/// What other threads say, in order, and a way to wait for it (at most ten seconds).
class Heard {
 public:
  void add(std::string line) {
    std::lock_guard hold(lock_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  bool wait_for(const std::string& part) {
    return wait([&] {
      for (const std::string& line : lines_)
        if (line.find(part) != std::string::npos) return true;
      return false;
    });
  }
  bool wait_count(size_t count) {
    return wait([&] { return lines_.size() >= count; });
  }
  std::vector<std::string> lines() {
    std::lock_guard hold(lock_);
    return lines_;
  }

 private:
  bool wait(const std::function<bool()>& enough) {
    std::unique_lock hold(lock_);
    return changed_.wait_for(hold, std::chrono::seconds(10), enough);
  }
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// A service made of lambdas, for one test.
class Scripted : public Service {
 public:
  explicit Scripted(std::string name = "scripted") : name_(std::move(name)) {}
  ~Scripted() override {
    if (at_end) at_end();
  }
  std::string_view name() const override { return name_; }
  bool always_quick() const override { return quick; }
  int start(std::string& why) override { return at_start ? at_start(*this, why) : 0; }
  void on_request(Message& message) override {
    if (request) return request(*this, message);
    Service::on_request(message);
  }
  void on_response(Message& message) override {
    if (response) response(*this, message);
  }
  void on_timeout(Session session) override {
    if (timed) timed(*this, session);
  }
  void on_accept(server::Message& message) override {
    if (accept) accept(*this, message);
  }
  void on_data(server::Message& message) override {
    if (data) data(*this, message);
  }
  void on_open(server::Message& message) override {
    if (open) open(*this, message);
  }

  using Service::log;
  using Service::next_session;
  using Service::respond;
  using Service::runtime;
  using Service::self;
  using Service::sockets;

  bool quick = false;
  std::function<int(Scripted&, std::string&)> at_start;
  std::function<void(Scripted&, Message&)> request, response;
  std::function<void(Scripted&, Session)> timed;
  std::function<void(Scripted&, server::Message&)> accept, data, open;
  std::function<void()> at_end;

 private:
  std::string name_;
};

/// A runtime on the running kernel whose log is heard. Leaves no descriptor behind.
class RuntimeTest : public server::DescriptorsStay {
 protected:
  Runtime& run(RuntimeOptions options = {}) { return run_on(os_, std::move(options)); }
  Runtime& run_on(os::Os& os, RuntimeOptions options = {}) {
    options.log = [this](Handle handle, std::string_view text) {
      log_.add(std::to_string(handle) + ": " + std::string(text));
    };
    runtime_ = std::make_unique<Runtime>(os, probe_, std::move(options));
    EXPECT_EQ(runtime_->open(), 0);
    EXPECT_EQ(runtime_->start(), 0);
    return *runtime_;
  }
  /// A Scripted service that `prepare` has prepared.
  Handle launch(const std::function<void(Scripted&)>& prepare, std::string name = {}) {
    auto service = std::make_unique<Scripted>();
    prepare(*service);
    const Launched launched = runtime_->launch(std::move(service), std::move(name));
    EXPECT_EQ(launched.error, 0) << launched.why;
    return launched.handle;
  }
  template <class S, class... Arguments>
  Handle launch_as(Arguments&&... arguments) {
    const Launched launched = runtime_->launch(std::make_unique<S>(std::forward<Arguments>(arguments)...));
    EXPECT_EQ(launched.error, 0) << launched.why;
    return launched.handle;
  }
  /// Where the service that listens last does.
  os::Endpoint endpoint() { return *runtime_->listening().back().ipv4(); }
  int ask(Handle to, std::string text, Handle from = 0, Session session = 0) {
    return runtime_->send(to,
                          {.kind = MessageKind::request, .source = from, .session = session, .text = std::move(text)});
  }
  void TearDown() override {
    runtime_.reset();
    DescriptorsStay::TearDown();
  }

  os::LinuxOs os_;
  probe::Probe probe_;
  Heard log_, heard_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace wakepath::service
