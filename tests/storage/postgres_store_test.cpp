// What a PostgreSQL server can do to Weir: go away at any moment, hang, be held by another, hold other tables.
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "storage/postgres_database.h"
#include "storage/schema.h"
#include "storage/store.h"
#include "storage/trouble.h"

#include "postgres_schema.h"
#include "samples.h"
#include "tcp_relay.h"

namespace weir::storage {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<Store> must_open(const PostgresOptions& options) {
  auto store = open_postgres(options);
  EXPECT_TRUE(store) << store.error().describe();
  return store ? std::move(*store) : nullptr;
}

Commit step(const std::string& id) {
  const core::Alert firing = alert(id);
  return {.id = id,
          .alerts = {firing},
          .transitions = {fired(firing, at(1))},
          .incidents = {incident(id, at(1), {firing})},
          .outbox = {message(id, id, at(1))}};
}

int server_port() {
  const std::string url = PostgresSchema::url();
  const std::size_t colon = url.rfind(':');
  return std::stoi(url.substr(colon + 1));
}

/// The tests' schema by way of the relay, impatient.
PostgresOptions through(const TcpRelay& relay, const PostgresSchema& schema) {
  PostgresOptions options = schema.options();
  std::string url = options.url.reveal();
  const std::size_t colon = url.rfind(':');
  url.replace(colon + 1, url.find('/', colon) - colon - 1, std::to_string(relay.port()));
  options.url = core::Secret(url + "?sslmode=disable");
  options.statement_timeout = std::chrono::milliseconds(300);
  options.lock_timeout = std::chrono::milliseconds(300);
  return options;
}

/// Tries again until the rest after a failure to connect is over.
core::Result<void> until_written(Store& store, const Commit& changes) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto done = store.commit(changes);
  while (!done && done.error().retryable && std::chrono::steady_clock::now() < end) done = store.commit(changes);
  return done;
}

TEST(PostgresStore, GoesOnAfterItsConnectionWasEndedBetweenCalls) {
  PostgresSchema schema;
  auto store = must_open(schema.options());
  ASSERT_TRUE(store->commit(step("a")));
  EXPECT_EQ(schema.hang_up(), 1);
  const auto read = store->transitions({});
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->size(), 1U);
  EXPECT_EQ(schema.hang_up(), 1);
  const auto written = store->commit(step("b"));
  ASSERT_TRUE(written) << written.error().describe();
  EXPECT_EQ(schema.hang_up(), 1);
  const auto delivered = store->delivered(store->due(at(5), 1)->at(0).sequence, at(6));
  ASSERT_TRUE(delivered) << delivered.error().describe();
  EXPECT_EQ(store->transitions({})->size(), 2U);
  EXPECT_EQ(*store->pending_messages(), 1U);
}

TEST(PostgresStore, ATransactionThatLosesItsConnectionHalfwayLeavesNothing) {
  PostgresSchema schema;
  must_open(schema.options()).reset();
  auto database = open_postgres_database(schema.options());
  ASSERT_TRUE(database) << database.error().describe();
  const auto done = in_transaction(**database, [&]() -> core::Result<void> {
    const auto put = (*database)->run("INSERT INTO texts (name, text) VALUES ('a', 'b')", {});
    EXPECT_TRUE(put);
    schema.hang_up();
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().retryable);
  EXPECT_EQ(done.error().kind, core::ErrorKind::storage);
  EXPECT_THAT(done.error().message, HasSubstr("the connection broke"));
  EXPECT_EQ(schema.ask("SELECT count(*) FROM texts"), "0");
  EXPECT_TRUE((*database)->run("INSERT INTO texts (name, text) VALUES ('a', 'b')", {})) << "the next works";
  EXPECT_EQ(schema.ask("SELECT text FROM texts"), "b");
}

TEST(PostgresStore, ACommitWhoseAnswerWasLostIsNotWrittenTwice) {
  PostgresSchema schema;
  TcpRelay relay(server_port());
  auto store = must_open(through(relay, schema));
  relay.swallow_the_answer_to("COMMIT");
  const auto unheard = store->commit(step("a"));
  ASSERT_FALSE(unheard);
  EXPECT_TRUE(unheard.error().retryable);
  ASSERT_TRUE(relay.swallowed());
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "1") << "the server has it";
  const auto again = until_written(*store, step("a"));
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "1");
  EXPECT_EQ(schema.ask("SELECT count(*) FROM outbox"), "1");
  ASSERT_TRUE(store->commit(step("b")));
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "2");
}

