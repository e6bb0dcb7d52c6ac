// Services in Lua, as their clients and their neighbours see them.

#include <cstdio>
#include <fstream>
#include <sstream>

#include "src/service/lua_service.hh"
#include "tests/service/fixture.hh"

namespace wakepath::service {
namespace {

class LuaTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    run();
  }
  Launched try_script(std::string source, size_t memory = size_t{64} << 20) {
    return runtime_->launch(std::make_unique<LuaService>(
        LuaService::Options{.name = "test.lua", .source = std::move(source), .memory_limit = memory}));
  }
  Handle script(std::string source, size_t memory = size_t{64} << 20) {
    const Launched launched = try_script(std::move(source), memory);
    EXPECT_EQ(launched.error, 0) << launched.why;
    return launched.handle;
  }
  static std::string asset(const std::string& name) {
    std::ifstream file(std::string(WAKEPATH_SOURCE_DIR) + "/assets/services/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  /// A script that runs `body` for each connection, with `id` and `address`.
  Handle per_connection(const std::string& body) {
    return script(
        "local listener = socket.listen('127.0.0.1', 0)\n"
        "socket.start(listener, function(id, address)\n socket.start(id)\n" +
        body + "\n socket.close(id)\nend)");
  }
  /// What the script answers.
  std::string call(Handle to, const std::string& text) {
    if (asker_ == 0)
      asker_ = launch([&](Scripted& service) {
        service.response = [&](Scripted&, Message& message) {
          heard_.add((message.kind == MessageKind::failure ? "failure " : "") + message.text);
        };
      });
    const size_t before = heard_.lines().size();
    if (ask(to, text, asker_, ++session_) < 0) return "nobody there";
    heard_.wait_count(before + 1);
    return heard_.lines().back();
  }
  Handle asker_ = 0;
  Session session_ = 0;
};

TEST_F(LuaTest, EchoWithACoroutineAConnection) {
  script(asset("echo.lua"));
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(endpoint());
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < clients.size(); ++i) clients[i].send("client " + std::to_string(i));
    for (size_t i = 0; i < clients.size(); ++i) {
      const std::string expected = "client " + std::to_string(i);
      EXPECT_EQ(clients[i].receive(expected.size()), expected);
    }
  }
  const std::string large = pattern(4 << 20);
  const int writer = os_.thread_start("writer", [&] { clients[0].send(large); });
  EXPECT_TRUE(clients[0].receive(large.size()) == large);
  os_.thread_join(writer);
  clients[1].finish();
  EXPECT_EQ(clients[1].receive_end(), 0);
}

TEST_F(LuaTest, EchoWithACallback) {
  script(asset("echo_callback.lua"));
  Client client(endpoint());
  for (const std::string text : {"one", "two"}) {
    client.send(text);
    EXPECT_EQ(client.receive(3), text);
  }
  client.finish();
  EXPECT_EQ(client.receive_end(), 0);
}

TEST_F(LuaTest, ReadsLinesNumbersOfBytesAndTheRest) {
  per_connection(
      "local line = socket.readline(id)\n local five = socket.read(id, 5)\n local crlf = socket.readline(id, "
      "'\\r\\n')\n"
      "socket.write(id, { line, '|', five, '|', crlf, '|' })\n socket.write(id, socket.readall(id))");
  Client client(endpoint());
  for (const char letter : std::string("a line\n12345other\rline\r\nthe rest")) client.send(std::string(1, letter));
  client.finish();
  EXPECT_EQ(client.receive(100), "a line|12345|other\rline|the rest");
}

TEST_F(LuaTest, AReadThatTheEndCutsShortGetsNilAndWhatThereWas) {
  per_connection("local all, part = socket.read(id, 10)\n socket.write(id, tostring(all) .. ' ' .. part)");
  Client client(endpoint());
  client.send("four");
  client.finish();
  EXPECT_EQ(client.receive(100), "nil four");
}

