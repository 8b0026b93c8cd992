#include "sql/postgres_url.h"

#include <gtest/gtest.h>

namespace weir::sql {
namespace {

TEST(PostgresUrl, AcceptsWhatLibpqAccepts) {
  for (const char* url :
       {"postgresql://weir@db/shop", "postgres://db", "postgresql://", "postgresql:///shop?host=/run/pg",
        "postgresql://u:p%40ss@h1:5432,h2:5433/shop?sslmode=require", "postgresql://u@[::1]:5432/x",
        "postgresql://u@[::1]/x"}) {
    EXPECT_TRUE(check_postgres_url(url)) << url;
  }
}

TEST(PostgresUrl, NamesTheMistakeButNotTheUrl) {
  for (const char* url : {"", "db.example/shop", "mysql://weir:hunter2@db/shop", "postgresql://weir:hun%ter2@db/shop",
                          "postgresql://weir:hunter2@db:99999/shop", "postgresql://weir:hunter2@db:0/shop",
                          "postgresql://weir:hunter2@db/shop?port=99999", "postgresql://weir:hunter2@db:port/shop",
                          "postgresql://weir:hunter2/x@db:5432/shop", "postgresql://weir:hunter2 @db/shop",
                          "postgresql://weir:hunter2@db:5432%/shop"}) {
    const auto checked = check_postgres_url(url);
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().message.find("hun"), std::string::npos) << checked.error().message;
  }
}

TEST(PostgresUrl, NamesAParameterThatLibpqDoesNotKnow) {
  const auto said = [](const char* url) {
    const auto checked = check_postgres_url(url);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(said("postgresql://db/shop?sslmod=verify-full"),
            "the url has a parameter \"sslmod\" that libpq does not know (did you mean \"sslmode\"?)");
  EXPECT_EQ(said("postgresql://db/shop?connect_timeout=5&sslmode=verfy-full"),
            "the url's sslmode is not one of disable, allow, prefer, require, verify-ca, verify-full (did you mean "
            "\"verify-full\"?)");
  EXPECT_NE(said("postgresql://db/shop?sslmode"), "");
  EXPECT_EQ(said("postgresql://db/shop?"), "");
  EXPECT_EQ(said("postgresql://weir:what?hunter2@db/shop").find("hunter"), std::string::npos);
  EXPECT_NE(said("postgresql://weir@db/shop?hunter2=x").find("libpq does not know"), std::string::npos);
  EXPECT_EQ(said("postgresql://weir@db/shop?hunter2=x").find("hunter"), std::string::npos);
  EXPECT_EQ(said("postgresql://weir:what?hunter2=x@db/shop").find("hunter"), std::string::npos);
}

TEST(PostgresUrl, AddsParametersEncoded) {
  EXPECT_EQ(with_parameters("postgresql://db/shop", {{"application_name", "weir"}, {"password", "a&b=c d%'é"}}),
            "postgresql://db/shop?application_name=weir&password=a%26b%3Dc%20d%25%27%C3%A9");
  EXPECT_EQ(with_parameters("postgresql://db/shop?sslmode=require", {{"connect_timeout", "5"}}),
            "postgresql://db/shop?sslmode=require&connect_timeout=5");
}

TEST(PostgresUrl, ShowsAnAddressWithoutCredentials) {
  EXPECT_EQ(address_of("postgresql://weir:hunter2@db:5432/shop?password=hunter2"), "db:5432/shop");
  EXPECT_EQ(address_of("postgresql://weir:hunter@2@db/shop"), "db/shop");
  EXPECT_EQ(address_of("postgresql:///shop"), "the local socket/shop");
}

}  // namespace
}  // namespace weir::sql
