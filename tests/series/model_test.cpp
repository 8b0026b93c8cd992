// The store against a model of plain maps, through random batches, late samples, faults, prunes, snapshots and selects.
#include <bit>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <re2/re2.h>
#include <set>

#include "series/store.h"

namespace weir::series {
namespace {

using namespace std::chrono_literals;

const core::Time kStart = core::time_from_seconds(1'000'000);
constexpr core::Duration kRetention = 30min;

struct ModelSeries {
  std::map<core::Time, double> points;
  std::string source;  // that has it in its last batch

  core::Time newest() const { return points.rbegin()->first; }
  bool ended() const { return core::is_stale_marker(points.rbegin()->second); }
};

/// What the store is meant to do, as plainly as it can be said.
class Model {
 public:
  void ingest(const std::string& source, const core::Batch& batch, core::Time now) {
    std::set<core::Labels> written;
    for (const core::Sample& sample : batch.samples) {
      ModelSeries& series = all_[sample.labels];
      written.insert(sample.labels);
      series.source = source;
      if (!series.points.empty() && series.newest() - sample.time > kLateness) continue;
      series.points.emplace(sample.time, sample.value);  // a time that has a value keeps it
    }
    for (auto& [labels, series] : all_) {
      if (series.source != source || written.contains(labels)) continue;
      const bool unknown = std::ranges::any_of(
          batch.faults, [&labels = labels](const core::Fault& fault) { return labels.includes(fault.scope); });
      if (unknown) continue;
      series.source.clear();
      if (!series.ended()) series.points.emplace(std::max(now, series.newest() + 1ms), core::stale_marker());
    }
  }
  /// Chunks go as a whole, so the store may keep more; what is newer it must have.
  void prune(core::Time now) {
    std::erase_if(all_, [&](const auto& entry) { return entry.second.newest() < now - kRetention; });
  }
  const std::map<core::Labels, ModelSeries>& all() const { return all_; }

