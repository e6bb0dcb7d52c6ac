#include "src/service/http.hh"

#include <cstdio>

#include "tests/service/fixture.hh"

namespace wakepath::service {
namespace {

using Result = HttpReader::Result;

/// The status with which this request is refused; 0 when it is not.
int refused(const std::string& bytes) {
  HttpReader reader;
  reader.add(bytes);
  HttpRequest request;
  return reader.next(request) == Result::refused ? reader.status() : 0;
}

TEST(HttpReader, TakesARequestWithABodyHoweverItIsCut) {
  const std::string bytes = "POST /echo HTTP/1.1\r\nhost: a\r\nContent-LENGTH:  5 \r\n\r\nhelloGET / HTTP/1.0\r\n\r\n";
  for (const size_t piece : {1UL, 7UL, bytes.size()}) {
    HttpReader reader;
    std::vector<HttpRequest> requests;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.add(std::string_view(bytes).substr(at, piece));
      HttpRequest request;
      while (reader.next(request) == Result::request) requests.push_back(request);
    }
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].method, "POST");
    EXPECT_EQ(requests[0].target, "/echo");
    EXPECT_EQ(requests[0].body, "hello");
    EXPECT_TRUE(requests[0].keep_alive);
    EXPECT_EQ(requests[1].method, "GET");
    EXPECT_FALSE(requests[1].keep_alive) << "HTTP/1.0 ends after each";
  }
}

TEST(HttpReader, RefusesWhatItCannotBeSureOf) {
  const std::string host = "Host: a\r\n";
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + host + "\r\n"), 0);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(refused("GET /\r\n\r\n"), 400);
  EXPECT_EQ(refused("G(T / HTTP/1.1\r\n" + host + "\r\n"), 400);
  EXPECT_EQ(refused("GET /a b HTTP/1.1\r\n" + host + "\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/2.0\r\n" + host + "\r\n"), 505);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + host + "no colon\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + host + "Bad Name: x\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n" + host + "Content-Length: 3x\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999\r\n\r\n"), 413);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n"), 413);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n"), 501);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + host + "X: " + std::string(9000, 'x')), 431);
}

TEST(HttpAnswers, SayWhatIsThereAndWhatIsNot) {
  EXPECT_EQ(answer({.method = "GET", .target = "/?query"}, 0).body, "hello from wakepath\n");
  EXPECT_EQ(answer({.method = "GET", .target = "/stat"}, 7).body, "requests 7\n");
  EXPECT_EQ(answer({.method = "POST", .target = "/echo", .body = "abc"}, 0).body, "abc");
  EXPECT_EQ(answer({.method = "GET", .target = "/nowhere"}, 0).status, 404);
  EXPECT_EQ(answer({.method = "DELETE", .target = "/"}, 0).status, 405);
  EXPECT_EQ(answer({.method = "DELETE", .target = "/"}, 0).allow, "GET, HEAD");
  const std::string head = render({.body = "hello"}, true, true);
  EXPECT_NE(head.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << "HEAD has no body";
}

class HttpTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    run();
    launch_as<HttpService>();
  }
  std::string until_end(Client& client) { return client.receive(1 << 20); }
};

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInOrderOnOneConnection) {
  Client client(endpoint());
  client.send(
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  client.finish();
  const std::string all = until_end(client);
  const size_t hello = all.find("hello from wakepath"), abc = all.find("\r\n\r\nabc"), lost = all.find("404 Not Found");
  EXPECT_LT(hello, abc);
  EXPECT_LT(abc, lost);
  EXPECT_NE(lost, std::string::npos) << all;
}

TEST_F(HttpTest, ARefusedClientGetsItsAnswerThoughItGoesOnSending) {
  Client client(endpoint());
  client.send("NONSENSE\r\n\r\n");
  EXPECT_EQ(client.receive(24), "HTTP/1.1 400 Bad Request");
  client.send(std::string(100'000, 'x'));
  client.finish();
  EXPECT_NE(until_end(client).find("Connection: close"), std::string::npos);
}

class ImpatientHttpTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    run();
    launch_as<HttpService>(ListenAt{}, int64_t{30'000'000});
  }
};

TEST_F(ImpatientHttpTest, AClientThatSendsHalfARequestIsToldAndLetGo) {
  Client client(endpoint());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(client.receive(28), "HTTP/1.1 408 Request Timeout");
}

TEST_F(ImpatientHttpTest, AnIdleClientIsLetGoWithoutAWord) {
  Client client(endpoint());
  EXPECT_EQ(client.receive(1), "");
}

TEST_F(HttpTest, CurlIsContent) {
  auto curl = [&](const std::string& arguments) {
    const std::string command = "curl -s --max-time 10 " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "re");
    std::string text(4096, '\0');
    text.resize(fread(text.data(), 1, text.size(), pipe));
    pclose(pipe);
    return text;
  };
  if (curl("--version").find("curl ") == std::string::npos) GTEST_SKIP() << "no curl";
  const std::string url = "http://127.0.0.1:" + std::to_string(endpoint().port);
  EXPECT_EQ(curl(url + "/"), "hello from wakepath\n");
  EXPECT_EQ(curl("-d some=thing " + url + "/echo"), "some=thing");
  EXPECT_EQ(curl("-o /dev/null -w '%{http_code} %{num_connects}\\n' " + url + "/ " + "-o /dev/null " + url + "/stat"),
            "200 1\n200 0\n")
      << "the second request goes through the first one's connection";
  EXPECT_EQ(curl("-o /dev/null -w '%{http_code}' -X DELETE " + url + "/"), "405");
  EXPECT_NE(curl("-I " + url + "/").find("Content-Length: 20"), std::string::npos);
}

}  // namespace
}  // namespace wakepath::service
