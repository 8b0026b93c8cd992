#include "collectors/prometheus_scrape.h"

#include <gtest/gtest.h>
#include <map>

#include "config/node.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using core::Labels;

class FakePage final : public net::HttpClient {
 public:
  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    last = request;
    if (failure) return std::unexpected(*failure);
    return net::HttpResponse{status, {{"content-type", content_type}}, body};
  }
  int status = 200;
  std::string content_type = "text/plain; version=0.0.4";
  std::string body;
  std::optional<core::Error> failure;
  net::HttpRequest last;
};

class ScrapeTest : public testing::Test {
 protected:
  ScrapeTest() {
    settings_.name = "orders";
    settings_.instance = "app:9404";
    settings_.endpoint.url = "http://app:9404/metrics";
  }
  core::Result<core::Batch> collect() {
    if (!collector_) collector_ = std::make_unique<ScrapeCollector>(settings_, page_);
    now_ += 15s;
    return collector_->collect({now_, std::chrono::steady_clock::now() + 10s, {}});
  }
  std::map<std::string, double> values(const core::Batch& batch) {
    std::map<std::string, double> found;
    for (const core::Sample& sample : batch.samples) {
      EXPECT_EQ(sample.time, now_);
      if (sample.labels.name() != "scrape_duration_seconds") found[sample.labels.to_string()] = sample.value;
    }
    return found;
  }

