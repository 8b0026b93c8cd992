#include "notify/http_delivery.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

HttpTarget target(const std::string& url = "https://hooks.slack.com/services/T0000/B0000/XXXXsecretXXXX") {
  HttpTarget made;
  made.name = "receiver \"team\", slack_configs[0]";
  made.url = core::Secret(url);
  return made;
}

std::expected<net::HttpResponse, DeliveryError> post(FakeHttp& http, const HttpTarget& to = target()) {
  return post_json(http, to, "{}", {{"Idempotency-Key", "k"}}, {.now = at(0), .timeout = 7s});
}

TEST(PostJson, SendsTheBodyWithItsTypeAndTheDeadline) {
  FakeHttp http;
  HttpTarget to = target("http://a/hook");
  to.http.basic_auth = {"weir", core::Secret("pass")};
  to.http.tls.ca_file = "/ca.pem";
  ASSERT_TRUE(post(http, to));
  const net::HttpRequest& request = http.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://a/hook");
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.timeout, 7s);
  EXPECT_EQ(request.basic_auth->first, "weir");
  EXPECT_EQ(request.ca_file, "/ca.pem");
  EXPECT_THAT(request.headers, ::testing::UnorderedElementsAre(std::pair{"Idempotency-Key", "k"},
                                                               std::pair{"Content-Type", "application/json"}));
  EXPECT_LE(request.max_response_bytes, 64U << 10U);
}

TEST(PostJson, CredentialsOfAFileAreReadAnewForEachRequest) {
  const std::string file = ::testing::TempDir() + "/weir_credentials_" + std::to_string(::getpid());
  struct Way {
    const char* config;
    std::string (*sent)(const net::HttpRequest&);
  };
  const auto header = [](const net::HttpRequest& request) {
    const auto found = std::ranges::find(request.headers, "Authorization", &std::pair<std::string, std::string>::first);
    return found == request.headers.end() ? std::string() : found->second;
  };
  for (const auto& [config, sent] :
       {Way{"bearer_token_file: FILE", [](const net::HttpRequest& request) { return request.bearer.reveal(); }},
        Way{"authorization: {credentials_file: FILE}",
            [](const net::HttpRequest& request) { return request.bearer.reveal(); }},
        Way{"authorization: {type: Token, credentials_file: FILE}", header},
        Way{"basic_auth: {username: u, password_file: FILE}",
            [](const net::HttpRequest& request) { return request.basic_auth->second.reveal(); }}}) {
    std::ofstream(file) << "token-one\n";
    std::string text = config;
    text.replace(text.find("FILE"), 4, file);
    config::Diagnostics diagnostics;
    const config::Node node =
        config::parse_yaml("url: http://a/hook\nhttp_config: {" + text + "}", "weir.yml", diagnostics);
    config::MapReader reader(node, diagnostics, "webhook");
    const HttpTarget to = parse_http_target(reader, "url");
    reader.finish();
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    FakeHttp http;
    ASSERT_TRUE(post(http, to));
    EXPECT_THAT(sent(http.requests.at(0)), ::testing::EndsWith("token-one")) << text;
    std::ofstream(file) << "token-two\n";
    http.answer(403, "no such token-two");
    const auto refused = post(http, to);
    EXPECT_THAT(sent(http.requests.at(1)), ::testing::EndsWith("token-two")) << text;
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().error.message, Not(HasSubstr("token-two"))) << "it is no less a secret";
    std::filesystem::remove(file);
    ASSERT_TRUE(post(http, to));
    EXPECT_THAT(sent(http.requests.at(2)), ::testing::EndsWith("token-one")) << "as long as it cannot be read";
  }
}

HttpTarget with_oauth2(const std::string& more = "") {
  config::Diagnostics diagnostics;
  const config::Node node = config::parse_yaml(
      "url: http://a/hook\nhttp_config: {oauth2: {token_url: 'http://login/token', client_id: 'we ir', client_secret: "
      "hunter22, scopes: [read, write], endpoint_params: {audience: a&b}, tls_config: {server_name: login.example}" +
          more + "}}",
      "weir.yml", diagnostics);
  config::MapReader reader(node, diagnostics, "receiver \"team\", webhook_configs[0]");
  HttpTarget target = parse_http_target(reader, "url");
  reader.finish();
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return target;
}

