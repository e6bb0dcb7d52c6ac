// The socket channel of services in Lua: many coroutines ask through one connection.

#include <algorithm>

#include "src/service/lua_service.hh"
#include "tests/service/fixture.hh"

namespace wakepath::service {
namespace {

/// Answers lines. In order: "echo X" -> "X"; "parts" -> three lines; "die" closes; "secret" opens the door, if it has
/// one. By session: "7 X" -> "7 X", but the answer to "slow" comes after the next one's.
constexpr const char* kServer = R"(
local listener = socket.listen('127.0.0.1', 0)
local connections = 0
socket.start(listener, function(id)
  socket.start(id)
  connections = connections + 1
  local late
  while true do
    local line = socket.readline(id)
    if not line or line == 'die' then break end
    if line == 'count' then socket.write(id, connections .. '\n')
    elseif line:match('slow') then late = line
    else
      socket.write(id, line .. '\n')
      if late then socket.write(id, late .. '\n') late = nil end
    end
  end
  socket.close(id)
end)
wakepath.dispatch(function(text)
  if text == 'end' then socket.shutdown(listener) end
  return 'ok'
end)
)";

/// A client whose requests run `body(text)`; `options` go to the channel.
std::string client(uint16_t port, const std::string& options, const std::string& body) {
  return "local sc = require('socketchannel')\n local channel\n"
         "local function line(c) return true, c:readline() end\n"
         "channel = sc.channel { host = '127.0.0.1', port = " +
         std::to_string(port) + ", " + options +
         " }\n"
         "wakepath.dispatch(function(text)\n local function protected(f, ...)\n local fine, data = pcall(f, ...)\n"
         "if fine then return data end\n return sc.is_error(data) and 'disconnected' or 'raised ' .. tostring(data) "
         "end\n" +
         body + " end)";
}

class SocketChannelTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    run();
    server_ = script(kServer);
    asker_ = launch(
        [&](Scripted& service) { service.response = [&](Scripted&, Message& message) { heard_.add(message.text); }; });
  }
  Handle script(std::string source) {
    const Launched launched =
        runtime_->launch(std::make_unique<LuaService>(LuaService::Options{.name = "test.lua", .source = source}));
    EXPECT_EQ(launched.error, 0) << launched.why;
    return launched.handle;
  }
  std::string call(Handle to, const std::string& text) {
    const size_t before = heard_.lines().size();
    ask(to, text, asker_, ++session_);
    heard_.wait_count(before + 1);
    return heard_.lines().back();
  }
  Handle server_ = 0, asker_ = 0;
  Session session_ = 0;
};

TEST_F(SocketChannelTest, ManyRequestsInOrderThroughOneConnection) {
  const Handle user = script(client(endpoint().port, "", "return channel:request(text .. '\\n', line)"));
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    ask(user, std::to_string(i), asker_, ++session_);
    expected.push_back(std::to_string(i));
  }
  ASSERT_TRUE(heard_.wait_count(50));
  EXPECT_EQ(heard_.lines(), expected);
  EXPECT_EQ(call(user, "count"), "1") << "one connection for all of them";
}

TEST_F(SocketChannelTest, AnswersInAnotherOrderFindTheirRequestsBySession) {
  const std::string by_session =
      "response = function(c) local session, data = c:readline():match('^(%d+) (.*)$')\n"
      "return tonumber(session), true, data end";
  const Handle user = script("local last = 0\n" + client(endpoint().port, by_session,
                                                         "last = last + 1\n"
                                                         "return channel:request(last .. ' ' .. text .. '\\n', last)"));
  ask(user, "slow", asker_, 1);
  ask(user, "quick", asker_, 2);
  ASSERT_TRUE(heard_.wait_count(2));
  EXPECT_EQ(heard_.lines(), (std::vector<std::string>{"quick", "slow"}));
}

TEST_F(SocketChannelTest, ALostConnectionEndsItsRequestsAndTheNextOneConnectsAgain) {
  const Handle user =
      script(client(endpoint().port, "", "return protected(channel.request, channel, text .. '\\n', line)"));
  EXPECT_EQ(call(user, "one"), "one");
  ask(user, "slow", asker_, ++session_);  // never answered
  EXPECT_EQ(call(user, "die"), "disconnected");
  ASSERT_TRUE(heard_.wait_count(3));
  EXPECT_EQ(call(user, "two"), "two");
  EXPECT_EQ(call(user, "count"), "2");
  const std::vector<std::string> lines = heard_.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "disconnected"), 2) << "the slow one, and the one that killed it";
}

