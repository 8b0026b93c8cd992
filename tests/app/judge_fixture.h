#pragma once

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/judge.h"
#include "rules/loader.h"

namespace weir::app {

using namespace std::chrono_literals;

inline constexpr const char* kRules = R"(
groups:
  - name: g
    interval: 15s
    rules:
      - alert: LagHigh
        expr: lag > 10
        for: 30s
        labels: {severity: critical}
        annotations: {summary: 'group {{ $labels.consumergroup }} lags by {{ $value }}'}
)";

/// Storage whose commits can be made to fail.
class FlakyStore final : public storage::Store {
 public:
  explicit FlakyStore(std::unique_ptr<storage::Store> inner) : inner_(std::move(inner)) {}
  bool broken = false;
  void replace(std::unique_ptr<storage::Store> other) { inner_ = std::move(other); }

  core::Result<void> commit(const storage::Commit& changes) override {
    if (broken) return core::fail(core::ErrorKind::storage, "the disk is full");
    return inner_->commit(changes);
  }
  core::Result<std::vector<core::Alert>> active_alerts() override { return inner_->active_alerts(); }
  core::Result<std::vector<core::Incident>> incidents(const storage::IncidentQuery& query) override {
    return inner_->incidents(query);
  }
  core::Result<std::vector<core::Transition>> transitions(const storage::TransitionQuery& query) override {
    return inner_->transitions(query);
  }
  core::Result<std::vector<core::GroupRecord>> notification_groups() override { return inner_->notification_groups(); }
  core::Result<void> put_silences(const std::vector<core::Silence>& silences) override {
    return inner_->put_silences(silences);
  }
  core::Result<std::vector<core::Silence>> silences() override { return inner_->silences(); }
  using storage::Store::due;
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit,
                                                     const storage::Lane& lane) override {
    return inner_->due(now, limit, lane);
  }
  core::Result<void> delivered(std::int64_t sequence, core::Time now,
                               const std::optional<std::string>& reference) override {
    return inner_->delivered(sequence, now, reference);
  }
  core::Result<void> retry_later(std::int64_t sequence, core::Time at, const std::string& error) override {
    return inner_->retry_later(sequence, at, error);
  }
  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override {
    return inner_->give_up(sequence, now, error);
  }
  core::Result<std::size_t> pending_messages() override { return inner_->pending_messages(); }
  core::Result<std::vector<core::ToldMessage>> messages_of(const std::string& incident, std::size_t limit) override {
    return inner_->messages_of(incident, limit);
  }
  core::Result<void> give_feedback(const std::string& check, core::Time time, core::Feedback feedback) override {
    return inner_->give_feedback(check, time, feedback);
  }
  core::Result<void> prune(core::Time now, core::Duration history) override { return inner_->prune(now, history); }
  core::Result<void> append(const std::vector<core::Measurement>& measurements) override {
    return inner_->append(measurements);
  }
  core::Result<std::vector<core::Measurement>> newest(const std::string& check, std::size_t limit) override {
    return inner_->newest(check, limit);
  }
  core::Result<void> put_text(const std::string& key, const std::string& text) override {
    return inner_->put_text(key, text);
  }
  core::Result<std::optional<std::string>> text(const std::string& key) override { return inner_->text(key); }

 private:
  std::unique_ptr<storage::Store> inner_;
};

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() : storage_(std::move(*storage::open_sqlite(":memory:"))) {
    routing_.receivers = {{.name = "team", .integrations = {{.id = "webhook/0", .send_resolved = true, .make = {}}}}};
    routing_.root.emplace();
    routing_.root->receiver = "team";
    routing_.root->group_wait = 0s;
    routing_.root->group_interval = 1s;
    routing_.limits.start_delay = 0s;
    start();
  }

  /// A judge as after a restart: storage is what it was, and the series where their snapshot could be loaded.
  void restart(const std::string& rules = kRules, bool without_storage = false) {
    config::Diagnostics diagnostics;
    judge_.reset();
    rules_ = std::make_unique<rules::Evaluator>(rules::load_text(rules, "rules.yml", diagnostics));
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    judge_ = std::make_unique<Judge>(Judge::Parts{.series = *series_,
                                                  .rules = *rules_,
                                                  .storage = storage_,
                                                  .routing = routing_,
                                                  .annotations = annotations_,
                                                  .silences = {},
                                                  .upstream = upstream_});
    if (without_storage) return;
    ASSERT_TRUE(judge_->restore(now_));
  }
  /// A judge that does not know yet what storage has.
  void begin_without_storage() {
    series_ = std::make_unique<series::Store>(series::Limits{});
    restart(rules_text_, true);
    judge_->await({.kind = core::ErrorKind::storage, .message = "cannot connect", .retryable = true}, now_);
  }
  /// The same without a snapshot.
  void start() {
    judge_.reset();
    series_ = std::make_unique<series::Store>(series::Limits{});
    restart();
  }

  JudgeStep cycle(double lag) {
    now_ += 15s;
    core::Batch batch;
    batch.samples.push_back({core::Labels::metric("lag", {{"cluster", "c"}, {"consumergroup", "billing"}}), now_, lag});
    return judge_->take("kafka/c", batch, now_);
  }
  JudgeStep reload(const std::string& rules) {
    config::Diagnostics diagnostics;
    auto groups = rules::load_text(rules, "rules.yml", diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    return judge_->reload(std::move(groups), now_);
  }
  /// A cycle of a source that has only this.
  void deliver(std::string_view source, const core::Labels& labels, std::vector<core::Fault> faults = {},
               double value = 5) {
    core::Batch batch;
    batch.samples.push_back({labels, now_, value});
    batch.faults = std::move(faults);
    judge_->take(source, batch, now_);
  }
  /// A step of time in which Weir's own samples come, and all rules are evaluated.
  JudgeStep turn() {
    now_ += 15s;
    judge_->take("self", {}, now_);
    return judge_->tick(now_);
  }
  void fire() {
    for (const double lag : {20, 20, 20}) cycle(lag);
    ASSERT_TRUE(stored().at(0).open());
  }
  /// What is to be told, which is told by that.
  std::vector<core::OutboxMessage> take_messages() {
    std::vector<core::OutboxMessage> due = storage_.due(now_, 100).value();
    for (const core::OutboxMessage& message : due) EXPECT_TRUE(storage_.delivered(message.sequence, now_, {}));
    return due;
  }
  std::string ending() { return stored().at(0).open() ? "" : stored().at(0).timeline.at(1).text; }

  std::vector<core::Incident> stored() {
    return storage_.incidents({.open_only = false, .limit = 10, .id = {}}).value();
  }

  core::Time now_ = core::time_from_seconds(1'700'000'000);
  FlakyStore storage_;
  notify::RoutingSettings routing_;
  std::function<core::Labels(const core::Labels&)> annotations_;
  std::function<std::shared_ptr<const incidents::Upstream>()> upstream_;
  std::unique_ptr<series::Store> series_;
  std::unique_ptr<rules::Evaluator> rules_;
  std::unique_ptr<Judge> judge_;
  std::string rules_text_ = kRules;  // of begin_without_storage()
};

}  // namespace weir::app