  FakePage page_;
  ScrapeSettings settings_;
  std::unique_ptr<ScrapeCollector> collector_;
  core::Time now_{1'700'000'000s};
};

TEST_F(ScrapeTest, SeriesGetJobInstanceAndTheConfiguredLabels) {
  settings_.labels = {{"cluster", "prod"}};
  page_.body = "latency_seconds_bucket{le=\"0.1\"} 7\nlatency_seconds_count 9\n";
  const auto batch = collect();
  ASSERT_TRUE(batch) << batch.error().describe();
  const std::string own = R"(cluster="prod",instance="app:9404",job="orders")";
  EXPECT_EQ(values(*batch),
            (std::map<std::string, double>{
                {R"(latency_seconds_bucket{cluster="prod",instance="app:9404",job="orders",le="0.1"})", 7},
                {"latency_seconds_count{" + own + "}", 9},
                {"scrape_samples_post_metric_relabeling{" + own + "}", 2},
                {"scrape_samples_scraped{" + own + "}", 2},
                {"up{" + own + "}", 1}}));
  EXPECT_TRUE(batch->faults.empty());
  EXPECT_EQ(collector_->name(), "scrape/orders/app:9404");
}

TEST_F(ScrapeTest, WhatThePageSaysOfASetLabelIsExportedUnlessItIsHonoured) {
  page_.body = "m{job=\"theirs\",exported_job=\"older\"} 1\n";
  auto labels = collect()->samples.front().labels;
  EXPECT_EQ(labels.get("job"), "orders");
  EXPECT_EQ(labels.get("exported_job"), "older");
  EXPECT_EQ(labels.get("exported_exported_job"), "theirs");
  settings_.honor_labels = true;
  collector_.reset();
  labels = collect()->samples.front().labels;
  EXPECT_EQ(labels.get("job"), "theirs");
  EXPECT_EQ(labels.get("instance"), "app:9404");
}

TEST_F(ScrapeTest, RulesDropAndRenameAndTheCountsTellOfBoth) {
  settings_.rules.push_back(
      RelabelRule::make({.source_labels = {"__name__"}, .regex = "go_.*", .action = RelabelRule::Action::drop})
          .value());
  page_.body = "go_goroutines 5\nkept 1\n";
  const auto found = values(*collect());
  EXPECT_EQ(found.size(), 4U);
  EXPECT_EQ(found.at(R"(scrape_samples_scraped{instance="app:9404",job="orders"})"), 2);
  EXPECT_EQ(found.at(R"(scrape_samples_post_metric_relabeling{instance="app:9404",job="orders"})"), 1);
}

TEST_F(ScrapeTest, SamplesOfAWrongClockOrOfLongAgoAreNotTakenAsNew) {
  const auto at = [&](core::Duration off) {
    return std::to_string(core::Time(now_ + 15s + off).time_since_epoch().count());
  };
  page_.body = "ahead{a=\"b\"} 1 " + at(1h) + "\nold 1 " + at(-1h) + "\nfresh 1 " + at(-2min) + "\nplain 1\n";
  const auto batch = collect();
  ASSERT_TRUE(batch) << batch.error().describe();
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_EQ(batch->faults[0].error.message,
            "the times of 2 samples are too far off to be taken, the first is 1h ahead of this machine's clock "
            "(ahead{a=\"b\"}): set the clock that is wrong, or have the page tell what is new; honor_timestamps: false "
            "passes times over");
  EXPECT_EQ(batch->faults[0].scope, Labels()) << "its series keep their state";
  const auto found = values(*batch);
  EXPECT_EQ(found.count(R"(ahead{a="b",instance="app:9404",job="orders"})"), 0U);
  EXPECT_EQ(found.count(R"(old{instance="app:9404",job="orders"})"), 0U);
  EXPECT_EQ(found.at(R"(fresh{instance="app:9404",job="orders"})"), 1);
  EXPECT_EQ(found.at(R"(plain{instance="app:9404",job="orders"})"), 1);
  EXPECT_EQ(found.at(R"(up{instance="app:9404",job="orders"})"), 1);
  settings_.honor_timestamps = false;
  collector_.reset();
  const auto passed_over = collect();
  EXPECT_TRUE(passed_over->faults.empty());
  EXPECT_EQ(values(*passed_over).size(), 7U);
}

TEST_F(ScrapeTest, TimesOfOpenMetricsAreSeconds) {
  page_.content_type = "application/openmetrics-text; version=1.0.0";
  page_.body = "a 1 1700000000.5\nb 1 1700007215\n# EOF\n";
  const auto batch = collect();
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_NE(batch->faults[0].error.message.find("of 1 sample are too far off to be taken, the first is 2h ahead"),
            std::string::npos)
      << batch->faults[0].error.message;
}

TEST_F(ScrapeTest, TheLimitIsOfWhatRelabellingLeaves) {
  settings_.sample_limit = 2;
  settings_.rules.push_back(
      RelabelRule::make({.source_labels = {"__name__"}, .regex = "go_.*", .action = RelabelRule::Action::drop})
          .value());
  page_.body = "go_a 5\ngo_b 6\ngo_c 7\nkept 1\nkept_too 1\n";
  EXPECT_TRUE(collect()->faults.empty());
  page_.body = "kept 1\nkept_too 1\nkept_as_well 1\n";
  const auto batch = collect();
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_EQ(batch->faults[0].error.kind, ErrorKind::limit);
  EXPECT_NE(batch->faults[0].error.message.find("3 samples, more than 2; raise sample_limit"), std::string::npos);
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{R"(up{instance="app:9404",job="orders"})", 0}}));
}

TEST_F(ScrapeTest, APageThatCannotBeReadKeepsItsSeriesAndIsDown) {
  page_.body = "kept 1\n";
  ASSERT_TRUE(collect());
  const auto check = [&](ErrorKind kind, std::string_view words) {
    const auto batch = collect();
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->faults.size(), 1U) << words;
    EXPECT_EQ(batch->faults[0].error.kind, kind) << batch->faults[0].error.describe();
    EXPECT_NE(batch->faults[0].error.message.find(words), std::string::npos) << batch->faults[0].error.describe();
    EXPECT_EQ(batch->faults[0].error.where, "http://app:9404/metrics");
    EXPECT_TRUE(batch->faults[0].scope.empty()) << "nothing of the page may be taken for gone";
    EXPECT_EQ(values(*batch), (std::map<std::string, double>{{R"(up{instance="app:9404",job="orders"})", 0}}));
  };
  page_.body = "kept 1\nbroken\n";
  check(ErrorKind::protocol, "line 2");
  page_.content_type = "text/html";
  page_.body = "<html>";
  check(ErrorKind::protocol, "text/html");
  page_.status = 404;
  check(ErrorKind::not_found, "path");
  page_.status = 401;
  check(ErrorKind::denied, "basic_auth");
  page_.status = 302;
  check(ErrorKind::protocol, "redirected");
  page_.status = 503;
  check(ErrorKind::unavailable, "503");
  page_.failure = core::fail(ErrorKind::timeout, "no answer within 10s").error();
  check(ErrorKind::timeout, "no answer");
  page_ = {};
  page_.body = "kept 2\n";
  EXPECT_EQ(values(*collect()).at(R"(kept{instance="app:9404",job="orders"})"), 2);
}

