#include "collectors/kafka_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::collectors {
namespace {

using testing::HasSubstr;
using testing::Not;

class FakeHttp : public net::HttpClient {
 public:
  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    asked = request;
    return net::HttpResponse{.status = status, .headers = {}, .body = body};
  }
  net::HttpRequest asked;
  int status = 200;
  std::string body;
};

const core::Time kNow{std::chrono::seconds(1'700'000'000)};

class FetchToken : public testing::Test {
 protected:
  core::Result<kafka::Token> fetch() { return fetch_token(http_, settings_, kNow, {}); }

  FakeHttp http_;
  kafka::TokenSettings settings_{.url = "http://id/token",
                                 .client_id = "weir",
                                 .client_secret = core::Secret("hunter2"),
                                 .scope = "kafka read/all",
                                 .extensions = {},
                                 .ca_file = {}};
};

TEST_F(FetchToken, AsksByTheGrantOfClientCredentials) {
  http_.body = R"({"access_token": "opaque", "expires_in": 300})";
  const auto token = fetch();
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(http_.asked.method, "POST");
  EXPECT_EQ(http_.asked.body, "grant_type=client_credentials&scope=kafka%20read%2Fall");
  ASSERT_TRUE(http_.asked.basic_auth);
  EXPECT_EQ(http_.asked.basic_auth->first, "weir");
  EXPECT_EQ(token->value.reveal(), "opaque");
  EXPECT_EQ(token->principal, "weir");
  EXPECT_EQ(token->expires, kNow + std::chrono::seconds(300));
}

TEST_F(FetchToken, TakesPrincipalAndExpiryFromAJsonWebToken) {
  // {"sub":"service-weir","exp":1700000060}
  http_.body =
      R"({"access_token": "e30.eyJzdWIiOiJzZXJ2aWNlLXdlaXIiLCJleHAiOjE3MDAwMDAwNjB9.c2ln", "expires_in": 300})";
  const auto token = fetch();
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->principal, "service-weir");
  EXPECT_EQ(token->expires, kNow + std::chrono::seconds(60));
}

TEST_F(FetchToken, ARefusalIsDeniedAndShowsNoSecret) {
  http_.status = 401;
  http_.body = R"({"error": "invalid_client"})";
  const auto token = fetch();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, core::ErrorKind::denied);
  EXPECT_THAT(token.error().message, HasSubstr("HTTP 401 (invalid_client); check sasl.oauthbearer.client.id"));
  EXPECT_THAT(token.error().message, Not(HasSubstr("hunter2")));
}

TEST_F(FetchToken, AnEndpointInTroubleIsWorthAnotherTry) {
  http_.status = 503;
  http_.body = "<html>";
  EXPECT_EQ(fetch().error().kind, core::ErrorKind::unavailable);
}

TEST_F(FetchToken, OddAnswersAreNoTokens) {
  for (const char* body : {"", "null", "[]", "{}", R"({"access_token": 5})", R"({"access_token": ""})", "\xff\xfe"}) {
    http_.body = body;
    const auto token = fetch();
    ASSERT_FALSE(token) << body;
    EXPECT_EQ(token.error().kind, core::ErrorKind::protocol) << body;
  }
}

TEST_F(FetchToken, OddClaimsFallBackToTheAnswer) {
  for (const char* token : {"a.b", "a.!!.c", "a.W10.c", "..", "a.eyJzdWIiOjUsImV4cCI6IngifQ.c"}) {
    http_.body = std::string(R"({"access_token": ")") + token + R"(", "expires_in": 10})";
    const auto got = fetch();
    ASSERT_TRUE(got) << token;
    EXPECT_EQ(got->principal, "weir") << token;
    EXPECT_EQ(got->expires, kNow + std::chrono::seconds(10)) << token;
  }
}

TEST_F(FetchToken, LifetimesThatCannotBeAreAnHourOrOver) {
  http_.body = R"({"access_token": "opaque", "expires_in": 1e300})";
  EXPECT_EQ(fetch()->expires, kNow + std::chrono::hours(1));
  http_.body = R"({"access_token": "opaque", "expires_in": -5})";
  EXPECT_EQ(fetch()->expires, kNow);
  http_.body = R"({"access_token": "opaque"})";
  EXPECT_EQ(fetch()->expires, kNow + std::chrono::hours(1));
}

}  // namespace
}  // namespace weir::collectors