TEST_F(LuaTest, AnErrorClosesItsConnectionLogsATracebackAndLeavesTheOthersAlone) {
  per_connection(
      "while true do\n local data = socket.read(id)\n if not data then break end\n"
      "if data == 'fail' then local nothing; nothing.field = 1 end\n socket.write(id, data)\n end");
  Client good(endpoint()), bad(endpoint());
  good.send("good");
  EXPECT_EQ(good.receive(4), "good");
  bad.send("fail");
  EXPECT_LE(bad.receive_end(), 0);
  good.send("still");
  EXPECT_EQ(good.receive(5), "still");
  EXPECT_TRUE(log_.wait_for("attempt to index a nil value (local 'nothing')"));
  EXPECT_TRUE(log_.wait_for("stack traceback:"));
}

TEST_F(LuaTest, TimeoutsSleepsAndForksComeInOrder) {
  const Handle handle = script(
      "local order, nap = {}, wakepath.sleep\n local function note(text) order[#order + 1] = text end\n"
      "wakepath.timeout(0.004, function() note('timeout') end)\n"
      "wakepath.fork(function(a, b) note('fork ' .. a .. b) nap(0.001) note('slept') end, 1, 2)\n"
      "note('main')\n"
      "wakepath.dispatch(function() nap(0.01) return table.concat(order, ', ') end)");
  EXPECT_EQ(call(handle, ""), "main, fork 12, slept, timeout");
}

TEST_F(LuaTest, ServicesCallEachOtherAndErrorsComeBackToTheCaller) {
  const Handle inner = script(
      "wakepath.dispatch(function(text)\n if text == 'fail' then error('inner trouble') end\n"
      "if text == 'early' then wakepath.ret('early answer') end\n return text:upper() end)");
  const Handle outer =
      script("local inner = " + std::to_string(inner) +
             "\nwakepath.dispatch(function(text)\n local fine, answer = pcall(wakepath.call, inner, text)\n"
             "return (fine and 'got ' or 'caught ') .. answer end)");
  EXPECT_EQ(call(outer, "hello"), "got HELLO");
  EXPECT_EQ(call(outer, "early"), "got early answer");
  EXPECT_NE(call(outer, "fail").find("inner trouble"), std::string::npos);
  EXPECT_EQ(call(outer, "hello"), "got HELLO") << "it goes on";
}

TEST_F(LuaTest, WaitAndWakeup) {
  const Handle handle = script(
      "local waiter\n local told = 'nothing'\n"
      "wakepath.dispatch(function(text)\n if text == 'wake' then told = 'woken' return "
      "tostring(wakepath.wakeup(waiter)) end\n"
      "waiter = coroutine.running() wakepath.fork(function() told = 'forked' wakepath.wakeup(waiter) end)\n"
      "wakepath.wait() return told end)");
  EXPECT_EQ(call(handle, "wait"), "forked");
  EXPECT_EQ(call(handle, "wake"), "false") << "nobody waits any more";
}

TEST_F(LuaTest, AStateHasItsLimitAndTheScriptCanCatchThat) {
  const Handle handle = script(
      "wakepath.dispatch(function(text)\n"
      "local fine, why = pcall(function() local t = {} for i = 1, 1e7 do t[i] = i .. 'x' end end)\n"
      "collectgarbage() return tostring(why) end)",
      2 << 20);
  EXPECT_EQ(call(handle, ""), "not enough memory");
  EXPECT_EQ(call(handle, ""), "not enough memory") << "it is still there";
}

TEST_F(LuaTest, AMessageThatDoesNotFitIsAnErrorOfThatConnectionAlone) {
  script(
      "local listener = socket.listen('127.0.0.1', 0)\n socket.start(listener, function(id) socket.start(id)\n"
      "local all = socket.readall(id) socket.write(id, tostring(all)) socket.close(id) end)",
      1 << 20);
  Client large(endpoint());
  large.send(std::string(3 << 20, 'x'));
  large.finish();
  EXPECT_EQ(large.receive(100), "nil");
  Client small(endpoint());
  small.send("small");
  small.finish();
  EXPECT_EQ(small.receive(100), "small");
}

