#include "collectors/openlineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kJob = R"({job_name="load",job_namespace="airflow")";

class KeptTexts final : public core::KeyedTexts {
 public:
  std::map<std::string, std::string> all;
  core::Result<void> put_text(const std::string& key, const std::string& text) override {
    all[key] = text;
    return {};
  }
  core::Result<std::optional<std::string>> text(const std::string& key) override {
    return all.contains(key) ? std::optional(all[key]) : std::nullopt;
  }
};

class OpenLineageTest : public testing::Test {
 protected:
  OpenLineageTest() { make({}); }
  void make(OpenLineageSettings settings) {
    settings.namespaces = {{"postgres://db:5432", "warehouse"}, {"kafka://b:9092", "prod"}};
    inbox_ = std::make_shared<OpenLineageInbox>(settings.queue);
    collector_.reset();
    collector_ = std::make_unique<OpenLineageCollector>(std::move(settings), inbox_, &texts_);
  }
  static std::string event(const std::string& state, int second, int run = 1, const std::string& more = "") {
    return R"({"eventType": ")" + state + R"(", "eventTime": ")" + core::format_rfc3339(at_second(second)) +
           R"(", "producer": "p", "run": {"runId": "00000000-0000-0000-0000-00000000000)" + std::to_string(run) +
           R"("}, "job": {"namespace": "airflow", "name": "load"})" + more + "}";
  }
  void send(const std::string& body) {
    const auto taken = inbox_->offer(body);
    EXPECT_TRUE(taken) << taken.error().describe();
  }
  core::Batch collect(int second) {
    return *collector_->collect({.now = at_second(second), .deadline = {}, .stop = {}});
  }
  static std::string job(const std::string& metric, const std::string& more = "}") {
    return "weir_openlineage_job_" + metric + kJob + more;
  }

  KeptTexts texts_;
  std::shared_ptr<OpenLineageInbox> inbox_;
  std::unique_ptr<OpenLineageCollector> collector_;
};

TEST_F(OpenLineageTest, ARunIsFollowedFromItsStartToItsEnd) {
  send(event("START", 0));
  const core::Batch running = collect(30);
  EXPECT_EQ(value(running, job("running")), 1);
  EXPECT_EQ(value(running, job("oldest_run_seconds")), 30);
  EXPECT_EQ(value(running, job("failed")), std::nullopt) << "nothing ended yet";
  send(event("COMPLETE", 40));
  const core::Batch done = collect(45);
  EXPECT_EQ(value(done, job("running")), 0);
  EXPECT_EQ(value(done, job("failed")), 0);
  EXPECT_EQ(value(done, job("last_duration_seconds")), 40);
  EXPECT_EQ(value(done, job("runs_total", R"(,state="COMPLETE"})")), 1);
  EXPECT_EQ(value(done, job("last_complete_timestamp_seconds")), core::to_seconds(at_second(40)));
  EXPECT_EQ(value(done, R"(weir_openlineage_events_total{result="accepted"})"), 2);
}

TEST_F(OpenLineageTest, AFailureIsAnEventWithTheMessageMasked) {
  std::string failed = event("FAIL", 10);
  failed.replace(failed.find(R"("}, "job")"), 2,
                 R"(", "facets": {"errorMessage": {"message": "mail to a.b@example.com"}}})");
  send(failed);
  const core::Batch batch = collect(20);
  EXPECT_EQ(value(batch, job("failed")), 1);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].kind, "job_run_failed");
  EXPECT_EQ(batch.events[0].message, "A run of job load failed: mail to <email>");
}

TEST_F(OpenLineageTest, EventsThatComeTwiceOrInTheWrongOrderChangeNothing) {
  send(event("COMPLETE", 40));
  send(event("START", 0));
  send(event("COMPLETE", 40));
  send(event("FAIL", 20, 2));
  const core::Batch batch = collect(50);
  EXPECT_EQ(value(batch, job("running")), 0);
  EXPECT_EQ(value(batch, job("runs_total", R"(,state="COMPLETE"})")), 1);
  EXPECT_EQ(value(batch, job("failed")), 0) << "the newest to end completed";
}

TEST_F(OpenLineageTest, AnEventThatIsDatedAheadCountsAsOfWhenItCameAndItsSenderIsNamed) {
  send(event("COMPLETE", 7230));
  const core::Batch batch = collect(30);
  EXPECT_EQ(value(batch, job("last_complete_timestamp_seconds")), core::to_seconds(at_second(30)));
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(
      batch.faults[0].error.message,
      "the events of job airflow/load are dated 2h ahead of this machine's clock: they count as of when they came; "
      "set the sender's clock");
  EXPECT_EQ(collect(600).faults.size(), 1U);
  EXPECT_EQ(value(collect(700), job("last_complete_timestamp_seconds")), core::to_seconds(at_second(30)));
  send(event("START", 800, 2));
  EXPECT_TRUE(collect(800).faults.empty()) << "its clock is right again";
  send(event("COMPLETE", 9000, 2));
  EXPECT_EQ(collect(900).faults.size(), 1U);
  EXPECT_TRUE(collect(4501).faults.empty()) << "nothing was heard of it for an hour";
}