TEST(PostgresStore, ACommitThatDidNotArriveIsWrittenWithTheNextTry) {
  PostgresSchema schema;
  TcpRelay relay(server_port());
  auto store = must_open(through(relay, schema));
  relay.swallow_the_answer_to("INSERT INTO transitions");
  ASSERT_FALSE(store->commit(step("a")));
  ASSERT_TRUE(relay.swallowed());
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "0");
  const auto again = until_written(*store, step("a"));
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "1");
}

TEST(PostgresStore, AServerThatHangsCostsNoMoreThanItsTimeoutAndIsLeftForAnotherConnection) {
  PostgresSchema schema;
  TcpRelay relay(server_port());
  auto store = must_open(through(relay, schema));
  ASSERT_TRUE(store->commit(step("a")));
  relay.freeze();
  const auto began = std::chrono::steady_clock::now();
  const auto hung = store->commit(step("b"));
  const auto took = std::chrono::steady_clock::now() - began;
  ASSERT_FALSE(hung);
  EXPECT_TRUE(hung.error().retryable);
  EXPECT_THAT(hung.error().message, HasSubstr("did not answer in time"));
  EXPECT_LT(took, std::chrono::seconds(4)) << "300 ms, and 1 s for the server to notice its own timeout";
  const auto again = until_written(*store, step("b"));
  ASSERT_TRUE(again) << "the server still believes in the old session, which holds the lock: "
                     << again.error().describe();
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "2");
}

TEST(PostgresStore, IsHeldByOneWeirAtATimeAndSaysByWhich) {
  PostgresSchema schema;
  auto store = must_open(schema.options());
  const auto second = open_postgres(schema.options());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, AllOf(HasSubstr("is in use by another Weir, host "),
                                            HasSubstr(", process " + std::to_string(::getpid()))));
  EXPECT_EQ(second.error().where.find("postgresql://127.0.0.1:"), 0U);
  ASSERT_TRUE(store->commit(step("a"))) << "the first goes on";
  PostgresSchema other;
  EXPECT_TRUE(must_open(other.options())) << "another schema of the same database is free";
  store.reset();
  PostgresOptions patient = schema.options();
  patient.lock_wait = std::chrono::seconds(5);
  EXPECT_TRUE(must_open(patient));
}

TEST(PostgresStore, WaitsForTheOtherAsLongAsItIsTold) {
  PostgresSchema schema;
  auto store = must_open(schema.options());
  PostgresOptions patient = schema.options();
  patient.lock_wait = std::chrono::milliseconds(200);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(open_postgres(patient));
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(200));
}

TEST(PostgresStore, WritesNothingMoreOnceAnotherWeirHadTheSchemaMeanwhile) {
  PostgresSchema schema;
  auto store = must_open(schema.options());
  ASSERT_TRUE(store->commit(step("a")));
  EXPECT_EQ(schema.hang_up(), 1);
  must_open(schema.options()).reset();
  for (int turn = 0; turn < 2; ++turn) {
    const auto refused = store->commit(step("b"));
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().retryable);
    EXPECT_THAT(refused.error().message, HasSubstr("has written to the schema while the connection was gone"));
  }
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "1");
}

