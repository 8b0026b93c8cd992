#include "sql/registry.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sql {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Parsed {
  SourceSettings settings;
  config::Diagnostics diagnostics;
};

Parsed parse(const std::string& yaml) {
  Parsed parsed;
  const config::Node node = config::parse_yaml(yaml, "conf/weir.yml", parsed.diagnostics);
  parsed.settings = parse_source(node, parsed.diagnostics);
  return parsed;
}

TEST(SourceRegistry, MakesASourceOfEachType) {
  const auto postgres =
      parse("{name: wh, type: postgres, url: 'postgresql://weir@db/shop', password: x, lock_timeout: 1s}");
  EXPECT_TRUE(postgres.diagnostics.ok()) << postgres.diagnostics.to_string();
  const auto source = make_source(postgres.settings);
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->name(), "wh");
  EXPECT_EQ((*source)->dialect().name(), "postgres");

  const auto mariadb = parse(
      "{name: wh, type: mariadb, host: db, user: weir, password: x, database: shop, ca_file: /etc/hosts, "
      "max_connections: "
      "2}");
  EXPECT_TRUE(mariadb.diagnostics.ok()) << mariadb.diagnostics.to_string();
  EXPECT_EQ((*make_source(mariadb.settings))->dialect().name(), "mysql");

  for (const OdbcDialect& dialect : odbc_dialects()) {
    const auto odbc =
        parse("{name: wh, type: odbc, dialect: " + std::string(dialect.name) + ", dsn: warehouse, user: weir}");
    EXPECT_TRUE(odbc.diagnostics.ok()) << odbc.diagnostics.to_string();
    EXPECT_EQ((*make_source(odbc.settings))->dialect().name(), dialect.name);
  }

  const auto sqlite = parse("{name: local, type: sqlite, path: shop.db}");
  EXPECT_TRUE(sqlite.diagnostics.ok()) << sqlite.diagnostics.to_string();
  EXPECT_EQ((*make_source(sqlite.settings))->dialect().name(), "sqlite");
}

TEST(SourceRegistry, MakesIndependentSessions) {
  const auto parsed = parse("{name: local, type: sqlite, path: shop.db}");
  EXPECT_NE(make_source(parsed.settings)->get(), make_source(parsed.settings)->get());
}

TEST(SourceRegistry, TakesAPathRelativeToItsFile) {
  const auto parsed = parse("{name: local, type: sqlite, path: no-such.db}");
  const auto connected = (*make_source(parsed.settings))->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, core::ErrorKind::unavailable);
  EXPECT_THAT(connected.error().message, HasSubstr("conf/no-such.db"));
}

TEST(SourceRegistry, ReportsEveryMistakeWithItsPlace) {
  const auto expect = [](const std::string& yaml, const std::string& message) {
    EXPECT_THAT(parse(yaml).diagnostics.to_string(), HasSubstr(message)) << yaml;
  };
  expect("{name: wh, type: postgress}",
         "conf/weir.yml:1:18: source \"wh\": \"type\": \"postgress\" is not one of mariadb, mysql, odbc, postgres, "
         "sqlite (did you mean");
  expect("{type: sqlite, path: x}", "key \"name\" is missing");
  expect("{name: wh, path: x}", "key \"type\" is missing");
  expect("{name: wh, type: sqlite}", "key \"path\" is missing");
  expect("{name: wh, type: sqlite, path: x, ulr: y}", "unknown key \"ulr\"");
  expect("{name: wh, type: postgres}", "key \"url\" is missing");
  expect("{name: wh, type: postgres, url: db}", "must begin with postgresql://");
  expect("{name: wh, type: postgres, url: 'postgresql://db', statement_timeout: 5}", "statement_timeout");
  expect("{name: wh, type: postgres, url: 'postgresql://db', lock_timeout: 0}", "must be from 1ms to 1h");
  expect("{name: wh, type: postgres, url: 'postgresql://db', password: a, password_file: b}", "not both");
  expect("{name: wh, type: postgres, url: 'postgresql://db', max_connections: 0}", "max_connections");
  expect("{name: wh, type: mysql}", "key \"user\" is missing");
  expect("{name: wh, type: mysql, user: a, port: 70000}", "port");
  expect("{name: wh, type: mysql, user: a, socket: /s, host: b}", "instead of");
  expect("{name: wh, type: mysql, user: a, tls: maybe}", "is not one of verified, unverified, off");
  expect("{name: wh, type: mysql, user: a, tls: off, ca_file: /etc/hosts}", "no certificate is looked at");
  expect("{name: wh, type: mysql, user: a, cert_file: c}", "belong together");
  expect("{name: wh, type: mysql, user: a, ca_file: ca.pem}", "\"ca_file\": there is no file \"conf/ca.pem\"");
  expect("{name: wh, type: mysql, user: a, ca_file: /etc}", "\"ca_file\": \"/etc\" is a directory; name a file");
  expect("{name: wh, type: mysql, user: a, host: ''}", "\"host\": must not be empty");
  expect("{name: wh, type: mysql, user: a, lock_timeout: 2h}", "must be from 1ms to 1h");
  expect("{name: wh, type: postgres, url_file: /none}", "\"url_file\": \"/none\" cannot be read: No such file");
  EXPECT_EQ(parse("{name: wh, type: postgres, url_file: /none}").diagnostics.errors().size(), 1U);
  expect("{name: wh, type: sqlite, path: /etc}", "\"path\": \"/etc\" is no file");
  expect("{name: wh, type: odbc, dsn: x}", "key \"dialect\" is missing");
  expect("{name: wh, type: odbc, dialect: snowflak, dsn: x}", "did you mean \"snowflake\"?");
  expect("{name: wh, type: odbc, dialect: trino}", "one of \"connection\"");
  expect("{name: wh, type: odbc, dialect: trino, dsn: 'Driver={x};Server=y'}",
         "write a connection string under \"connection\"");
  expect("[1]", "expected a mapping");
}

TEST(SourceRegistry, NeverShowsASecretInADiagnostic) {
  ::setenv("WEIR_TEST_SECRET", "hunter2", 1);
  const auto parsed =
      parse("{name: wh, type: postgres, url: 'postgresql://u:${WEIR_TEST_SECRET}@db:x/y', password: {a: hunter2}}");
  EXPECT_FALSE(parsed.diagnostics.ok());
  EXPECT_THAT(parsed.diagnostics.to_string(), Not(HasSubstr("hunter2")));
}

TEST(SourceRegistry, MakesNothingOfAnUnknownType) {
  const auto source = make_source(parse("{name: wh, type: oracle_native}").settings);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, core::ErrorKind::invalid);
}

}  // namespace
}  // namespace weir::sql
