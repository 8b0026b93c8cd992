#include "net/http_client.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "net/raw_server.h"
#include "net/test_server.h"
#include "net/tls_identity.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;

/// Answers with the request's head and body.
void echo(const ServerRequest& request, const std::shared_ptr<Responder>& responder) {
  std::string text = request.method + " " + request.path + "?" + request.query + "\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
  responder->send(ServerResponse::text(request.path == "/missing" ? 404 : 200, text + "\n" + request.body));
}

class HttpClientTest : public testing::Test {
 protected:
  core::Result<HttpResponse> get(const std::string& url, std::size_t limit = 4U << 20U, core::Duration timeout = 10s) {
    HttpRequest request;
    request.url = url;
    request.max_response_bytes = limit;
    request.timeout = timeout;
    return client_->send(request);
  }
  std::unique_ptr<HttpClient> client_ = make_curl_client();
};

TEST_F(HttpClientTest, GetsAnAnswerWithItsHeaders) {
  const TestServer server(echo);
  const auto response = get(server.url("/a?b=c"));
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response->header("x-absent"), "");
  EXPECT_TRUE(response->body.starts_with("GET /a?b=c\n"));
}

TEST_F(HttpClientTest, PostsABodyWithHeadersAndCredentials) {
  const TestServer server(echo);
  HttpRequest request{
      .method = "POST", .url = server.url("/hook"), .headers = {{"Content-Type", "application/json"}}, .body = "{}"};
  request.basic_auth.emplace("weir", core::Secret("pa:ss"));
  const auto response = client_->send(request);
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_NE(response->body.find("content-type: application/json\n"), std::string::npos) << response->body;
  EXPECT_NE(response->body.find("authorization: Basic d2VpcjpwYTpzcw==\n"), std::string::npos) << response->body;
  EXPECT_TRUE(response->body.ends_with("\n\n{}"));
}

TEST_F(HttpClientTest, NothingOfARequestIsLeftForTheNextOnTheSameConnection) {
  const TestServer server(echo);
  HttpRequest first{.method = "POST", .url = server.url("/"), .headers = {{"X-First", "1"}}, .body = "body"};
  first.bearer = core::Secret("token");
  ASSERT_NE(client_->send(first)->body.find("authorization: Bearer token"), std::string::npos);
  const auto second = get(server.url("/"));
  EXPECT_TRUE(second->body.starts_with("GET /?\n"));
  EXPECT_EQ(second->body.find("uthorization"), std::string::npos) << second->body;
  EXPECT_EQ(second->body.find("x-first"), std::string::npos);
  EXPECT_EQ(second->body.find("body"), std::string::npos);
}

