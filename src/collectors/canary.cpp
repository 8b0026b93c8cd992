#include "collectors/canary.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;
using std::chrono::milliseconds;

constexpr std::size_t kMaxPending = 100'000;
constexpr milliseconds kLongestWait{3000};
constexpr milliseconds kPollSpan{100};
constexpr milliseconds kReopenAfter{60'000};
constexpr milliseconds kEventPause{60'000};  // between two events of errors

constexpr MetricInfo kMetrics[] = {
    {"kafka_canary_produce_latency_seconds", MetricType::histogram,
     "From handing a canary to the producer to the acknowledgement of all in-sync replicas."},
    {"kafka_canary_round_trip_latency_seconds", MetricType::histogram,
     "From handing a canary to the producer to its arrival at the consumer."},
    {"kafka_canary_commit_latency_seconds", MetricType::histogram, "From a commit of offsets to its answer."},
    {"kafka_canary_sent_total", MetricType::counter, "Canaries handed to the producer."},
    {"kafka_canary_received_total", MetricType::counter, "Canaries that arrived at the consumer."},
    {"kafka_canary_late_total", MetricType::counter, "Canaries that did not arrive within late_after."},
    {"kafka_canary_lost_total", MetricType::counter,
     "Canaries that were acknowledged and did not arrive within lost_after."},
    {"kafka_canary_duplicated_total", MetricType::counter, "Canaries that arrived once more."},
    {"kafka_canary_produce_failures_total", MetricType::counter, "Canaries that were not acknowledged."},
    {"kafka_canary_commit_failures_total", MetricType::counter, "Commits that failed."},
    {"kafka_canary_pending", MetricType::gauge, "Canaries on their way."},
    {"kafka_canary_failing_partitions", MetricType::gauge,
     "Partitions whose newest canary of which it is known was not acknowledged."},
};

std::string partitions_text(const std::set<std::int32_t>& partitions) {
  constexpr std::size_t kShown = 8;
  std::string text;
  std::size_t shown = 0;
  for (const std::int32_t partition : partitions) {
    if (shown++ == kShown) return text + fmt::format(" and {} more", partitions.size() - kShown);
    text += (text.empty() ? "" : ", ") + std::to_string(partition);
  }
  return text;
}

}  // namespace

LatencyHistogram::LatencyHistogram(std::string_view name, const Labels& labels) {
  const std::string base(name);
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const std::string bound = i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf";
    buckets_[i] = labels.with(core::kMetricName, base + "_bucket").with("le", bound);
  }
  sum_labels_ = labels.with(core::kMetricName, base + "_sum");
  count_labels_ = labels.with(core::kMetricName, base + "_count");
}

void LatencyHistogram::observe(double seconds) {
  seconds = std::max(0.0, seconds);
  ++counts_[static_cast<std::size_t>(std::ranges::lower_bound(kBounds, seconds) - kBounds.begin())];
  sum_ += seconds;
  ++count_;
}

void LatencyHistogram::append(core::Time now, std::vector<core::Sample>& samples) const {
  std::uint64_t cumulated = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    cumulated += counts_[i];
    samples.push_back({buckets_[i], now, static_cast<double>(cumulated)});
  }
  samples.push_back({sum_labels_, now, sum_});
  samples.push_back({count_labels_, now, static_cast<double>(count_)});
}

CanaryLedger::CanaryLedger(const std::string& cluster, const kafka::CanarySettings& settings)
    : scope_{{"cluster", cluster}, {"topic", settings.topic}},
      cluster_(cluster),
      settings_(settings),
      produce_(kMetrics[0].name, scope_),
      round_trip_(kMetrics[1].name, scope_),
      commit_(kMetrics[2].name, scope_) {
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    counters_[i] = scope_.with(core::kMetricName, kMetrics[i + 3].name);
  }
}

void CanaryLedger::sent(std::int32_t partition, std::uint64_t sequence, kafka::SteadyTime at) {
  ++sent_;
  if (pending_.size() < kMaxPending) pending_[{partition, sequence}] = {at};
}

