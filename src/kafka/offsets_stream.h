#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/assemble.h"
#include "kafka/commit_table.h"
#include "kafka/connection.h"
#include "kafka/groups.h"
#include "kafka/property_files.h"
#include "kafka/settings.h"
#include "kafka/snapshot.h"
#include "kafka/token.h"

namespace weir::kafka {

/// `offsets: stream`: follows __consumer_offsets from its end by a client of its own that joins no group, so that a
/// cycle asks for the commits of those groups only that are described anyway, are new, or whose partition is behind.
///
/// A cycle is follow(), then plan(), then complete(), then fill(). Where the topic may not be read, or Kafka cannot be
/// followed, every group is asked for its commits as without it: that is told by a notice once, and tried again every
/// 5 minutes. When files of passwords or certificates change, a client with these goes on where the old one is, as soon
/// as it is let in.
class OffsetsStream {
 public:
  /// `settings` must outlive it.
  explicit OffsetsStream(const ClusterSettings& settings, TokenSource token_source = {});
  ~OffsetsStream();

  /// Takes what was committed until now, for at most 1 s. What it could not read to the end is behind in this cycle.
  void follow(const Budget& budget);
  /// Takes the queries' brokers away from groups whose commits are known: nothing is asked of them.
  void plan(std::vector<GroupQuery>& queries);
  /// Puts the commits of those groups into the answers, and keeps what the others answered.
  void complete(const std::vector<GroupQuery>& queries, GroupAnswers& answers);
  /// Commit counts and times of the groups, and how the stream fares.
  void fill(Snapshot& snapshot);

 private:
  struct Client;

  core::Result<std::unique_ptr<Client>> open();
  void renew(const Budget& budget);
  void give_up(const core::Error& error);
  bool is_known(const GroupQuery& query) const;

  const ClusterSettings& settings_;
  TokenSource token_source_;
  CommitTable table_;
  PropertyFiles files_;
  std::optional<std::chrono::steady_clock::time_point>
      renew_at_;  // files changed, and the client does not use them yet
  std::unique_ptr<Client> client_;
  std::chrono::steady_clock::time_point next_try_;
  std::chrono::steady_clock::time_point current_at_;  // when all of it was last read
  std::vector<bool> planned_;                         // queries that the table answers
  std::optional<core::Error> failure_;                // why there is no stream
  bool told_ = false;
};

}  // namespace weir::kafka