TEST_F(HttpClientTest, ConnectionsAreReused) {
  const RawServer server([](int fd) {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    while (!RawServer::read_head(fd).empty()) ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, AnyStatusIsAResponse) {
  const TestServer server(echo);
  EXPECT_EQ(get(server.url("/missing"))->status, 404);
  const RawServer broken(RawServer::answering("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"));
  EXPECT_EQ(get(broken.url())->body, "busy");
}

TEST_F(HttpClientTest, RedirectsAreNotFollowed) {
  const TestServer target(echo);
  const RawServer server(
      RawServer::answering("HTTP/1.1 302 Found\r\nLocation: " + target.url("/") + "\r\nContent-Length: 0\r\n\r\n"));
  const auto response = get(server.url());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->header("location"), target.url("/"));
}

TEST_F(HttpClientTest, ABodyPastTheLimitIsRefused) {
  const RawServer server(RawServer::answering("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x')));
  const auto response = get(server.url(), 99'999);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::limit);
  EXPECT_TRUE(get(server.url(), 100'000));
}

TEST_F(HttpClientTest, ACompressedBodyIsBoundedAsDecoded) {
  // 100,000 zero bytes, as gzip packs them.
  const char bytes[] =
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xf5\x4f\x6d\x0d\x0f\xa0"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x57\x03\x7d"
      "\x95\x11\xd4\xa0\x86\x01\x00";
  const std::string packed(bytes, sizeof bytes - 1);
  const RawServer server(RawServer::answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                                              std::to_string(packed.size()) + "\r\n\r\n" + packed));
  const auto response = get(server.url(), 99'999);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::limit);
  EXPECT_EQ(get(server.url(), 100'000)->body.size(), 100'000U);
}

TEST_F(HttpClientTest, ATimeoutIsNamedAsSuch) {
  const RawServer silent([](int fd) {
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) == 1) {
    }
  });
  const auto response = get(silent.url(), 100, 50ms);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::timeout);
  EXPECT_TRUE(response.error().retryable);
  EXPECT_EQ(response.error().message, "no complete answer within 50ms");
  EXPECT_EQ(get(silent.url(), 100, 0ms).error().kind, ErrorKind::timeout);
}

TEST_F(HttpClientTest, ARefusedConnectionIsUnavailable) {
  std::string url;
  {
    const RawServer gone([](int) {});
    url = gone.url();
  }
  const auto response = get(url);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(response.error().where, url.substr(0, url.size() - 1));
}

TEST_F(HttpClientTest, AnUnknownNameIsUnavailable) {
  const auto response = get("http://no-such-host.invalid/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::unavailable);
}

TEST_F(HttpClientTest, AnAnswerThatIsNoHttpOrStopsShortIsAProtocolError) {
  for (const char* bytes : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
                            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"}) {
    const RawServer server(RawServer::answering(bytes));
    const auto response = get(server.url());
    ASSERT_FALSE(response) << bytes;
    EXPECT_TRUE(response.error().kind == ErrorKind::protocol) << bytes << ": " << response.error().describe();
  }
  const RawServer empty([](int fd) { RawServer::read_head(fd); });
  EXPECT_EQ(get(empty.url()).error().kind, ErrorKind::unavailable);
}

TEST_F(HttpClientTest, OtherProtocolsAndMalformedUrlsAreInvalid) {
  for (const char* url :
       {"file:///etc/passwd", "ftp://localhost/", "gopher://localhost/", "http://", "", "http://localhost:99999/"}) {
    const auto response = get(url);
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().kind, ErrorKind::invalid) << url << ": " << response.error().describe();
  }
}

TEST_F(HttpClientTest, NoErrorShowsWhatAUrlMayHide) {
  for (const char* url : {"http://user:hunter2@127.0.0.1:1/hook", "http://127.0.0.1:1/services/hunter2",
                          "http://127.0.0.1:1/?token=hunter2", "http://user:hunter2/x@127.0.0.1:1/",
                          "ftp://user:hunter2@127.0.0.1:1/", "http://user:hunter2@127.0.0.1:99999/"}) {
    const auto response = get(url);
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().describe().find("hunter2"), std::string::npos) << response.error().describe();
  }
}

TEST_F(HttpClientTest, ALineBreakNeverReachesTheWire) {
  const RawServer server(RawServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  HttpRequest request{.url = server.url(), .headers = {{"X", "a\r\nInjected: 1"}}};
  EXPECT_EQ(client_->send(request).error().kind, ErrorKind::invalid);
  EXPECT_EQ(get(server.url("/a\r\nX: 1")).error().kind, ErrorKind::invalid);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpClientTest, SeveralAreSentAtOnceNeverMoreThanAllowedAndAnsweredInOrder) {
  std::vector<std::pair<std::string, std::shared_ptr<Responder>>> held;
  std::size_t most = 0;
  const TestServer server([&](const ServerRequest& request, const std::shared_ptr<Responder>& responder) {
    held.emplace_back(request.path, responder);
    most = std::max(most, held.size());
    if (held.size() < 4) return;  // one at a time would wait here until it is too late
    std::ranges::reverse(held);
    for (const auto& [path, waiting] : std::exchange(held, {})) waiting->send(ServerResponse::text(200, path));
  });
  std::vector<HttpRequest> requests;
  for (int i = 0; i < 12; ++i) requests.push_back({.url = server.url("/" + std::to_string(i)), .timeout = 10s});
  const auto results = client_->send_all(requests, 4);
  ASSERT_EQ(results.size(), 12U);
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(results[i]) << results[i].error().describe();
    EXPECT_EQ(results[i]->body, "/" + std::to_string(i));
  }
  EXPECT_EQ(most, 4U);
}

TEST_F(HttpClientTest, OfSeveralEachHasItsOwnError) {
  const TestServer server(echo);
  std::vector<HttpRequest> requests{{.url = server.url("/a")},
                                    {.url = "ftp://host/"},
                                    {.url = "http://127.0.0.1:1/"},
                                    {.url = server.url("/b"), .max_response_bytes = 1},
                                    {.url = server.url("/missing")}};
  const auto results = client_->send_all(requests, 8);
  ASSERT_TRUE(results[0]);
  EXPECT_TRUE(results[0]->body.starts_with("GET /a?"));
  EXPECT_EQ(results[1].error().kind, ErrorKind::invalid);
  EXPECT_EQ(results[2].error().kind, ErrorKind::unavailable);
  EXPECT_EQ(results[3].error().kind, ErrorKind::limit);
  EXPECT_EQ(results[4]->status, 404);
}

TEST_F(HttpClientTest, AStopRequestEndsThemAll) {
  std::stop_source stop;
  const RawServer silent([&](int fd) {
    RawServer::read_head(fd);
    stop.request_stop();
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) == 1) {
    }
  });
  const std::vector<HttpRequest> requests(5, {.url = silent.url(), .timeout = 60s});
  for (const auto& result : client_->send_all(requests, 2, stop.get_token())) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::cancelled);
  }
}

