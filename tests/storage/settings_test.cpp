#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/store.h"

namespace weir::storage {
namespace {

using ::testing::HasSubstr;

StorageSettings parse(const std::string& yaml, config::Diagnostics& diagnostics) {
  return parse_storage_section(config::parse_yaml(yaml, "weir.yml", diagnostics), diagnostics);
}

TEST(StorageSection, HasDefaults) {
  config::Diagnostics diagnostics;
  const StorageSettings settings = parse("", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(settings.path, "weir.db");
  EXPECT_EQ(settings.history, std::chrono::days(400));
}

TEST(StorageSection, ReadsItsKeys) {
  config::Diagnostics diagnostics;
  const StorageSettings settings = parse("{path: /var/lib/weir/weir.db, history: 30d}", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(settings.path, "/var/lib/weir/weir.db");
  EXPECT_EQ(settings.history, std::chrono::days(30));
}

TEST(StorageSection, NamesEveryMistakeWithItsPlace) {
  config::Diagnostics diagnostics;
  (void)parse("path: ''\nhistory: 5m\npth: x\n", diagnostics);
  const std::string all = diagnostics.to_string();
  EXPECT_THAT(all, HasSubstr("weir.yml:1:7: storage: \"path\": must not be empty"));
  EXPECT_THAT(all, HasSubstr("weir.yml:2:10: storage: \"history\": must be at least 1d"));
  EXPECT_THAT(all, HasSubstr("weir.yml:3:1: storage: unknown key \"pth\" (did you mean \"path\"?)"));
}

TEST(StorageSection, ReadsAPostgresServer) {
  config::Diagnostics diagnostics;
  const StorageSettings settings = parse(
      "{url: 'postgresql://weir@db/monitoring', password: s3cret, sslmode: verify-full, sslrootcert: /etc/hosts, "
      "schema: weir_prod, connect_timeout: 3s, statement_timeout: 20s, lock_timeout: 1s, history: 30d}",
      diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_TRUE(settings.postgres);
  EXPECT_EQ(settings.postgres->url.reveal(), "postgresql://weir@db/monitoring");
  EXPECT_EQ(settings.postgres->password.reveal(), "s3cret");
  EXPECT_EQ(settings.postgres->sslmode, "verify-full");
  EXPECT_EQ(settings.postgres->sslrootcert, "/etc/hosts");
  EXPECT_EQ(settings.postgres->schema, "weir_prod");
  EXPECT_EQ(settings.postgres->connect_timeout, std::chrono::seconds(3));
  EXPECT_EQ(settings.postgres->statement_timeout, std::chrono::seconds(20));
  EXPECT_EQ(settings.postgres->lock_timeout, std::chrono::seconds(1));
  EXPECT_EQ(settings.history, std::chrono::days(30));
}

TEST(StorageSection, AuthoritiesAreBesideTheFileThatNamesThem) {
  const auto read = [](const std::string& authorities, config::Diagnostics& diagnostics) {
    const std::string yaml = "{url: 'postgresql://weir@db/m', sslrootcert: " + authorities + "}";
    return parse_storage_section(config::parse_yaml(yaml, "/etc/weir/weir.yml", diagnostics), diagnostics);
  };
  config::Diagnostics diagnostics;
  EXPECT_EQ(read("ca.pem", diagnostics).postgres->sslrootcert, "/etc/weir/ca.pem");
  EXPECT_EQ(read("system", diagnostics).postgres->sslrootcert, "system");
}

TEST(StorageSection, NamesMistakesOfAServerAndShowsNoSecret) {
  config::Diagnostics diagnostics;
  (void)parse(
      "url: 'postgresql://weir:hunter2@db:x/m'\npath: weir.db\nsslmode: verify\nschema: pg_weir\n"
      "statement_timeout: 1h\n",
      diagnostics);
  const std::string all = diagnostics.to_string();
  EXPECT_THAT(all, HasSubstr("weir.yml:1:6: storage: \"url\": the url's port is no number"));
  EXPECT_THAT(all, HasSubstr("weir.yml:2:7: storage: \"path\": is of a SQLite file; give either that or url"));
  EXPECT_THAT(all, HasSubstr("weir.yml:3:10: storage: \"sslmode\""));
  EXPECT_THAT(all, HasSubstr("weir.yml:4:9: storage: \"schema\""));
  EXPECT_THAT(all, HasSubstr("weir.yml:5:20: storage: \"statement_timeout\": must be from 100ms to 1m"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("hunter2")));
}

TEST(StorageSection, KeysOfAServerWithoutItsUrlAreAMistake) {
  config::Diagnostics diagnostics;
  (void)parse("{password: x, schema: weir}", diagnostics);
  const std::string all = diagnostics.to_string();
  EXPECT_THAT(all, HasSubstr("storage: \"password\": is of a PostgreSQL server, whose url is missing"));
  EXPECT_THAT(all, HasSubstr("storage: \"schema\": is of a PostgreSQL server, whose url is missing"));
}

}  // namespace
}  // namespace weir::storage