TEST(PostJson, AnOauth2TokenIsFetchedOnceAndSent) {
  FakeHttp http;
  const HttpTarget to = with_oauth2();
  http.answer(200, R"({"access_token": "t1", "expires_in": 3600, "token_type": "Bearer"})");
  ASSERT_TRUE(post(http, to));
  ASSERT_TRUE(post(http, to));
  ASSERT_EQ(http.requests.size(), 3U);
  const net::HttpRequest& asked = http.requests[0];
  EXPECT_EQ(asked.url, "http://login/token");
  EXPECT_EQ(asked.body, "grant_type=client_credentials&scope=read+write&audience=a%26b");
  EXPECT_EQ(asked.basic_auth->first, "we+ir");
  EXPECT_EQ(asked.basic_auth->second.reveal(), "hunter22");
  EXPECT_EQ(asked.server_name, "login.example");
  EXPECT_EQ(http.requests[1].bearer.reveal(), "t1");
  EXPECT_EQ(http.requests[2].bearer.reveal(), "t1");
}

TEST(PostJson, AnOauth2TokenThatIsRefusedOrOldIsFetchedAnewOnce) {
  FakeHttp http;
  const HttpTarget to = with_oauth2();
  http.answer(200, R"({"access_token": "t1", "expires_in": 29})");
  http.answer(200);
  http.answer(200, R"({"access_token": "t2"})");
  http.answer(401);
  http.answer(200, R"({"access_token": "t3"})");
  http.answer(401);
  ASSERT_TRUE(post(http, to));
  const auto refused = post(http, to);
  ASSERT_FALSE(refused) << "29 s are as good as over, and t2 and t3 are refused";
  EXPECT_EQ(http.requests.size(), 6U);
  EXPECT_EQ(http.requests[3].bearer.reveal(), "t2");
  EXPECT_EQ(http.requests[5].bearer.reveal(), "t3");
}

TEST(PostJson, WithoutAnOauth2TokenTheMessageWaits) {
  const HttpTarget to = with_oauth2();
  for (const auto& [status, body] : {std::pair{401, "bad secret hunter22"}, {200, "{}"}, {200, "no json"}, {503, ""}}) {
    FakeHttp http;
    http.answer(status, body);
    const auto failed = post(http, to);
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().error.retryable);
    EXPECT_THAT(failed.error().error.message, AllOf(HasSubstr("oauth2: no token"), Not(HasSubstr("hunter22"))));
    EXPECT_EQ(http.requests.size(), 1U) << "nothing is posted";
  }
}

TEST(ParseHttpConfig, WhatIsWrongWithOauth2AndTlsIsNamed) {
  config::Diagnostics diagnostics;
  const config::Node node = config::parse_yaml(
      "url: http://a/hook\nhttp_config:\n  bearer_token: x\n  tls_config: {server_name: 'a b'}\n  oauth2: {token_url: "
      "nowhere, "
      "client_id: a, scope: b}",
      "weir.yml", diagnostics);
  config::MapReader reader(node, diagnostics, "receiver");
  (void)parse_http_target(reader, "url");
  const std::string mistakes = diagnostics.to_string();
  for (const char* says : {"\"client_secret\" is missing", "is no host's name", "did you mean \"scopes\"",
                           "is not a URL", "give either \"oauth2\" or another"})
    EXPECT_THAT(mistakes, HasSubstr(says));
}

TEST(PostJson, StatusesAreSuccessRetryableOrFinal) {
  for (const int status : {200, 201, 202, 204, 299}) {
    FakeHttp http;
    http.answer(status);
    EXPECT_TRUE(post(http)) << status;
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 599}) {
    FakeHttp http;
    http.answer(status);
    const auto refused = post(http);
    ASSERT_FALSE(refused) << status;
    EXPECT_TRUE(refused.error().error.retryable) << status;
  }
  for (const int status : {301, 302, 400, 401, 403, 404, 410, 413, 422}) {
    FakeHttp http;
    http.answer(status);
    const auto refused = post(http);
    ASSERT_FALSE(refused) << status;
    EXPECT_FALSE(refused.error().error.retryable) << status;
  }
}

TEST(PostJson, SaysWhatWasAnswered) {
  FakeHttp http;
  http.answer(404, "no_service\r\n");
  http.answer(302);
  EXPECT_EQ(post(http).error().error.describe(), "receiver \"team\", slack_configs[0]: answered 404: no_service");
  EXPECT_THAT(post(http).error().error.message, HasSubstr("answered 302, a redirect, which is not followed"));
}

