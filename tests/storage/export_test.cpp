#include "storage/export.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "storage/schema.h"

#include "postgres_schema.h"
#include "raw_sqlite.h"
#include "samples.h"

namespace weir::storage {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using Lines = std::vector<std::string>;

/// Some of everything, with what is odd.
void fill(Store& store) {
  core::Alert odd = alert("odd");
  odd.labels = core::Labels{{"alertname", "A"}, {"topic", "caf\xe9"}, {"quote", "it's \"\\ \u20ac"}};
  odd.fingerprint = std::numeric_limits<std::uint64_t>::max();
  odd.value = std::nan("");
  core::Incident resolved = incident("bb", at(2), {odd});
  resolved.resolved_at = at(9);
  resolved.timeline.push_back({at(9), "resolved", "it's over; $1"});
  ASSERT_TRUE(
      store.commit({.id = "run/1",
                    .alerts = {alert("b"), alert("a"), odd},
                    .transitions = {fired(alert("a"), at(5)), fired(odd, at(1))},
                    .incidents = {incident("aa", at(1), {alert("a"), alert("b")}), resolved},
                    .outbox = {message("k1", "aa", at(1)), message("k1", "aa", at(1)), message("k2", "bb", at(2))},
                    .groups = {{.key = "G"}, {.key = "a"}}}));
  ASSERT_TRUE(store.commit({.id = "run/2", .removed = {alert("b")}, .outbox = {message("k3", "aa", at(3))}}));
  ASSERT_TRUE(store.delivered(store.due(at(9), 1)->at(0).sequence, at(9), "thread"));
  core::Silence first;
  first.id = "s1";
  first.matchers = {{"a", core::MatchOp::regex, "."}};
  core::Silence second;
  second.id = "s2";
  second.comment = "b";
  ASSERT_TRUE(store.put_silences({second, first}));
  ASSERT_TRUE(store.append({{"rows", at(2), 0.1 + 0.2, core::Mark::anomalous},
                            {"Rows", at(1), 1e300},
                            {"rows", at(1), -std::numeric_limits<double>::infinity()}}));
  ASSERT_TRUE(store.put_text("schema/t", std::string("id\0integer", 10)));
}

Lines exported(const StorageSettings& settings) {
  Lines lines;
  const auto done = export_json(settings, [&](const std::string& line) -> core::Result<void> {
    lines.push_back(line);
    return {};
  });
  EXPECT_TRUE(done) << done.error().describe();
  return lines;
}

TEST(Export, OfSqliteAndPostgresqlAreEqualWhileBothAreOpen) {
  const TempFolder folder;
  const PostgresSchema schema;
  StorageSettings file{.path = folder.file()};
  StorageSettings server;
  server.postgres = schema.options();
  const auto on_file = open_store(file);
  const auto on_server = open_store(server);
  ASSERT_TRUE(on_file && on_server);
  fill(**on_file);
  fill(**on_server);
  const Lines lines = exported(file);
  EXPECT_EQ(lines, exported(server));
  ASSERT_EQ(lines.size(), 1U + 2 + 2 + 2 + 3 + 2 + 2 + 3 + 1 + 1);
  for (const std::string& line : lines) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
  EXPECT_THAT(lines[0], HasSubstr("\"type\":\"weir_export\""));
  const auto first = nlohmann::json::parse(lines[3]);
  EXPECT_EQ(first.at("type"), "incident");
  EXPECT_EQ(first.at("id"), "aa");
  EXPECT_EQ(first.at("opened_at"), "2023-11-14T22:13:21.000Z");
  EXPECT_EQ(first.at("alerts").size(), 2U);
  EXPECT_EQ(first.at("timeline").at(0).at("kind"), "opened");
}

TEST(Export, WhatCannotBeReadIsGivenAsItIs) {
  const TempFolder folder;
  { fill(**open_sqlite(folder.file())); }
  ask_sqlite(folder.file(), "UPDATE alerts SET alert = 'no {json'");
  EXPECT_THAT(exported({.path = folder.file()}), Contains(HasSubstr("{\"unreadable\":\"no {json\"}")));
}

TEST(Export, EndsWithTheFirstLineThatIsNotTaken) {
  const TempFolder folder;
  { fill(**open_sqlite(folder.file())); }
  int taken = 0;
  const auto done = export_json({.path = folder.file()}, [&](const std::string&) -> core::Result<void> {
    if (++taken < 3) return {};
    return core::fail(core::ErrorKind::storage, "the pipe is closed");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the pipe is closed");
  EXPECT_EQ(taken, 3);
}

TEST(Export, OfNoDatabaseOrAnotherSchemaIsRefused) {
  const TempFolder folder;
  const auto nothing = [](const std::string&) { return core::Result<void>(); };
  EXPECT_EQ(export_json({.path = folder.file()}, nothing).error().kind, core::ErrorKind::not_found);
  std::ofstream(folder.file()).close();
  EXPECT_THAT(export_json({.path = folder.file()}, nothing).error().message, HasSubstr("is empty"));
  ASSERT_TRUE(open_sqlite(folder.file()));
  ask_sqlite(folder.file(), "PRAGMA user_version = 1");
  EXPECT_THAT(export_json({.path = folder.file()}, nothing).error().message, HasSubstr("has schema 1"));
}

std::int64_t rows_of(const Inspection& found, const std::string& table) {
  for (const auto& [name, rows] : found.rows) {
    if (name == table) return rows;
  }
  return -1;
}

TEST(Inspect, OfASoundDatabaseCountsItsRows) {
  const TempFolder folder;
  const PostgresSchema schema;
  StorageSettings server;
  server.postgres = schema.options();
  for (const StorageSettings& settings : {StorageSettings{.path = folder.file()}, server}) {
    const auto store = open_store(settings);
    ASSERT_TRUE(store) << store.error().describe();
    fill(**store);
    std::size_t done = 0;
    const auto found = inspect(settings, true, [&](std::size_t seen, std::size_t all) {
      EXPECT_LE(seen, all);
      done = seen;
    });
    ASSERT_TRUE(found) << found.error().describe();
    EXPECT_EQ(found->problems, Lines());
    EXPECT_EQ(found->version, found->known);
    EXPECT_GT(found->bytes, 4096);
    EXPECT_EQ(rows_of(*found, "alerts"), 2);
    EXPECT_EQ(rows_of(*found, "transitions"), 2);
    EXPECT_EQ(rows_of(*found, "outbox"), 3);
    EXPECT_EQ(rows_of(*found, "incident_alerts"), 3);
    EXPECT_EQ(done, 2U + 2 + 2 * 2 + 3 + 3 + 2 + 2);
  }
}

TEST(Inspect, NamesTheRowsThatCannotBeRead) {
  const TempFolder folder;
  PostgresSchema schema;
  StorageSettings server;
  server.postgres = schema.options();
  const std::string spoil = "UPDATE incidents SET labels = '{\"a\": 7}' WHERE id = 'bb'";
  { fill(**open_sqlite(folder.file())); }
  { fill(**open_store(server)); }
  ask_sqlite(folder.file(), spoil);
  schema.ask(spoil);
  for (const StorageSettings& settings : {StorageSettings{.path = folder.file()}, server}) {
    const auto found = inspect(settings, true);
    ASSERT_TRUE(found) << found.error().describe();
    ASSERT_EQ(found->problems.size(), 1U);
    EXPECT_THAT(found->problems[0], HasSubstr("incidents.labels of \"bb\": a stored value cannot be read"));
  }
}

TEST(Inspect, NamesDamageAndRowsThatBelongToNothing) {
  const TempFolder folder;
  { fill(**open_sqlite(folder.file())); }
  ask_sqlite(folder.file(), "DELETE FROM incidents WHERE id = 'aa'");  // foreign keys are off here
  const auto orphans = inspect({.path = folder.file()}, false);
  ASSERT_TRUE(orphans) << orphans.error().describe();
  EXPECT_THAT(orphans->problems, Contains(HasSubstr("2 rows of incident_alerts belong to rows that are not there")));
  damage_page(folder.file(), root_page(folder.file(), "transitions_at"));
  const auto damaged = inspect({.path = folder.file()}, true);
  ASSERT_TRUE(damaged) << damaged.error().describe();
  EXPECT_GT(damaged->problems.size(), orphans->problems.size());
}

TEST(Inspect, AFileOfZeroBytesIsNotSound) {
  const TempFolder folder;
  std::ofstream(folder.file()).close();
  const auto found = inspect({.path = folder.file()}, true);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().describe(), folder.file() + ": is empty: no Weir has written to it");
}

TEST(Inspect, AnOlderSchemaIsNoProblemANewerOneIs) {
  const TempFolder folder;
  ASSERT_TRUE(open_sqlite(folder.file()));
  ask_sqlite(folder.file(), "PRAGMA user_version = 2");
  EXPECT_EQ(inspect({.path = folder.file()}, true)->problems, Lines());
  ask_sqlite(folder.file(), "PRAGMA user_version = 99");
  EXPECT_THAT(inspect({.path = folder.file()}, true)->problems, Contains(HasSubstr("newer Weir")));
}

}  // namespace
}  // namespace weir::storage
