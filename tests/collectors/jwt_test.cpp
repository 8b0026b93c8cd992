#include "collectors/jwt.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "rsa_key.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;

std::string decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

TEST(Jwt, IsSignedByTheKeyAndSaysWhatItIsFor) {
  const test::RsaKey key;
  const JwtClaims claims{"ACME.WEIR.SHA256:{public_key_sha256}", "ACME.WEIR", "aud", "a b", "k1", 55min};
  const auto token = sign_jwt(core::Secret(key.pem()), claims, core::Time(1'700'000'000s));
  ASSERT_TRUE(token) << token.error().describe();
  const std::string& text = token->reveal();
  const std::size_t dot = text.find('.');
  const std::size_t last = text.rfind('.');
  const auto header = nlohmann::json::parse(decoded(text.substr(0, dot)));
  EXPECT_EQ(header, (nlohmann::json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}}));
  const auto body = nlohmann::json::parse(decoded(text.substr(dot + 1, last - dot - 1)));
  EXPECT_EQ(body["iat"], 1'700'000'000);
  EXPECT_EQ(body["exp"], 1'700'003'300);
  EXPECT_EQ(body["sub"], "ACME.WEIR");
  EXPECT_EQ(body["aud"], "aud");
  EXPECT_EQ(body["scope"], "a b");
  const std::string issuer = body["iss"];
  EXPECT_TRUE(issuer.starts_with("ACME.WEIR.SHA256:"));
  EXPECT_EQ(issuer.size(), std::string("ACME.WEIR.SHA256:").size() + 44);  // 32 bytes in base 64
  const std::string signature = decoded(text.substr(last + 1));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  ASSERT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.key.get()), 1);
  EXPECT_EQ(EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                             reinterpret_cast<const unsigned char*>(text.data()), last),
            1);
}

TEST(Jwt, WhatIsNoKeyIsSaidAndNotShown) {
  const test::RsaKey key;
  for (const std::string& pem :
       {std::string("hunter2"), std::string(), key.pem("password"), key.pem().substr(0, 300)}) {
    const auto token = sign_jwt(core::Secret(pem), {"me", "", "", "", "", 1min}, core::Time{});
    ASSERT_FALSE(token);
    EXPECT_NE(token.error().message.find("no RSA key in PEM"), std::string::npos);
    EXPECT_EQ(token.error().describe().find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir::collectors
