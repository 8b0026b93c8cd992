#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/kafka_token.h"
#include "core/collector.h"
#include "core/labels.h"
#include "kafka/canary.h"
#include "kafka/settings.h"

namespace weir::collectors {

/// A classic Prometheus histogram of latencies.
class LatencyHistogram {
 public:
  /// Upper bounds in seconds; 3 is where an end-to-end latency is mostly judged.
  static constexpr std::array<double, 16> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,      2.5,   3,    5,     10,   30,  60};

  /// `labels` without a name.
  LatencyHistogram(std::string_view name, const core::Labels& labels);
  /// Negative ones count as 0.
  void observe(double seconds);
  std::uint64_t count() const { return count_; }
  /// The series _bucket, _sum and _count.
  void append(core::Time now, std::vector<core::Sample>& samples) const;

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};  // not cumulated; the last is +Inf
  std::array<core::Labels, kBounds.size() + 1> buckets_;
  core::Labels sum_labels_;
  core::Labels count_labels_;
  double sum_ = 0;
  std::uint64_t count_ = 0;
};

/// What became of every canary. Pure: times are given.
class CanaryLedger {
 public:
  CanaryLedger(const std::string& cluster, const kafka::CanarySettings& settings);

  std::uint64_t next_sequence() { return ++sequence_; }
  void sent(std::int32_t partition, std::uint64_t sequence, kafka::SteadyTime at);
  /// Takes what the link told; returns its first error.
  std::optional<core::Error> take(const kafka::CanaryNews& news);
  void committed(core::Duration latency) { commit_.observe(core::to_seconds(latency)); }
  void commit_failed() { ++commit_failures_; }
  /// Counts what is late or lost by now; the events of this cycle's losses.
  void expire(kafka::SteadyTime now, core::Time wall, std::vector<core::Event>& events);
  /// Canaries on their way.
  std::size_t pending() const { return pending_.size(); }
  /// What is known of other partitions is forgotten. `partitions` are sorted.
  void assigned(const std::vector<std::int32_t>& partitions);
  std::uint64_t arrived() const { return arrived_; }
  /// Whether any canary of this sequence is on its way still.
  bool waits_for(std::uint64_t from_sequence) const;
  void append(core::Time now, std::vector<core::Sample>& samples) const;

 private:
  using Key = std::pair<std::int32_t, std::uint64_t>;  // partition, sequence
  struct Sent {
    kafka::SteadyTime at;
    bool acknowledged = false;
    bool late = false;
    bool failed = false;  // not acknowledged, though it may arrive yet
  };
  struct Outcome {
    std::uint64_t sequence = 0;
    bool failed = false;
  };
  void deliver(const kafka::CanaryDelivery& delivery);
  void arrive(const kafka::CanaryArrival& arrival);
  void note_late(Sent& sent);

  core::Labels scope_;
  std::string cluster_;
  kafka::CanarySettings settings_;
  std::uint64_t sequence_ = 0;
  std::map<Key, Sent> pending_;
  std::map<Key, kafka::SteadyTime> done_;     // arrived, kept for a while to know a second one
  std::map<std::int32_t, Outcome> outcomes_;  // of each partition's newest canary of which that is known
  LatencyHistogram produce_;
  LatencyHistogram round_trip_;
  LatencyHistogram commit_;
  std::uint64_t sent_ = 0, arrived_ = 0, late_ = 0, lost_ = 0, duplicated_ = 0;
  std::uint64_t produce_failures_ = 0, commit_failures_ = 0;
  std::array<core::Labels, 9> counters_;
};

/// The collector "canary/<cluster>": a canary through every partition of a topic each interval, read back and
/// committed. Counts from the first cycle; a canary is late after `late_after` and lost when it was acknowledged and
/// has not arrived after `lost_after`.
class CanaryCollector : public core::Collector {
 public:
  using OpenLink = std::function<core::Result<std::unique_ptr<kafka::CanaryLink>>()>;

  /// `cluster.canary` must be there.
  explicit CanaryCollector(kafka::ClusterSettings cluster);
  /// With another link, for tests.
  CanaryCollector(const std::string& cluster, kafka::CanarySettings settings, OpenLink open);
  ~CanaryCollector() override;

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  core::Result<std::unique_ptr<kafka::CanaryLink>> open(const kafka::ClusterSettings& cluster);
  std::optional<core::Error> probe(const core::CollectContext& context);
  std::optional<core::Error> follow(std::uint64_t first, const core::CollectContext& context);
  void tell(const core::Error& error, core::Batch& batch);

  std::string name_;
  kafka::CanarySettings settings_;
  core::Labels scope_;
  OpenLink open_;
  KafkaTokens tokens_;
  core::Time now_;  // of this cycle
  std::unique_ptr<kafka::CanaryLink> link_;
  CanaryLedger ledger_;
  std::optional<kafka::SteadyTime> failing_since_;  // nothing could be sent
  bool in_error_ = false;
  std::optional<core::Time> told_at_;  // the last event of an error
};

}  // namespace weir::collectors