TEST_F(HttpClientTest, AStopRequestEndsATransfer) {
  std::stop_source stop;
  const RawServer silent([&](int fd) {
    RawServer::read_head(fd);
    stop.request_stop();
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) == 1) {
    }
  });
  HttpRequest request{.url = silent.url(), .timeout = 60s};
  const auto response = client_->send(request, stop.get_token());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::cancelled);
}

/// Answers every request over TLS as `identity`.
class TlsServer {
 public:
  explicit TlsServer(const TlsIdentity& identity) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to clients that have left
    SSL_CTX_use_certificate_file(context_.get(), identity.certificate_file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), identity.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()) + "/"; }

 private:
  void serve(int fd) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(tls.get(), fd);
    if (SSL_accept(tls.get()) != 1) return;
    char buffer[4096];
    if (SSL_read(tls.get(), buffer, sizeof buffer) <= 0) return;
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";
    SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(tls.get());
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  RawServer server_{[this](int fd) { serve(fd); }};
};

class TlsTest : public HttpClientTest {
 protected:
  TlsTest() { std::filesystem::create_directories(folder_); }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }
  core::Result<HttpResponse> get_trusting(const std::string& url, const std::string& ca_file) {
    HttpRequest request{.url = url};
    request.ca_file = ca_file;
    return client_->send(request);
  }
  std::string folder_ = testing::TempDir() + "/weir_tls_" + std::to_string(::getpid());
};

TEST_F(TlsTest, AnUnknownAuthorityIsRefusedWithAHint) {
  const TlsIdentity identity(folder_, "IP:127.0.0.1");
  const TlsServer server(identity);
  const auto response = get(server.url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::denied);
  EXPECT_NE(response.error().message.find("certificate is not trusted"), std::string::npos) << response.error().message;
  EXPECT_NE(response.error().message.find("ca_file"), std::string::npos);
}

TEST_F(TlsTest, AnAuthorityThatIsGivenIsTrusted) {
  const TlsIdentity identity(folder_, "IP:127.0.0.1");
  const TlsServer server(identity);
  const auto response = get_trusting(server.url(), identity.certificate_file);
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->body, "secret");
}

TEST_F(TlsTest, ACertificateThatIsOverOrToComeIsNamed) {
  for (const auto& [begin, end, words] :
       {std::tuple(-7200L, -3600L, "has expired"), std::tuple(3600L, 7200L, "is not valid yet")}) {
    const TlsIdentity identity(folder_, "IP:127.0.0.1", begin, end);
    const TlsServer server(identity);
    const auto response = get_trusting(server.url(), identity.certificate_file);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::denied);
    EXPECT_NE(response.error().message.find(std::string("the server's TLS certificate ") + words), std::string::npos)
        << response.error().message;
    EXPECT_NE(response.error().message.find("clock"), std::string::npos);
    EXPECT_EQ(response.error().message.find("ca_file"), std::string::npos);
  }
}

TEST_F(TlsTest, ACertificateOfAnotherHostIsRefused) {
  const TlsIdentity identity(folder_, "DNS:other.example");
  const TlsServer server(identity);
  const auto response = get_trusting(server.url(), identity.certificate_file);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::denied);
}

TEST_F(TlsTest, AMissingAuthorityFileIsNamed) {
  const TlsIdentity identity(folder_, "IP:127.0.0.1");
  const TlsServer server(identity);
  const auto response = get_trusting(server.url(), folder_ + "/none.pem");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::denied);
  EXPECT_NE(response.error().message.find("none.pem"), std::string::npos) << response.error().message;
}

}  // namespace
}  // namespace weir::net