TEST_F(OpenLineageTest, AnEventOfBeforeWhatIsKeptIsCounted) {
  send(event("COMPLETE", 0));
  const core::Batch batch = collect(31 * 86'400);
  EXPECT_EQ(value(batch, R"(weir_openlineage_refused_total{what="old event"})"), 1);
  EXPECT_EQ(value(batch, "weir_openlineage_jobs"), 0);
}

TEST_F(OpenLineageTest, ARunThatDoesNotEndIsStuckAndToldOnce) {
  OpenLineageSettings settings;
  settings.stuck_after = std::chrono::minutes(1);
  make(settings);
  send(event("START", 0));
  EXPECT_EQ(value(collect(60), job("stuck_runs")), 0);
  const core::Batch stuck = collect(61);
  EXPECT_EQ(value(stuck, job("stuck_runs")), 1);
  EXPECT_THAT(kinds(stuck), ElementsAre("job_run_stuck"));
  EXPECT_THAT(kinds(collect(70)), IsEmpty());
}

TEST_F(OpenLineageTest, WaysGoFromInputsThroughTheJobToOutputsWithColumns) {
  send(event("COMPLETE", 0, 1, R"(, "inputs": [{"namespace": "kafka://b:9092", "name": "orders"}],
    "outputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders", "facets": {"columnLineage": {"fields":
      {"id": {"inputFields": [{"namespace": "kafka://b:9092", "name": "orders", "field": "order_id"}]}}}}}])"));
  const core::Batch batch = collect(10);
  const core::Node topic{"topic", "prod", "orders"};
  const core::Node self{"job", "airflow", "load"};
  const core::Node table{"table", "warehouse", "shop.public.orders"};
  EXPECT_THAT(batch.edges, testing::UnorderedElementsAre(
                               core::Edge{topic, self, "openlineage"}, core::Edge{self, table, "openlineage"},
                               core::Edge{topic, table, "openlineage", {{"order_id", "id"}}}));
}

TEST_F(OpenLineageTest, AssertionsAreOutcomesOfChecks) {
  const auto with = [&](int second, const std::string& success, const std::string& more = "") {
    return event("COMPLETE", second, second,
                 R"(, "inputs": [{"namespace": "postgres://db:5432", "name": "orders", "inputFacets":
      {"dataQualityMetrics": {"rowCount": 5, "columnMetrics": {"id": {"nullCount": 2}}},
       "dataQualityAssertions": {"assertions": [{"assertion": "not_null", "column": "id", "success": )" +
                     success + more + "}]}}}]");
  };
  const std::string check = R"x(weir_check_status{check="not_null(id)",dataset="orders",source="warehouse"})x";
  send(with(1, "false"));
  const core::Batch failed = collect(10);
  EXPECT_EQ(value(failed, check), 2);
  EXPECT_EQ(value(failed, R"(weir_openlineage_dataset_rows{dataset="orders",source="warehouse"})"), 5);
  EXPECT_EQ(value(failed, R"(weir_openlineage_column_nulls{column="id",dataset="orders",source="warehouse"})"), 2);
  EXPECT_THAT(kinds(failed), ElementsAre("check_failed"));
  EXPECT_EQ(value(collect(15), check), 2) << "it stands until another word";
  send(with(2, "false", R"(, "severity": "warn")"));
  EXPECT_EQ(value(collect(20), check), 1);
  send(with(3, "true"));
  const core::Batch passed = collect(25);
  EXPECT_EQ(value(passed, check), 0);
  EXPECT_THAT(kinds(passed), ElementsAre("check_recovered"));
}

TEST_F(OpenLineageTest, IsBoundedAndCountsWhatItRefuses) {
  OpenLineageSettings settings;
  settings.queue = 2;
  settings.max_jobs = 1;
  make(settings);
  send(event("START", 0));
  std::string other = event("START", 0, 2);
  other.replace(other.find("load"), 4, "save");
  send(other);
  const auto full = inbox_->offer(event("START", 0, 3));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, core::ErrorKind::unavailable);
  EXPECT_FALSE(inbox_->offer("{"));
  const core::Batch batch = collect(5);
  EXPECT_EQ(value(batch, "weir_openlineage_jobs"), 1);
  EXPECT_EQ(value(batch, R"(weir_openlineage_refused_total{what="job"})"), 1);
  EXPECT_EQ(value(batch, R"(weir_openlineage_events_total{result="refused"})"), 1);
  EXPECT_EQ(value(batch, R"(weir_openlineage_events_total{result="invalid"})"), 1);
}

TEST_F(OpenLineageTest, WhatIsKnownOutlivesARestart) {
  send(event("FAIL", 0, 1));
  send(event("START", 1, 2, R"(, "inputs": [{"namespace": "kafka://b:9092", "name": "orders", "inputFacets": {
      "dataQualityMetrics": {"rowCount": 5, "columnMetrics": {"id": {"min": 1.5}}},
      "dataQualityAssertions": {"assertions": [{"assertion": "full", "success": false}]}}}],
    "outputs": [{"namespace": "n", "name": "t", "facets": {"columnLineage": {"fields": {"c": {"inputFields": [
      {"namespace": "n", "name": "s", "field": "f"}]}}}}}])"));
  const core::Batch before = collect(10);
  make({});
  const core::Batch after = collect(10);
  const auto shown = [](const core::Batch& batch) {
    std::set<std::string> all;
    for (const core::Sample& sample : batch.samples) {
      if (sample.labels.name() != "weir_openlineage_events_total")
        all.insert(sample.labels.to_string() + " " + std::to_string(sample.value));
    }
    return all;
  };
  EXPECT_EQ(shown(after), shown(before));
  EXPECT_EQ(value(after, job("failed")), 1);
  EXPECT_EQ(after.edges, before.edges);
  EXPECT_THAT(kinds(after), IsEmpty()) << "nothing new happened";
  send(event("FAIL", 0, 1));
  EXPECT_EQ(value(collect(15), job("runs_total", R"(,state="FAIL"})")), 1)
      << "nor does an event that comes again count";
}