 private:
  std::map<core::Labels, ModelSeries> all_;
};

bool accepts(const core::Matcher& matcher, const core::Labels& labels) {
  const std::string value(labels.get(matcher.name));
  switch (matcher.op) {
    case core::MatchOp::equal: return value == matcher.value;
    case core::MatchOp::not_equal: return value != matcher.value;
    case core::MatchOp::regex: return RE2::FullMatch(value, matcher.value);
    case core::MatchOp::not_regex: return !RE2::FullMatch(value, matcher.value);
  }
  return false;
}

class ModelTest : public testing::TestWithParam<int> {
 protected:
  core::Labels random_labels() {
    core::LabelsBuilder labels;
    labels.set("__name__", pick({"lag", "offset", "members"}));
    if (random_() % 8 != 0) labels.set("group", "g" + std::to_string(random_() % 40));
    if (random_() % 3 != 0) labels.set("topic", pick({"orders", "orders.dlt", "clicks", "a|b"}));
    return labels.build();
  }
  core::Matcher random_matcher() {
    static const std::vector<std::string> patterns{
        ".*",     ".+",        "",          "g1|g2|g33",    "g1.*",   "(?:g1|g2)",
        "g[1-5]", "orders.*",  "orders|",   "a\\|b",        "|",      "(orders|clicks)",
        "lag",    "lag|other", ".*s|g\\d+", "orders\\.dlt", "(?i)LAG"};
    const auto op = static_cast<core::MatchOp>(random_() % 4);
    const std::string name = pick({"__name__", "group", "topic", "nothing"});
    const bool regex = op == core::MatchOp::regex || op == core::MatchOp::not_regex;
    const std::string plain = pick({"lag", "g1", "g2", "orders", "", "a|b"});
    return {name, op, regex ? patterns[random_() % patterns.size()] : plain};
  }
  core::Batch random_batch() {
    core::Batch batch;
    for (const core::Labels& labels : known_) {
      if (random_() % 10 == 0) continue;
      const core::Duration off(random_() % 6 == 0 ? static_cast<std::int64_t>(random_() % 90'000) : 0);
      const double value =
          random_() % 20 == 0 ? 0.1 * static_cast<double>(random_() % 100) : static_cast<double>(random_() % 1000);
      batch.samples.push_back({labels, now_ - off, value});
    }
    if (random_() % 4 == 0) std::ranges::shuffle(batch.samples, random_);
    if (random_() % 4 == 0) batch.faults.push_back({{}, core::Labels{{"topic", pick({"orders", "clicks"})}}});
    return batch;
  }
  void step() {
    if (random_() % 5 == 0) known_.push_back(random_labels());
    if (random_() % 7 == 0 && !known_.empty())
      known_.erase(known_.begin() + static_cast<long>(random_() % known_.size()));
    now_ += core::Duration(random_() % 20'000);
    const std::string source = pick({"one", "two"});
    const core::Batch batch = random_batch();
    store_.ingest(source, batch, now_);
    model_.ingest(source, batch, now_);
    if (random_() % 20 != 0) return;
    store_.prune(now_);
    model_.prune(now_);
  }
  void check() {
    core::Selection selection{.matchers = {},
                              .from = now_ - core::Duration(random_() % 1'800'000),
                              .to = now_ + 1min - core::Duration(random_() % 600'000),
                              .newest_only = random_() % 2 == 0};
    for (std::size_t i = 0, n = random_() % 4; i < n; ++i) selection.matchers.push_back(random_matcher());
    std::map<core::Labels, std::vector<core::Point>> expected;
    for (const auto& [labels, series] : model_.all()) {
      if (!std::ranges::all_of(selection.matchers, [&labels = labels](const auto& m) { return accepts(m, labels); }))
        continue;
      std::vector<core::Point> points;
      for (const auto& [time, value] : series.points) {
        if (time >= selection.from && time <= selection.to) points.push_back({time, value});
      }
      if (selection.newest_only && !points.empty()) points = {points.back()};
      if (!points.empty()) expected[labels] = points;
    }
    const auto views = store_.select(selection);
    ASSERT_TRUE(views);
    ASSERT_EQ(views->size(), expected.size());
    for (const core::SeriesView& view : *views) {
      const auto wanted = expected.find(view.labels);
      ASSERT_NE(wanted, expected.end()) << view.labels.to_string();
      ASSERT_EQ(view.points.size(), wanted->second.size()) << view.labels.to_string();
      for (std::size_t i = 0; i < view.points.size(); ++i) {
        ASSERT_EQ(view.points[i].time, wanted->second[i].time);
        ASSERT_EQ(std::bit_cast<std::uint64_t>(view.points[i].value),
                  std::bit_cast<std::uint64_t>(wanted->second[i].value));
      }
    }
  }
  std::string pick(std::initializer_list<const char*> from) { return *(from.begin() + random_() % from.size()); }

  std::mt19937_64 random_{static_cast<std::uint64_t>(GetParam())};
  Store store_{{.retention = kRetention}};
  Model model_;
  core::Time now_ = kStart;
  std::vector<core::Labels> known_;
};

TEST_P(ModelTest, TheStoreAnswersAsTheModel) {
  for (int i = 0; i < 800; ++i) {
    step();
    check();
    if (HasFatalFailure()) return;
  }
  const auto all = store_.select({.matchers = {}, .from = core::Time::min(), .to = core::Time::max()});
  ASSERT_TRUE(all);
  std::size_t samples = 0;
  for (const core::SeriesView& view : *all) samples += view.points.size();
  EXPECT_EQ(store_.stats().samples, samples);
}

/// A store that took up a copy goes on exactly as the one that was copied.
TEST_P(ModelTest, ARestoredStoreGoesOnAsTheOldOne) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 40; ++i) step();
    std::vector<SeriesRecord> records;
    for (std::size_t slot = 0; (slot = store_.copy(slot, 7, records)) != 0;) {
    }
    Store restored({.retention = kRetention});
    const RestoreReport report = restored.restore(store_.sources(), std::move(records), now_);
    EXPECT_EQ(report.samples, store_.stats().samples);
    core::Batch last;
    for (std::size_t i = 0; i < known_.size(); i += 2) last.samples.push_back({known_[i], now_ + 1s, 1});
    const IngestReport one = store_.ingest("one", last, now_ + 1s);
    const IngestReport other = restored.ingest("one", last, now_ + 1s);
    model_.ingest("one", last, now_ + 1s);
    EXPECT_EQ(one.stale, other.stale);
    EXPECT_EQ(one.appended, other.appended);
    EXPECT_EQ(store_.stats().samples, restored.stats().samples);
    EXPECT_EQ(store_.label_values("group"), restored.label_values("group"));
    now_ += 1s;
    check();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range(1, 9));

}  // namespace
}  // namespace weir::series