TEST_F(LuaTest, AScriptThatCannotStartSaysWhy) {
  EXPECT_NE(try_script("this is no Lua").why.find("test.lua:1:"), std::string::npos);
  EXPECT_NE(try_script("error('on purpose')").why.find("test.lua:1: on purpose"), std::string::npos);
  EXPECT_NE(try_script("local t = {} while true do t[#t + 1] = {} end", 1 << 20).why.find("not enough memory"),
            std::string::npos);
  EXPECT_EQ(try_script("return", 1000).error, -ENOMEM);
  EXPECT_TRUE(runtime_->list().empty());
}

TEST_F(LuaTest, WhoCannotWaitIsToldSo) {
  const Handle handle = script(
      "wakepath.dispatch(function()\n local own = coroutine.wrap(function() return pcall(wakepath.sleep, 0) end)\n"
      "local _, why = own() return why end)");
  EXPECT_NE(call(handle, "").find("only a coroutine that wakepath has made can wait here"), std::string::npos);
  const Handle yields = script("wakepath.dispatch(function() coroutine.yield() end)");
  EXPECT_NE(call(yields, "").find("has yielded by itself"), std::string::npos);
}

TEST_F(LuaTest, ConnectsToItselfAndHearsOfRefusals) {
  const Handle handle = script(
      "local listener, port = socket.listen('127.0.0.1', 0)\n"
      "socket.start(listener, function(id) socket.start(id) socket.write(id, socket.readline(id) .. '!\\n') "
      "socket.close(id) end)\n"
      "wakepath.dispatch(function(text)\n"
      "if text == 'refused' then socket.shutdown(listener) end\n"
      "local id, why = socket.connect('127.0.0.1', port)\n if not id then return 'no: ' .. why end\n"
      "socket.write(id, text .. '\\n') local answer = socket.readline(id) socket.close(id) return answer end)");
  EXPECT_EQ(call(handle, "hello"), "hello!");
  EXPECT_NE(call(handle, "refused").find("Connection refused"), std::string::npos);
}

TEST_F(LuaTest, DatagramsGoThereAndBack) {
  const Handle handle = script(
      "local server, port = socket.udp(function(id, data, from) socket.sendto(id, from, 'got ' .. data) end, "
      "'127.0.0.1', 0)\n"
      "local waiter, answer, peer\n"
      "local client = socket.udp_dial(function(_, data, from) answer, peer = data, socket.udp_address(from) "
      "wakepath.wakeup(waiter) end,\n"
      "'127.0.0.1', port)\n"
      "wakepath.dispatch(function(text) waiter = coroutine.running() socket.write(client, text) wakepath.wait()\n"
      "return answer .. (peer == '127.0.0.1:' .. port and ' from there' or ' from elsewhere') end)");
  EXPECT_EQ(call(handle, "datagram"), "got datagram from there");
}

TEST_F(LuaTest, AServiceThatExitsClosesItsSockets) {
  per_connection("socket.read(id) wakepath.exit()");
  Client client(endpoint());
  client.send("go");
  EXPECT_LE(client.receive_end(), 0);
}

TEST_F(LuaTest, RespIsUnderstoodByAPersonAndByRedisCli) {
  script(asset("resp.lua"));
  Client client(endpoint());
  client.send(
      "PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nv\r\nal\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$4\r\nINCR\r\n$"
      "1\r\nn\r\nNONSENSE\r\n");
  const std::string expected = "+PONG\r\n+OK\r\n$5\r\nv\r\nal\r\n:1\r\n-ERR unknown command\r\n";
  EXPECT_EQ(client.receive(expected.size()), expected);
  client.send("*99999\r\n");
  EXPECT_EQ(client.receive(100), "-ERR Protocol error\r\n");
  auto redis = [&](const std::string& words) {
    const std::string command = "redis-cli -p " + std::to_string(endpoint().port) + " " + words + " 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "re");
    std::string text(256, '\0');
    text.resize(fread(text.data(), 1, text.size(), pipe));
    pclose(pipe);
    return text;
  };
  if (redis("--version").empty()) GTEST_SKIP() << "no redis-cli";
  EXPECT_EQ(redis("ping"), "PONG\n");
  EXPECT_EQ(redis("set greeting 'hello there'"), "OK\n");
  EXPECT_EQ(redis("get greeting"), "hello there\n");
  EXPECT_EQ(redis("get nothing"), "\n");
}

}  // namespace
}  // namespace wakepath::service