void CanaryLedger::note_late(Sent& sent) {
  if (!std::exchange(sent.late, true)) ++late_;
}

void CanaryLedger::deliver(const kafka::CanaryDelivery& delivery) {
  if (!delivery.error) produce_.observe(core::to_seconds(delivery.latency));
  if (delivery.error) ++produce_failures_;
  Outcome& outcome = outcomes_[delivery.partition];
  if (delivery.sequence >= outcome.sequence) outcome = {delivery.sequence, delivery.error.has_value()};
  const auto found = pending_.find({delivery.partition, delivery.sequence});
  if (found == pending_.end()) return;  // has arrived before its acknowledgement
  found->second.acknowledged = !delivery.error;
  found->second.failed = delivery.error.has_value();
}

void CanaryLedger::arrive(const kafka::CanaryArrival& arrival) {
  const Key key{arrival.partition, arrival.sequence};
  const auto found = pending_.find(key);
  if (found == pending_.end()) {
    if (done_.contains(key)) ++duplicated_;
    return;
  }
  ++arrived_;
  const auto took = arrival.at - found->second.at;
  round_trip_.observe(std::chrono::duration<double>(took).count());
  if (took > settings_.late_after) note_late(found->second);
  done_[key] = arrival.at;
  pending_.erase(found);
}

std::optional<core::Error> CanaryLedger::take(const kafka::CanaryNews& news) {
  std::optional<core::Error> error = news.error;
  for (const kafka::CanaryDelivery& delivery : news.deliveries) {
    deliver(delivery);
    if (delivery.error && !error) error = delivery.error;
  }
  for (const kafka::CanaryArrival& arrival : news.arrivals) arrive(arrival);
  return error;
}

void CanaryLedger::assigned(const std::vector<std::int32_t>& partitions) {
  std::erase_if(outcomes_, [&](const auto& entry) { return !std::ranges::binary_search(partitions, entry.first); });
}

bool CanaryLedger::waits_for(std::uint64_t from_sequence) const {
  return std::ranges::any_of(
      pending_, [&](const auto& entry) { return entry.first.second >= from_sequence && !entry.second.failed; });
}

void CanaryLedger::expire(kafka::SteadyTime now, core::Time wall, std::vector<core::Event>& events) {
  std::set<std::int32_t> partitions;
  std::size_t lost = 0;
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    auto& [key, sent] = *entry;
    const auto age = now - sent.at;
    if (age > settings_.late_after) note_late(sent);
    // One that nobody acknowledged keeps a while longer: the producer gives up at lost_after too.
    const bool gone = age > settings_.lost_after && (sent.acknowledged || sent.failed);
    if (!gone && age <= 2 * settings_.lost_after) {
      ++entry;
      continue;
    }
    if (sent.acknowledged) {
      ++lost_;
      ++lost;
      partitions.insert(key.first);
    }
    entry = pending_.erase(entry);
  }
  std::erase_if(done_, [&](const auto& entry) { return now - entry.second > 2 * settings_.lost_after; });
  if (lost == 0) return;
  events.push_back({wall, "canary_lost", scope_,
                    fmt::format("{} canaries through {} in {} were acknowledged and have not arrived after {} s, of "
                                "partition {}.",
                                lost, settings_.topic, cluster_, core::to_seconds(settings_.lost_after),
                                partitions_text(partitions))});
}

void CanaryLedger::append(core::Time now, std::vector<core::Sample>& samples) const {
  for (const LatencyHistogram* histogram : {&produce_, &round_trip_, &commit_}) histogram->append(now, samples);
  const auto failing = static_cast<std::uint64_t>(
      std::ranges::count_if(outcomes_, [](const auto& entry) { return entry.second.failed; }));
  const std::array<std::uint64_t, 9> values = {
      sent_, arrived_, late_, lost_, duplicated_, produce_failures_, commit_failures_, pending_.size(), failing};
  for (std::size_t i = 0; i < values.size(); ++i) {
    samples.push_back({counters_[i], now, static_cast<double>(values[i])});
  }
}