TEST_F(ScrapeTest, ASeriesThatIsNotWellFormedIsAFaultEachTime) {
  page_.body = "good 1\nm{a=\"1\",a=\"2\"} 1\n";
  for (int i = 0; i < 2; ++i) {
    const auto batch = collect();
    ASSERT_EQ(batch->faults.size(), 1U);
    EXPECT_NE(batch->faults[0].error.message.find("given twice"), std::string::npos);
  }
}

TEST_F(ScrapeTest, TheRequestHasTheLoginTheLimitAndAsksForBothFormats) {
  settings_.endpoint.bearer_token = core::Secret("t");
  settings_.body_size_limit = 1000;
  (void)collect();
  EXPECT_EQ(page_.last.bearer.reveal(), "t");
  EXPECT_EQ(page_.last.max_response_bytes, 1000U);
  EXPECT_LE(page_.last.timeout, 10s);
  EXPECT_NE(page_.last.headers.at(0).second.find("openmetrics"), std::string::npos);
}

TEST(ScrapeSettingsTest, ReadsAnEntryWithSeveralPages) {
  config::Diagnostics diagnostics;
  const config::Node node = config::parse_yaml(R"(
name: brokers
urls: ["http://b1:7071/metrics", "https://b2/metrics", "http://[::1]/metrics"]
preset: [kafka_broker]
labels: {cluster: prod}
metric_relabel_configs: [{source_labels: [topic], regex: '(.+)\.(.+)', target_label: team, replacement: '${1}'}]
sample_limit: 10
honor_timestamps: false
)",
                                               "/etc/weir/weir.yml", diagnostics);
  const ScrapeTargets targets = parse_scrape(node, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(targets.name, "brokers");
  ASSERT_EQ(targets.pages.size(), 3U);
  EXPECT_EQ(targets.pages[0].instance, "b1:7071");
  EXPECT_EQ(targets.pages[1].instance, "b2:443");
  EXPECT_EQ(targets.pages[2].instance, "[::1]:80");
  EXPECT_EQ(targets.pages[2].sample_limit, 10U);
  EXPECT_FALSE(targets.pages[2].honor_timestamps);
  EXPECT_EQ(relabel(Labels{{"__name__", "kafka_server_ReplicaManager_LeaderCount"}, {"topic", "shop.orders"}},
                    targets.pages[0].rules),
            (Labels{{"__name__", "kafka_broker_leaders"}, {"topic", "shop.orders"}, {"team", "shop"}}));
}

TEST(ScrapeSettingsTest, EveryMistakeIsNamed) {
  config::Diagnostics diagnostics;
  const config::Node node = config::parse_yaml(R"(
name: brokers
urls: ["b1:7071", "http://b2:1/a", "http://b2:1/b", "http://u:p@b3/", "http://b4:65536/a", "http://b 5/"]
preset: kafka_brokers
labels: {job: x, "a-b": c}
interval: 1ms
sample_limit: 0
relabel_configs: []
)",
                                               "/etc/weir/weir.yml", diagnostics);
  parse_scrape(node, diagnostics);
  const std::string text = diagnostics.to_string();
  for (const char* words :
       {"write http://", "b2:1 is given twice", "under basic_auth", "could be: b4:65536", "could be: b 5",
        "did you mean \"kafka_broker\"", "\"a-b\" is no label", "\"job\" is set by the scrape", "at least 1s",
        "sample_limit", "unknown key \"relabel_configs\""}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

}  // namespace
}  // namespace weir::collectors
