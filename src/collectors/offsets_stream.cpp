#include "collectors/offsets_stream.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

constexpr MetricInfo kRate = {"kafka_consumergroup_commits_per_second", MetricType::gauge,
                              "Offsets that the group committed per second, each partition counted."};
constexpr MetricInfo kLastCommit = {"kafka_consumergroup_last_commit_timestamp_seconds", MetricType::gauge,
                                    "When the group last committed, in seconds since 1970."};
constexpr MetricInfo kLive = {"kafka_offsets_stream_live", MetricType::gauge,
                              "1 while commits come from __consumer_offsets, 0 while groups are asked for them."};
constexpr MetricInfo kGroups = {"kafka_offsets_stream_groups", MetricType::gauge,
                                "Groups whose commits came from __consumer_offsets in the last cycle."};
constexpr MetricInfo kRecords = {"kafka_offsets_stream_records_total", MetricType::counter,
                                 "Records of __consumer_offsets that were read."};
constexpr MetricInfo kMetrics[] = {kRate, kLastCommit, kLive, kGroups, kRecords};

void build_labels(std::string_view cluster, OffsetsStreamMemory& memory) {
  memory.live = Labels::metric(kLive.name, {{"cluster", cluster}});
  memory.served = Labels::metric(kGroups.name, {{"cluster", cluster}});
  for (std::size_t kind = 0; kind < kafka::kOffsetsRecordKinds; ++kind) {
    memory.records.push_back(Labels::metric(
        kRecords.name, {{"cluster", cluster}, {"kind", to_string(static_cast<kafka::OffsetsRecordKind>(kind))}}));
  }
}

}  // namespace

void offsets_stream(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, OffsetsStreamMemory& memory,
                    core::Batch& batch) {
  if (!snapshot.offsets_stream) return;
  if (memory.live.empty()) build_labels(cycle.cluster, memory);
  const auto add = [&](const Labels& labels, double value) { batch.samples.push_back({labels, cycle.now, value}); };
  add(memory.live, snapshot.offsets_stream->live ? 1 : 0);
  add(memory.served, static_cast<double>(snapshot.offsets_stream->groups));
  for (std::size_t kind = 0; kind < memory.records.size(); ++kind) {
    add(memory.records[kind], static_cast<double>(snapshot.offsets_stream->records[kind]));
  }
  for (const kafka::Group& group : snapshot.groups) {
    if (!group.commit_records) continue;
    OffsetsStreamMemory::Group& known = memory.groups[group.id];
    known.seen = true;
    if (known.rate.empty()) {
      known.rate = Labels::metric(kRate.name, {{"cluster", cycle.cluster}, {"consumergroup", group.id}});
      known.last_commit = Labels::metric(kLastCommit.name, {{"cluster", cycle.cluster}, {"consumergroup", group.id}});
    }
    if (known.records && *known.records <= *group.commit_records && known.time < cycle.now) {
      const auto more = static_cast<double>(*group.commit_records - *known.records);
      add(known.rate, more / core::to_seconds(cycle.now - known.time));
    }
    known.records = group.commit_records;
    known.time = cycle.now;
    if (group.last_commit) add(known.last_commit, core::to_seconds(*group.last_commit));
  }
  forget_unseen(memory.groups);
}

std::span<const MetricInfo> offsets_stream_metrics() { return kMetrics; }

}  // namespace weir::collectors