CanaryCollector::CanaryCollector(kafka::ClusterSettings cluster)
    : CanaryCollector(cluster.name, *cluster.canary, [this, cluster] { return open(cluster); }) {}

CanaryCollector::CanaryCollector(const std::string& cluster, kafka::CanarySettings settings, OpenLink open)
    : name_("canary/" + cluster),
      settings_(std::move(settings)),
      scope_{{"cluster", cluster}, {"topic", settings_.topic}},
      open_(std::move(open)),
      ledger_(cluster, settings_) {}

CanaryCollector::~CanaryCollector() = default;

std::span<const MetricInfo> CanaryCollector::metrics() const { return kMetrics; }

core::Result<std::unique_ptr<kafka::CanaryLink>> CanaryCollector::open(const kafka::ClusterSettings& cluster) {
  return kafka::open_canary(cluster, *cluster.canary, tokens_.source());
}

std::optional<core::Error> CanaryCollector::follow(std::uint64_t first, const core::CollectContext& context) {
  const auto wait = std::min<core::Duration>(kLongestWait, settings_.interval * 9 / 10);
  const kafka::SteadyTime until = std::min(context.deadline, link_->now() + wait);
  std::optional<core::Error> error;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - link_->now());
    const bool over = left <= milliseconds{0} || context.stop.stop_requested() || !ledger_.waits_for(first);
    auto told = ledger_.take(link_->poll(over ? milliseconds{0} : std::min(left, kPollSpan)));
    if (told && !error) error = std::move(told);
    if (over) return error;
  }
}

std::optional<core::Error> CanaryCollector::probe(const core::CollectContext& context) {
  if (!link_) {
    auto opened = open_();
    if (!opened) return opened.error();
    link_ = std::move(*opened);
  }
  // What came since the last cycle has come now at the latest.
  std::optional<core::Error> error = ledger_.take(link_->poll(milliseconds{0}));
  const auto partitions = link_->prepare(context.deadline, context.stop);
  if (!partitions) {
    // With certificates and passwords as their files are by then.
    const kafka::SteadyTime now = link_->now();
    if (!failing_since_) failing_since_ = now;
    if (now - *failing_since_ >= kReopenAfter) {
      failing_since_.reset();
      link_.reset();
    }
    return partitions.error();
  }
  failing_since_.reset();
  ledger_.assigned(*partitions);
  const std::uint64_t arrived = ledger_.arrived();
  const std::uint64_t sequence = ledger_.next_sequence();
  for (const std::int32_t partition : *partitions) {
    const auto at = link_->send(partition, sequence);
    if (!at) return at.error();
    ledger_.sent(partition, sequence, *at);
  }
  auto followed = follow(sequence, context);
  if (followed && !error) error = std::move(followed);
  if (context.stop.stop_requested() || ledger_.arrived() == arrived) return error;  // nothing to commit
  if (auto took = link_->commit(context.deadline)) {
    ledger_.committed(*took);
  } else {
    ledger_.commit_failed();
    if (!error) error = std::move(took.error());
  }
  return error;
}

/// Once for a while of errors: what the canary's alerts are explained by when the error itself is over.
void CanaryCollector::tell(const core::Error& error, core::Batch& batch) {
  if (std::exchange(in_error_, true) || (told_at_ && now_ - *told_at_ < kEventPause)) return;
  told_at_ = now_;
  batch.events.push_back({now_, "canary_error", scope_, error.message});
}

core::Result<core::Batch> CanaryCollector::collect(const core::CollectContext& context) {
  now_ = context.now;
  tokens_.set_now(now_);
  core::Batch batch;
  if (auto error = probe(context)) {
    if (error->kind == core::ErrorKind::cancelled) return std::unexpected(std::move(*error));
    tell(*error, batch);
    error->where = name_;
    batch.faults.push_back({std::move(*error), scope_});
  } else {
    in_error_ = false;
  }
  if (link_) ledger_.expire(link_->now(), context.now, batch.events);
  ledger_.append(context.now, batch.samples);
  return batch;
}

}  // namespace weir::collectors