TEST(PostJson, RetryAfterIsReadWhereAnotherAttemptMakesSense) {
  FakeHttp http;
  http.answer(429, "slow down", {{"retry-after", "30"}});
  http.answer(503, "", {{"retry-after", "Tue, 14 Nov 2023 22:14:20 GMT"}});
  http.answer(404, "", {{"retry-after", "30"}});
  EXPECT_EQ(post(http).error().retry_after, 30s);
  EXPECT_EQ(post(http).error().retry_after, 60s);
  EXPECT_FALSE(post(http).error().retry_after);
}

TEST(PostJson, NetworkErrorsAreRetryableExceptABadUrlAndLoseTheirUrl) {
  for (const auto kind : {core::ErrorKind::unavailable, core::ErrorKind::timeout, core::ErrorKind::denied,
                          core::ErrorKind::protocol, core::ErrorKind::limit, core::ErrorKind::invalid}) {
    FakeHttp http;
    http.fail({.kind = kind,
               .message = "cannot reach https://hooks.slack.com/services/T0000/B0000/XXXXsecretXXXX now",
               .retryable = false,
               .where = "https://hooks.slack.com/services/T0000/B0000/XXXXsecretXXXX"});
    const DeliveryError failed = post(http).error();
    EXPECT_EQ(failed.error.retryable, kind != core::ErrorKind::invalid);
    EXPECT_EQ(failed.error.describe(), "receiver \"team\", slack_configs[0]: cannot reach <secret> now");
  }
}

TEST(Shown, HidesEveryPartThatMayBeASecret) {
  HttpTarget to = target("https://user:hunter2@host.example/hook/abcdefghijkl?token=qwertyuiop&v=1");
  to.http.basic_auth = {"weir", core::Secret("basicpw")};
  to.http.bearer = core::Secret("bearertoken");
  for (const char* text :
       {"Cannot POST /hook/abcdefghijkl?token=qwertyuiop&v=1", "no route abcdefghijkl", "token qwertyuiop is bad",
        "user:hunter2", "basicpw", "Bearer bearertoken", "at https://user:hunter2@host.example/hook/abcdefghijkl"}) {
    EXPECT_THAT(shown(text, to),
                AllOf(HasSubstr("<secret>"), Not(HasSubstr("abcdefghijkl")), Not(HasSubstr("qwertyuiop")),
                      Not(HasSubstr("hunter2")), Not(HasSubstr("basicpw")), Not(HasSubstr("bearertoken"))))
        << text;
  }
  EXPECT_EQ(shown("host.example refused", to), "host.example refused") << "the host may be named";
  EXPECT_EQ(shown("the answer / of a root", target("http://a/")), "the answer / of a root");
}

TEST(Shown, IsOneLineAndShort) {
  const HttpTarget to = target();
  EXPECT_EQ(shown("a\nb\tc\r\n", to), "a b c");
  EXPECT_EQ(shown(std::string(100'000, 'x'), to).size(), 203U);
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "é";
  const std::string cut = shown("x" + accents, to);
  EXPECT_TRUE(cut.ends_with("é…")) << "cut between characters";
  // A secret at the edge is not shown in part.
  EXPECT_THAT(shown(std::string(195, 'x') + "XXXXsecretXXXX", to), Not(HasSubstr("XXXXs")));
}

TEST(RetryAfter, IsSecondsOrADateOrNothing) {
  const core::Time now = at(0);
  EXPECT_EQ(parse_retry_after("0", now), 0s);
  EXPECT_EQ(parse_retry_after("120", now), 120s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:13:50 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2023 22:13:00 GMT", now), 0s) << "in the past: now";
  EXPECT_EQ(parse_retry_after("999999", now), 24h) << "nobody waits longer than a day";
  EXPECT_EQ(parse_retry_after("99999999999999999999999", now), 24h);
  EXPECT_EQ(parse_retry_after("Tue, 14 Nov 2090 22:13:00 GMT", now), 24h);
  for (const char* nothing : {"", "-5", "soon", "1.5", "12s", "Tue, 14 Foo 2023 22:13:50 GMT"}) {
    EXPECT_FALSE(parse_retry_after(nothing, now)) << nothing;
  }
}

}  // namespace
}  // namespace weir::notify