TEST_F(SocketChannelTest, BackupAddressesAreTriedWhenTheFirstIsNotThere) {
  const uint16_t there = endpoint().port;
  const Handle other = script(kServer);
  const uint16_t not_there = endpoint().port;
  call(other, "end");
  const Handle user =
      script(client(not_there, "backup = { { host = '127.0.0.1', port = " + std::to_string(there) + " } }",
                    "return channel:request(text .. '\\n', line)"));
  EXPECT_EQ(call(user, "hello"), "hello");
  const Handle without =
      script(client(not_there, "", "local id, why = channel:connect(true) return tostring(id) .. ' ' .. why"));
  EXPECT_NE(call(without, "").find("Connection refused"), std::string::npos);
}

TEST_F(SocketChannelTest, AuthenticationComesBeforeAnythingElseAndItsFailureIsTold) {
  const Handle user =
      script(client(endpoint().port, "auth = function(c) assert(c:request('secret\\n', line) == 'secret') end",
                    "return channel:request(text .. '\\n', line)"));
  EXPECT_EQ(call(user, "hello"), "hello");
  const Handle rejected = script(client(endpoint().port, "auth = function(c) error('wrong password', 0) end",
                                        "local _, why = channel:connect(true) return why"));
  EXPECT_NE(call(rejected, "").find("authentication: wrong password"), std::string::npos);
}

TEST_F(SocketChannelTest, AnAnswerMayComeInParts) {
  const Handle user = script(
      client(endpoint().port, "",
             "local n = 0\n return table.concat(channel:request({ 'a\\n', 'b\\n', 'c\\n' }, function(c) n = n + 1\n"
             "return true, c:readline(), n < 3 end), '+')"));
  EXPECT_EQ(call(user, ""), "a+b+c");
}

TEST_F(SocketChannelTest, AReaderThatFailsEndsTheConnectionSinceItsAnswersCannotBeTold) {
  const Handle user =
      script(client(endpoint().port, "",
                    "local read = text == 'bad' and function() error('no such protocol', 0) end or line\n"
                    "return protected(channel.request, channel, text .. '\\n', read)"));
  EXPECT_EQ(call(user, "bad"), "raised no such protocol");
  EXPECT_EQ(call(user, "good"), "good");
  EXPECT_EQ(call(user, "count"), "2");
}

TEST_F(SocketChannelTest, AClosedChannelStaysClosedUntilItIsConnected) {
  const Handle user = script(client(endpoint().port, "",
                                    "if text == 'close' then channel:close() return 'closed' end\n"
                                    "if text == 'connect' then return channel:connect(true) and 'connected' end\n"
                                    "return protected(channel.request, channel, text .. '\\n', line)"));
  EXPECT_EQ(call(user, "one"), "one");
  EXPECT_EQ(call(user, "close"), "closed");
  EXPECT_EQ(call(user, "two"), "disconnected");
  EXPECT_EQ(call(user, "connect"), "connected");
  EXPECT_EQ(call(user, "three"), "three");
}

TEST_F(SocketChannelTest, OverloadIsToldAndTakenBack) {
  // A listener that nobody reads from, until it is drained.
  const Handle slow = script(
      "local listener = socket.listen('127.0.0.1', 0)\n local id\n"
      "socket.start(listener, function(accepted) id = accepted end)\n"
      "wakepath.dispatch(function() socket.start(id) while socket.read(id) do end return '' end)");
  const Handle user =
      script("local told = {}\n local waiter\n" +
             client(endpoint().port,
                    "overload = function(is) told[#told + 1] = tostring(is)\n"
                    "if waiter then wakepath.wakeup(waiter) end end",
                    "if text == 'flood' then for _ = 1, 16 do channel:request(('x'):rep(1 << 20)) end end\n"
                    "local wanted = text == 'flood' and 'true' or 'false'\n"
                    "waiter = coroutine.running()\n"
                    "while told[#told] ~= wanted do wakepath.wait() end\n return wanted"));
  EXPECT_EQ(call(user, "flood"), "true");
  ask(slow, "drain");
  EXPECT_EQ(call(user, "wait"), "false");
}

}  // namespace
}  // namespace wakepath::service