TEST(PostgresStore, TablesThatAreGoneAreToldAsThat) {
  PostgresSchema schema;
  auto store = must_open(schema.options());
  ASSERT_TRUE(store->commit(step("a")));
  schema.ask("DROP SCHEMA " + schema.options().schema + " CASCADE");
  const auto gone = store->commit({.id = "run/1", .alerts = {alert("a")}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(trouble_of(gone.error()), Trouble::gone) << gone.error().describe();
  EXPECT_EQ(schema.hang_up(), 1);
  const auto after = store->commit(step("b"));
  ASSERT_FALSE(after);
  EXPECT_EQ(trouble_of(after.error()), Trouble::gone) << after.error().describe();
  store.reset();
  EXPECT_TRUE(must_open(schema.options())->commit(step("b"))) << "opened anew it has them";
}

TEST(PostgresStore, AServerThatIsAwayIsNotAskedAtEveryCall) {
  PostgresSchema schema;
  std::unique_ptr<Store> store;
  {
    TcpRelay relay(server_port());
    store = must_open(through(relay, schema));
  }
  EXPECT_FALSE(store->commit(step("a"))) << "the connection broke";
  const auto first = store->commit(step("a"));
  const auto began = std::chrono::steady_clock::now();
  const auto second = store->commit(step("a"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(500));
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_THAT(first.error().message, HasSubstr("cannot connect: "));
  EXPECT_TRUE(first.error().retryable);
  EXPECT_EQ(first.error().describe(), second.error().describe()) << "one line in the log";
}

TEST(PostgresStore, ALockedTableIsATemporaryError) {
  PostgresSchema schema;
  PostgresOptions options = schema.options();
  options.lock_timeout = std::chrono::milliseconds(100);
  auto store = must_open(options);
  schema.ask("BEGIN; LOCK TABLE alerts");
  const auto refused = store->commit(step("a"));
  schema.ask("ROLLBACK");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().message, HasSubstr("lock timeout"));
  EXPECT_EQ(schema.ask("SELECT count(*) FROM transitions"), "0");
  EXPECT_TRUE(store->commit(step("a")));
}

TEST(PostgresStore, AWrongPasswordIsNamedAndNotShown) {
  PostgresSchema schema;
  PostgresOptions options = schema.options();
  options.password = core::Secret("hunter2-is-wrong");
  const auto refused = open_postgres(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().describe(),
              AllOf(HasSubstr("password authentication failed"), Not(HasSubstr("hunter2"))));
  const std::string url = options.url.reveal();
  const std::string password = url.substr(url.find(':', 13) + 1, url.find('@') - url.find(':', 13) - 1);
  EXPECT_THAT(refused.error().describe(), Not(HasSubstr(password)));
}

TEST(PostgresStore, AServerThatTakesNoWritesIsNamed) {
  PostgresSchema schema;
  PostgresOptions options = schema.options();
  options.url = core::Secret(options.url.reveal() + "?options=-cdefault_transaction_read_only%3Don");
  const auto refused = open_postgres(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("takes no writes"));
}

TEST(PostgresStore, TablesOfSomethingElseAreLeftAlone) {
  PostgresSchema schema;
  schema.ask("CREATE SCHEMA " + schema.name());
  schema.ask("CREATE TABLE incidents (a INT)");
  const auto refused = open_postgres(schema.options());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("has a table \"incidents\" of something else"));
  EXPECT_EQ(schema.ask("SELECT count(*) FROM pg_tables WHERE schemaname = '" + schema.name() + "'"), "1");
}

TEST(PostgresStore, ANewerSchemaIsRefusedAndLeftAlone) {
  PostgresSchema schema;
  must_open(schema.options()).reset();
  schema.ask("UPDATE weir_schema SET version = 99");
  const auto refused = open_postgres(schema.options());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("newer Weir (schema 99"));
  EXPECT_EQ(schema.ask("SELECT version FROM weir_schema"), "99");
}

TEST(PostgresStore, AnOlderSchemaIsBroughtForwardAndKeepsItsRows) {
  PostgresSchema schema;
  {
    auto old = open_postgres_database(schema.options());
    ASSERT_TRUE(old) << old.error().describe();
    ASSERT_TRUE(migrate(**old, migrations().first(1)));
    ASSERT_TRUE((*old)->run("INSERT INTO measurements (check_id, at, value) VALUES ('rows', 1000, 5)", {}));
  }
  const auto store = must_open(schema.options());
  EXPECT_EQ(store->newest("rows", 10)->at(0).value, 5);
  EXPECT_EQ(schema.ask("SELECT version FROM weir_schema"), std::to_string(migrations().size()));
}

TEST(PostgresStore, AReaderSeesOneStateWhileTheWeirGoesOn) {
  PostgresSchema schema;
  StorageSettings settings;
  settings.postgres = schema.options();
  const auto nothing = [](const core::Measurement&) { return core::Result<void>(); };
  EXPECT_EQ(read_measurements(settings, {}, nothing).error().kind, core::ErrorKind::not_found);
  auto store = must_open(schema.options());
  std::vector<core::Measurement> many;
  for (int i = 0; i < 1700; ++i) many.push_back({"rows", at(i), i * 0.1});
  ASSERT_TRUE(store->append(many));
  std::size_t seen = 0;
  const auto done = read_measurements(settings, {}, [&](const core::Measurement& each) -> core::Result<void> {
    if (seen == 0) {
      EXPECT_TRUE(store->append({{"rows", at(100'000), 1}}));
    }
    EXPECT_EQ(each.time, many.at(seen).time);
    EXPECT_EQ(each.value, many.at(seen).value);
    ++seen;
    return {};
  });
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(seen, many.size());
}

}  // namespace
}  // namespace weir::storage
