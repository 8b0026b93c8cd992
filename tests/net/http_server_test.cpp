#include "net/http_server.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/raw_client.h"
#include "net/test_server.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

void hello(const ServerRequest& request, const std::shared_ptr<Responder>& responder) {
  if (request.path == "/none") return;  // drops the responder
  if (request.path == "/throw") throw std::runtime_error("broken");
  if (request.path == "/same") {
    ServerResponse response = ServerResponse::text(304, "");
    response.headers = {{"ETag", "\"1\""}};
    return responder->send(response);
  }
  if (request.path == "/parts") {
    ServerResponse response = ServerResponse::text(200, "one ");
    response.parts = {std::make_shared<const std::string>("two "), std::make_shared<const std::string>("three")};
    return responder->send(response);
  }
  responder->send(
      ServerResponse::text(200, request.method + " " + request.path + " [" + request.query + "] " + request.body));
}

std::string get(const std::string& path, const std::string& headers = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

std::string ask(const TestServer& server, std::string_view bytes) {
  RawClient client(server.port());
  client.send(bytes);
  client.end_sending();
  return client.read();
}

TEST(HttpServerTest, AnswersWithLengthTypeAndSecurityHeaders) {
  const TestServer server(hello);
  const std::string answer = ask(server, get("/a%20b?x=1"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nGET /a b [x=1] ")) << answer;
  for (const char* header :
       {"Content-Length: 15\r\n", "Content-Type: text/plain; charset=utf-8\r\n", "X-Content-Type-Options: nosniff\r\n",
        "Referrer-Policy: no-referrer\r\n", "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'"}) {
    EXPECT_NE(answer.find(header), std::string::npos) << header << "\n" << answer;
  }
}

TEST(HttpServerTest, KeepsAConnectionForSeveralRequests) {
  const TestServer server(hello);
  RawClient client(server.port());
  client.send(get("/one"));
  EXPECT_NE(client.read("/one").find("keep-alive"), std::string::npos);
  client.send(get("/two") + get("/three", "Connection: close\r\n"));  // pipelined
  const std::string rest = client.read();
  EXPECT_NE(rest.find("/two"), std::string::npos);
  EXPECT_NE(rest.find("/three"), std::string::npos);
}

TEST(HttpServerTest, AnHttp10ClientGetsItsAnswerAndTheEnd) {
  const TestServer server(hello);
  RawClient client(server.port());
  client.send("GET /x HTTP/1.0\r\n\r\n");
  const std::string answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
}

TEST(HttpServerTest, HeadHasTheLengthButNoBody) {
  const TestServer server(hello);
  const std::string answer = ask(server, "HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 11\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST(HttpServerTest, PartsFollowTheBody) {
  const TestServer server(hello);
  const std::string answer = ask(server, get("/parts"));
  EXPECT_NE(answer.find("Content-Length: 13\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("one two three")) << answer;
}

TEST(HttpServerTest, NotModifiedHasNeitherBodyNorLength) {
  const TestServer server(hello);
  RawClient client(server.port());
  client.send(get("/same") + get("/next", "Connection: close\r\n"));
  const std::string answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 304 Not Modified")) << answer;
  EXPECT_NE(answer.find("ETag: \"1\""), std::string::npos);
  EXPECT_NE(answer.find("GET /next"), std::string::npos) << "the connection must stay in step: " << answer;
}

TEST(HttpServerTest, ReadsABody) {
  const TestServer server(hello);
  EXPECT_TRUE(ask(server, "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
                  .ends_with("POST /p [] hello"));
}

TEST(HttpServerTest, OtherMethodsAre405WithWhatIsAllowed) {
  const TestServer server(hello);
  for (const char* method : {"PATCH", "OPTIONS", "TRACE", "BREW"}) {
    const std::string answer = ask(server, std::string(method) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
    EXPECT_NE(answer.find("Allow: GET, HEAD, POST, PUT, DELETE\r\n"), std::string::npos) << answer;
  }
}

TEST(HttpServerTest, MalformedInputIs400AndTheServerLivesOn) {
  const TestServer server(hello);
  const std::string_view cases[] = {
      "nonsense\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\r\nbad header\r\n\r\n",
      "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "GET /half"};
  for (const std::string_view bytes : cases) {
    EXPECT_TRUE(ask(server, bytes).starts_with("HTTP/1.1 400 ")) << bytes;
  }
  EXPECT_TRUE(ask(server, get("/")).starts_with("HTTP/1.1 200 "));
}

TEST(HttpServerTest, ClientsThatSayNothingOrLeaveAreNoProblem) {
  const TestServer server(hello);
  { const RawClient gone(server.port()); }
  EXPECT_EQ(ask(server, ""), "");
  EXPECT_TRUE(ask(server, get("/")).starts_with("HTTP/1.1 200 "));
}

TEST(HttpServerTest, AHeaderThatIsTooLargeIs431) {
  const TestServer server(hello);
  const std::string answer = ask(server, get("/", "X: " + std::string(20'000, 'x') + "\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
}

TEST(HttpServerTest, ABodyThatIsTooLargeIs413EvenIfTheClientSendsItAll) {
  const TestServer server(hello);
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n");
  client.send(std::string(3'000'000, 'x'));
  EXPECT_TRUE(client.read("\r\n\r\n").starts_with("HTTP/1.1 413 "));
}

TEST(HttpServerTest, AChunkedBodyThatIsTooLargeIs413) {
  const TestServer server(hello, {.body_bytes = 1000});
  const std::string answer =
      ask(server, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
                      std::string(2048, 'x') + "\r\n0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
}

TEST(HttpServerTest, AClientThatNeverFinishesItsRequestIsCutOff) {
  const TestServer server(hello, {.timeout = 50ms});
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(client.read(), "");
}

TEST(HttpServerTest, AClientThatDoesNotReadItsAnswerIsCutOff) {
  const auto big = std::make_shared<const std::string>(std::string(64U << 20U, 'x'));
  const TestServer server(
      [&](const ServerRequest&, const std::shared_ptr<Responder>& responder) {
        ServerResponse response;
        response.body = big;
        responder->send(response);
      },
      {.timeout = 100ms});
  {
    RawClient client(server.port());
    client.read_slowly();
    client.send(get("/"));
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (big.use_count() < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    while (big.use_count() > 1 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    EXPECT_EQ(big.use_count(), 1);
  }
}

TEST(HttpServerTest, TooManyConnectionsAre503) {
  const TestServer server(hello, {.connections = 2});
  RawClient first(server.port());
  RawClient second(server.port());
  first.send(get("/1"));
  second.send(get("/2"));
  first.read("/1");
  second.read("/2");
  EXPECT_TRUE(RawClient(server.port()).read().starts_with("HTTP/1.1 503 "));
}

TEST(HttpServerTest, ARequestUnderAnotherNameIsRefusedOnLoopback) {
  const TestServer server(hello);
  for (const char* host : {"evil.org", "127.evil.org:80", "localhost.evil.org"}) {
    EXPECT_TRUE(ask(server, std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n").starts_with("HTTP/1.1 421 "))
        << host;
  }
  EXPECT_TRUE(ask(server, "GET / HTTP/1.1\r\nHost: [::1]:9877\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST(HttpServerTest, TheHostOfAProxyBeforeItIsAnsweredToo) {
  const TestServer server(hello, {}, {}, url_host("http://Weir.internal:8080/sub"));
  const auto answer = [&](const std::string& host) {
    return ask(server, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  for (const char* host : {"weir.internal", "WEIR.internal", "weir.internal:8080", "weir.internal:443", "127.0.0.1"}) {
    EXPECT_TRUE(answer(host).starts_with("HTTP/1.1 200 ")) << host;
  }
  for (const char* host : {"evil.org", "weir.internal.evil.org", "weir.internal:x", "internal", "weir.internal."}) {
    EXPECT_TRUE(answer(host).starts_with("HTTP/1.1 421 ")) << host;
  }
  EXPECT_NE(answer("evil.org").find("external_url"), std::string::npos);
}

TEST(HttpServerTest, APortMayBeTakenBeforeItIsServed) {
  runtime::Loop loop;
  auto bound = HttpServer::bind(loop, {.listen = *parse_listen_address("127.0.0.1:0")});
  ASSERT_TRUE(bound) << bound.error().describe();
  RawClient early((*bound)->port());
  early.send(get("/"));
  (*bound)->serve(hello, {});
  std::thread thread([&] { loop.run(); });
  EXPECT_TRUE(early.read("hello").starts_with("HTTP/1.1 200 "));
  loop.stop();
  thread.join();
}

TEST(HttpServerTest, AnAnswerMayComeLaterFromAnotherThread) {
  std::promise<std::shared_ptr<Responder>> waiting;
  const TestServer server(
      [&](const ServerRequest&, std::shared_ptr<Responder> responder) { waiting.set_value(std::move(responder)); });
  RawClient client(server.port());
  client.send(get("/"));
  std::jthread worker([&] {
    auto responder = waiting.get_future().get();
    responder->send(ServerResponse::text(200, "late"));
    responder->send(ServerResponse::text(200, "twice"));
  });
  EXPECT_TRUE(client.read("late").ends_with("late"));
}

TEST(HttpServerTest, AHandlerThatForgetsOrThrowsIs500) {
  const TestServer server(hello);
  EXPECT_TRUE(ask(server, get("/none")).starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(ask(server, get("/throw")).starts_with("HTTP/1.1 500 "));
}

TEST(HttpServerTest, NoHandlerIsCalledOnceTheServerIsGone) {
  std::atomic<int> calls = 0;
  TestServer server([&](const ServerRequest&, const std::shared_ptr<Responder>& responder) {
    ++calls;
    responder->send(ServerResponse::text(200, "ok"));
  });
  RawClient client(server.port());
  client.send(get("/"));
  client.read("ok");
  server.close();
  std::promise<void> closed;
  server.loop().post([&] { closed.set_value(); });
  closed.get_future().wait();
  client.send(get("/"));
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(calls, 1);
}

TEST(HttpServerTest, ListensBeyondLoopbackOnlyWhenToldTo) {
  runtime::Loop loop;
  HttpServer::Options options{.listen = *parse_listen_address("0.0.0.0:0")};
  const auto refused = HttpServer::start(loop, options, hello, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, core::ErrorKind::denied);
  EXPECT_NE(refused.error().message.find("allow_remote"), std::string::npos);
  options.allow_remote = true;
  EXPECT_TRUE(HttpServer::start(loop, options, hello, {}));
}

TEST(HttpServerTest, APortInUseIsAnErrorThatNamesIt) {
  const TestServer server(hello);
  runtime::Loop loop;
  const std::string text = "127.0.0.1:" + std::to_string(server.port());
  const auto second = HttpServer::start(loop, {.listen = *parse_listen_address(text)}, hello, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, core::ErrorKind::unavailable);
  EXPECT_EQ(second.error().where, text);
}

class EventStreamTest : public testing::Test {
 protected:
  std::shared_ptr<EventStream> accepted() {
    auto future = opened_.get_future();
    EXPECT_EQ(future.wait_for(10s), std::future_status::ready);
    return future.get();
  }
  std::promise<std::shared_ptr<EventStream>> opened_;
  StreamHandler keep_ = [this](std::shared_ptr<EventStream> stream) { opened_.set_value(std::move(stream)); };
};

TEST_F(EventStreamTest, SendsEventsAsTheyAreWritten) {
  const TestServer server(hello, {}, keep_);
  RawClient client(server.port());
  client.send(get("/stream"));
  const std::string head = client.read("\n\n");
  EXPECT_NE(head.find("Content-Type: text/event-stream"), std::string::npos) << head;
  EXPECT_NE(head.find("nosniff"), std::string::npos) << head;
  const auto stream = accepted();
  EXPECT_TRUE(stream->write("event: a\n\n"));
  EXPECT_TRUE(stream->write("event: b\n\n"));
  EXPECT_NE(client.read("event: b\n\n").find("event: a\n\n"), std::string::npos);
  stream->close();
  EXPECT_EQ(client.read(), "");
  EXPECT_FALSE(stream->write("x"));
}

TEST_F(EventStreamTest, NoticesThatTheClientIsGone) {
  const TestServer server(hello, {}, keep_);
  std::shared_ptr<EventStream> stream;
  {
    RawClient client(server.port());
    client.send(get("/stream"));
    stream = accepted();
  }
  const auto give_up = std::chrono::steady_clock::now() + 10s;
  while (stream->write(": alive\n\n") && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_FALSE(stream->write(": alive\n\n"));
}

TEST_F(EventStreamTest, AClientThatReadsTooSlowlyIsDroppedNotBuffered) {
  const TestServer server(hello, {.stream_queue = 4}, keep_);
  RawClient client(server.port());
  client.read_slowly();
  client.send(get("/stream"));
  const auto stream = accepted();
  const std::string event(1U << 20U, 'x');
  int sent = 0;
  // What the kernel buffers is a few MB; without a bound this would go on for ever.
  while (sent < 10'000 && stream->write(event)) ++sent;
  EXPECT_LT(sent, 10'000);
}

}  // namespace
}  // namespace weir::net
