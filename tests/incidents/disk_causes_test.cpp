#include <gmock/gmock.h>

#include "incidents/causes.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::Labels;
using core::Node;
using test::at;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr double kNow = 36'000;
constexpr double kGiB = 1024.0 * 1024 * 1024;

class DiskCauses : public testing::Test {
 protected:
  static core::Alert alert(const char* rule, const Labels& labels) {
    core::Alert alert;
    alert.rule = rule;
    alert.labels = labels.with("alertname", rule);
    alert.state = core::AlertState::firing;
    alert.active_at = at(kNow - 300);
    return alert;
  }
  void line(const char* metric, const Labels& labels, double from, double to) {
    constexpr double kSpan = 3600;
    for (double s = kSpan; s >= 0; s -= 60)
      source_.add(labels.with(core::kMetricName, metric), at(kNow - s), from + (to - from) * (kSpan - s) / kSpan);
  }
  void disk(const Labels& labels, double left_before, double left, double size) {
    line("node_filesystem_avail_bytes", labels, left_before * kGiB, left * kGiB);
    line("node_filesystem_size_bytes", labels, size * kGiB, size * kGiB);
  }
  Cause cause(const core::Alert& of) { return likely_cause({of}, {source_, {}, at(kNow), {}}); }

  test::MemorySource source_;
  const Labels disk_{{"cluster", "prod"}, {"job", "nodes"},       {"instance", "b1:9100"},
                     {"fstype", "ext4"},  {"device", "/dev/sda"}, {"mountpoint", "/kafka"}};
  const Labels topic_{{"cluster", "prod"}, {"topic", "orders"}};
};

TEST_F(DiskCauses, ADiskIsToldWithWhatIsLeftThePaceAndTheLargestTopic) {
  disk(disk_, 4, 2, 40);
  for (const char* partition : {"0", "1"}) {
    const Labels log{{"cluster", "prod"}, {"instance", "b1:7071"}, {"topic", "clicks"}, {"partition", partition}};
    line("kafka_broker_log_size_bytes", log, 15 * kGiB, 15.5 * kGiB);
  }
  const Labels elsewhere{{"cluster", "prod"}, {"instance", "b2:7071"}, {"topic", "orders"}, {"partition", "0"}};
  line("kafka_broker_log_size_bytes", elsewhere, 90 * kGiB, 90 * kGiB);
  const Cause found = cause(alert("DiskNearlyFull", disk_));
  EXPECT_EQ(found.hypothesis, "disk_near_full");
  EXPECT_EQ(found.sentence,
            "/kafka on b1 is 95 % full: 2.0 GiB of 40.0 GiB are left. At the pace of the last 1h it is full in 1h. "
            "Topic clicks takes 31.0 GiB of b1. A broker whose disk is full stops.");
  EXPECT_EQ(found.origin, (Node{"cluster", "", "prod"}));
}

TEST_F(DiskCauses, OneThatIsEmptiedHasNoPaceAndAMachineOfNoClusterIsNoBroker) {
  const Labels own = disk_.without("cluster");
  disk(own, 1, 2, 40);
  const Cause found = cause(alert("DiskNearlyFull", own));
  EXPECT_EQ(found.sentence, "/kafka on b1 is 95 % full: 2.0 GiB of 40.0 GiB are left.");
  EXPECT_EQ(found.origin, std::nullopt);
}

TEST_F(DiskCauses, OneThatHasRoomIsToldByItsPaceOnly) {
  disk(disk_, 20, 16, 40);
  EXPECT_THAT(cause(alert("DiskFillsUp", disk_)).sentence, HasSubstr("it is full in 4h"));
  disk(disk_.with("mountpoint", "/other"), 16, 16, 40);
  EXPECT_EQ(cause(alert("DiskFillsUp", disk_.with("mountpoint", "/other"))).hypothesis, "");
}

TEST_F(DiskCauses, AFullDiskExplainsReplicasThatAreMissed) {
  line("kafka_topic_under_replicated_partitions", topic_, 3, 3);
  disk(disk_, 2, 2, 40);
  EXPECT_NE(cause(alert("UnderReplicated", topic_)).hypothesis, "disk_near_full") << "a broker goes on with 5 %";
  disk(disk_.with("instance", "b2:9100"), 0.1, 0.1, 40);
  const Cause found = cause(alert("UnderReplicated", topic_));
  EXPECT_EQ(found.hypothesis, "disk_near_full");
  EXPECT_THAT(found.sentence, StartsWith("A disk of prod is full"));
  EXPECT_THAT(found.sentence, HasSubstr("/kafka on b2 is 99 % full: 102 MiB of 40.0 GiB"));
  EXPECT_EQ(found.origin, (Node{"cluster", "", "prod"}));
}

TEST_F(DiskCauses, AFullDiskExplainsALogDirectoryThatIsOutOfUse) {
  const Labels broker{{"cluster", "prod"}, {"instance", "b1:7071"}};
  line("kafka_broker_offline_log_directories", broker, 1, 1);
  EXPECT_EQ(cause(alert("KafkaBrokerLogDirectoryOffline", broker)).hypothesis, "") << "it may be broken";
  disk(disk_, 0, 0, 40);
  EXPECT_EQ(cause(alert("KafkaBrokerLogDirectoryOffline", broker)).hypothesis, "disk_near_full");
}

TEST_F(DiskCauses, WhatIsFullAsARuleAndOtherClustersDisksExplainNothing) {
  line("kafka_topic_under_replicated_partitions", topic_, 3, 3);
  disk(disk_.with("fstype", "squashfs"), 0, 0, 40);
  disk(disk_.with("cluster", "other"), 0, 0, 40);
  EXPECT_NE(cause(alert("UnderReplicated", topic_)).hypothesis, "disk_near_full");
}

TEST_F(DiskCauses, ADiskOfUnknownSizeIsNoEvidence) {
  line("node_filesystem_avail_bytes", disk_, 0, 0);
  EXPECT_EQ(cause(alert("DiskNearlyFull", disk_)).hypothesis, "");
  disk(disk_, 0, 0, 0);
  EXPECT_EQ(cause(alert("DiskNearlyFull", disk_)).hypothesis, "");
}

TEST_F(DiskCauses, AReplicaThatIsInSyncIsNotExplained) {
  line("kafka_topic_under_replicated_partitions", topic_, 0, 0);
  disk(disk_, 0, 0, 40);
  EXPECT_THAT(cause(alert("ConfigChanged", topic_)).sentence, Not(HasSubstr("disk")));
}

}  // namespace
}  // namespace weir::incidents