TEST_F(OpenLineageTest, AKeptTextThatIsBrokenIsAFaultAndTheCollectorBeginsAnew) {
  for (const char* text : {"", "{", "{}", R"({"version": 9})", R"({"version": 1, "jobs": [{}], "datasets": []})",
                           R"({"version": 1, "jobs": 5})"}) {
    texts_.all["openlineage/state"] = text;
    make({});
    const core::Batch batch = collect(0);
    ASSERT_EQ(batch.faults.size(), 1U) << text;
    EXPECT_EQ(batch.faults[0].error.kind, core::ErrorKind::storage);
    EXPECT_TRUE(collect(5).faults.empty());
  }
}

TEST_F(OpenLineageTest, WhatIsNotHeardOfForLongIsForgotten) {
  OpenLineageSettings settings;
  settings.keep = std::chrono::hours(10);
  make(settings);
  send(event("COMPLETE", 0));
  EXPECT_EQ(value(collect(10), job("failed")), 0);
  EXPECT_EQ(value(collect(10 * 3600 + 20), job("failed")), std::nullopt);
  send(event("COMPLETE", 0, 2));
  EXPECT_EQ(value(collect(10 * 3600 + 30), job("failed")), std::nullopt) << "an event that old is passed over";
}

TEST(OpenLineageNodeTest, IsATopicATableOrAFile) {
  OpenLineageSettings settings;
  settings.namespaces = {{"kafka://b:9092", "prod"}, {"s3://lake", "lake"}};
  settings.clusters = {"prod"};
  EXPECT_EQ(openlineage_node(settings, "kafka://b:9092", "x"), (core::Node{"topic", "prod", "x"}));
  EXPECT_EQ(openlineage_node(settings, "kafka://other", "x"), (core::Node{"topic", "kafka://other", "x"}));
  EXPECT_EQ(openlineage_node(settings, "snowflake://a", "d.s.t"), (core::Node{"table", "snowflake://a", "d.s.t"}));
  EXPECT_EQ(openlineage_node(settings, "s3://other", "x"), (core::Node{"dataset", "s3://other", "x"}));
  EXPECT_EQ(openlineage_node(settings, "s3://lake", "x"), (core::Node{"table", "lake", "x"}));
}

TEST(OpenLineageSectionTest, IsReadWithItsMistakes) {
  const auto read = [](const std::string& text, config::Diagnostics& diagnostics) {
    return parse_openlineage_section(config::parse_yaml(text, "weir.yml", diagnostics), diagnostics);
  };
  config::Diagnostics good;
  const auto settings =
      read(R"({receive: true, token: t, namespaces: {"postgres://db:5432": warehouse}, stuck_after: 1h,
    emit: {url: "http://m:5000/api/v1/lineage", namespace: w, queue: 5, every: 5m, incidents: false}})",
           good);
  ASSERT_TRUE(good.ok()) << good.to_string();
  EXPECT_TRUE(settings.receive);
  EXPECT_EQ(settings.token.reveal(), "t");
  EXPECT_EQ(settings.namespaces.at("postgres://db:5432"), "warehouse");
  ASSERT_TRUE(settings.emit);
  EXPECT_EQ(settings.emit->queue, 5U);
  config::Diagnostics bad;
  read("{recieve: true, token: t, keep: 1m, emit: {url: marquez}}", bad);
  EXPECT_THAT(bad.to_string(), HasSubstr("did you mean \"receive\"?"));
  EXPECT_THAT(bad.to_string(), HasSubstr("no shorter than stuck_after"));
  EXPECT_THAT(bad.to_string(), HasSubstr("write http://host:port"));
}

}  // namespace
}  // namespace weir::collectors
