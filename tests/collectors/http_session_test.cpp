#include "collectors/http_session.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "http_json_fixture.h"
#include "rsa_key.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;

class HttpSessionTest : public HttpJsonTest {};

TEST_F(HttpSessionTest, ATokenIsFetchedKeptAndFetchedAnewWhenItIsRefused) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}",
            "oauth2: {token_url: 'http://login/token', client_id: weir, client_secret: s, scopes: [read, list]}");
  service_.answers["POST http://login/token"] = {{200, {}, R"({"access_token": "one", "expires_in": 3600})"},
                                                 {200, {}, R"({"access_token": "two", "expires_in": 3600})"}};
  service_.answer("/a", R"({"a": 1})");
  ASSERT_TRUE(collect());
  EXPECT_EQ(service_.last.bearer.reveal(), "one");
  ASSERT_TRUE(collect());
  EXPECT_EQ(service_.requests, (std::vector<std::string>{"POST http://login/token", "GET /a", "GET /a"}));
  service_.answers["GET /a"] = {{401, {}, "{}"}, {200, {}, R"({"a": 2})"}};
  EXPECT_EQ(values(*collect()), (std::map<std::string, double>{{"a", 2}}));
  EXPECT_EQ(service_.last.bearer.reveal(), "two");
  now_ += 1h;
  service_.answers["POST http://login/token"] = {{400, {}, R"({"error": "invalid_client"})"}};
  const auto refused = collect();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().describe().find("invalid_client"), std::string::npos);
}

TEST_F(HttpSessionTest, CredentialsGoIntoAJsonBodyWithOtherParameters) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}",
            "oauth2: {token_url: 'http://login/token', client_id: weir, client_secret: s, credentials: json, "
            "parameters: {audience: x}}");
  service_.answers["POST http://login/token"] = {{201, {}, R"({"access_token": "one"})"}};
  service_.answer("/a", R"({"a": 1})");
  service_.failure = core::fail(ErrorKind::unavailable, "down").error();
  EXPECT_FALSE(collect());
  EXPECT_EQ(service_.last.body,
            R"({"audience":"x","client_id":"weir","client_secret":"s","grant_type":"client_credentials"})");
  service_.failure.reset();
  EXPECT_TRUE(collect());
  EXPECT_EQ(service_.last.bearer.reveal(), "one");
}

TEST_F(HttpSessionTest, AServicesOwnLoginGivesAToken) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}",
            "login: {url: 'http://service:8083/auth/token', username: weir, password: s}");
  service_.answers["POST /auth/token"] = {{201, {}, R"({"access_token": "one"})"}};
  service_.answer("/a", R"({"a": 1})");
  ASSERT_TRUE(collect());
  EXPECT_EQ(service_.last.bearer.reveal(), "one");
  now_ += 5min;
  service_.answers["POST /auth/token"] = {{401, {}, R"({"detail": "Invalid credentials"})"}};
  const auto refused = collect();
  ASSERT_FALSE(refused);
  EXPECT_EQ(service_.last.body, R"({"password":"s","username":"weir"})");
  EXPECT_NE(refused.error().describe().find("Invalid credentials"), std::string::npos);
}

TEST_F(HttpSessionTest, AServiceAccountGetsATokenForItsSignedAssertion) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("weir-account-" + std::to_string(::getpid()) + ".json");
  const test::RsaKey key;
  std::ofstream(path) << nlohmann::json{{"type", "service_account"},
                                        {"client_email", "weir@shop.iam"},
                                        {"private_key", key.pem()},
                                        {"private_key_id", "k1"},
                                        {"token_uri", "http://login/token"}};
  configure("- {path: /a, metrics: [{name: a, value: /a}]}",
            "google_service_account: {file: '" + path.string() + "', scopes: [read]}");
  std::filesystem::remove(path);
  service_.answers["POST http://login/token"] = {{200, {}, R"({"access_token": "one", "expires_in": 3599})"}};
  service_.failure = core::fail(ErrorKind::unavailable, "down").error();
  EXPECT_FALSE(collect());
  const std::string& body = service_.last.body;
  EXPECT_TRUE(body.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey"))
      << body;
  EXPECT_EQ(std::ranges::count(body, '.'), 2);
  EXPECT_FALSE(service_.last.basic_auth);
  service_.failure.reset();
  service_.answer("/a", R"({"a": 1})");
  EXPECT_TRUE(collect());
  EXPECT_EQ(service_.last.bearer.reveal(), "one");
}

TEST_F(HttpSessionTest, ASignedTokenIsTheBearerTokenAndMadeAnewBeforeItsEnd) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("weir-key-" + std::to_string(::getpid()) + ".pem");
  std::ofstream(path) << test::RsaKey().pem();
  configure(
      "- {path: /a, metrics: [{name: a, value: /a}]}",
      "jwt: {private_key_file: '" + path.string() + "', issuer: 'A.B.SHA256:{public_key_sha256}', lifetime: 10m}");
  std::filesystem::remove(path);
  service_.answer("/a", R"({"a": 1})");
  ASSERT_TRUE(collect());
  const std::string first = service_.last.bearer.reveal();
  EXPECT_TRUE(first.starts_with("ey"));
  ASSERT_TRUE(collect());
  EXPECT_EQ(service_.last.bearer.reveal(), first);
  now_ += 9min;
  ASSERT_TRUE(collect());
  EXPECT_NE(service_.last.bearer.reveal(), first);
}

}  // namespace
}  // namespace weir::collectors
