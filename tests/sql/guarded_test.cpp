#include "sql/guarded.h"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <thread>

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// What the sources of a test do, and what was asked of them.
struct World {
  std::optional<core::Error> connect_error;
  std::optional<core::Error> query_error;
  std::function<void()> during_query = [] {};
  std::atomic<int> connects = 0;
  std::atomic<int> connections = 0;
  std::atomic<int> most_connections = 0;
  std::atomic<std::int64_t> now_seconds = 1000;
};

core::Error error(ErrorKind kind, std::string message = "down") {
  return core::fail(kind, std::move(message), "wh").error();
}

class FakeSource final : public SqlSource {
 public:
  explicit FakeSource(World& world) : world_(world) {}
  ~FakeSource() override {
    if (connected_) --world_.connections;
  }
  std::string_view name() const override { return "wh"; }
  const Dialect& dialect() const override { return sqlite_dialect(); }
  core::Result<void> connect(const QueryLimits&) override {
    if (connected_) return {};
    ++world_.connects;
    if (world_.connect_error) return std::unexpected(*world_.connect_error);
    connected_ = true;
    const int now = ++world_.connections;
    for (int most = world_.most_connections; now > most && !world_.most_connections.compare_exchange_weak(most, now);) {
    }
    return {};
  }
  core::Result<Table> query(const std::string&, const std::vector<Value>&, const QueryLimits&) override {
    world_.during_query();
    if (world_.query_error) return std::unexpected(*world_.query_error);
    return Table{};
  }

 private:
  World& world_;
  bool connected_ = false;
};

class Guarded : public testing::Test {
 protected:
  std::unique_ptr<SqlSource> open() {
    return make_guarded(gate_, [this] { return std::make_unique<FakeSource>(world_); });
  }
  ErrorKind ask(SqlSource& source) {
    const auto answer = source.query("SELECT 1", {}, {});
    return answer ? ErrorKind::internal : answer.error().kind;
  }

  World world_;
  std::shared_ptr<SourceGate> gate_ = std::make_shared<SourceGate>(
      "wh", 2, Breaker::Settings{.failures = 2, .first = seconds(10), .longest = seconds(60)},
      [this] { return Breaker::Instant(seconds(world_.now_seconds)); });
};

TEST_F(Guarded, AsksNothingOfASourceThatIsDownUntilItsTime) {
  world_.connect_error = error(ErrorKind::unavailable, "cannot connect to db:5432");
  const auto first = open();
  const auto second = open();
  EXPECT_EQ(ask(*first), ErrorKind::unavailable);
  EXPECT_EQ(ask(*second), ErrorKind::unavailable);
  EXPECT_EQ(world_.connects, 2);
  const auto refused = first->query("SELECT 1", {}, {});
  EXPECT_EQ(world_.connects, 2) << "the sessions of a source share what is known of it";
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().describe(),
              testing::MatchesRegex("wh: cannot connect to db:5432 .retries: 2 failed, the next in ([5-9]|10)s."));
  world_.now_seconds += 10;
  world_.connect_error.reset();
  EXPECT_TRUE(first->query("SELECT 1", {}, {}));
  EXPECT_TRUE(second->query("SELECT 1", {}, {}));
}

TEST_F(Guarded, CountsARefusedPasswordButNoWrongStatement) {
  const auto source = open();
  world_.query_error = error(ErrorKind::not_found);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(*source), ErrorKind::not_found);
  world_.query_error = error(ErrorKind::timeout);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(*source), ErrorKind::timeout);
  const auto other = open();
  world_.connect_error = error(ErrorKind::denied);
  EXPECT_EQ(ask(*other), ErrorKind::denied);
  EXPECT_EQ(ask(*other), ErrorKind::denied);
  EXPECT_EQ(ask(*other), ErrorKind::unavailable);
}

TEST_F(Guarded, TriesAgainWhatWasOnlyCancelled) {
  const auto source = open();
  world_.connect_error = error(ErrorKind::unavailable);
  (void)ask(*source), (void)ask(*source);
  world_.now_seconds += 10;
  world_.connect_error = error(ErrorKind::cancelled);
  EXPECT_EQ(ask(*source), ErrorKind::cancelled);
  world_.connect_error.reset();
  EXPECT_EQ(ask(*source), ErrorKind::internal) << "succeeds";
}

TEST_F(Guarded, OpensNoMoreConnectionsThanThereArePlaces) {
  std::vector<std::unique_ptr<SqlSource>> sessions;
  for (int i = 0; i < 5; ++i) sessions.push_back(open());
  std::latch start(5);
  std::vector<std::jthread> threads;
  for (const auto& session : sessions) {
    threads.emplace_back([&start, &session] {
      start.arrive_and_wait();
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(session->query("SELECT 1", {}, {}));
    });
  }
  threads.clear();
  EXPECT_LE(world_.most_connections, 2);
  EXPECT_EQ(world_.connections, 0) << "crowded, a session keeps no connection";
}

TEST_F(Guarded, KeepsItsConnectionWhereThereIsRoom) {
  const auto source = open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(source->query("SELECT 1", {}, {}));
  EXPECT_EQ(world_.connects, 1);
}

TEST_F(Guarded, WaitsForAPlaceNoLongerThanItMay) {
  const auto first = open();
  const auto second = open();
  const auto third = open();
  std::latch inside(2);
  std::latch leave(1);
  world_.during_query = [&] { inside.count_down(), leave.wait(); };
  {
    std::jthread one([&] { (void)first->query("SELECT 1", {}, {}); });
    std::jthread two([&] { (void)second->query("SELECT 1", {}, {}); });
    inside.wait();
    QueryLimits limits;
    limits.timeout = milliseconds(20);
    const auto answer = third->query("SELECT 1", {}, limits);
    EXPECT_EQ(answer.error().kind, ErrorKind::timeout);
    EXPECT_THAT(answer.error().message, HasSubstr("max_connections"));
    std::stop_source stop;
    limits = {};
    limits.stop = stop.get_token();
    std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(third->query("SELECT 1", {}, limits).error().kind, ErrorKind::cancelled);
    leave.count_down();
  }
  world_.during_query = [] {};
  EXPECT_TRUE(third->query("SELECT 1", {}, {}));
}

}  // namespace
}  // namespace weir::sql
