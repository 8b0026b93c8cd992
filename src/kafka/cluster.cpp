#include "kafka/cluster.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "kafka/assemble.h"
#include "kafka/connection.h"
#include "kafka/dead_letter_samples.h"
#include "kafka/errors.h"
#include "kafka/group_tracker.h"
#include "kafka/groups.h"
#include "kafka/metadata.h"
#include "kafka/offsets.h"
#include "kafka/offsets_stream.h"
#include "kafka/property_files.h"
#include "kafka/sampler.h"
#include "kafka/silent_brokers.h"
#include "kafka/topic_configs.h"

namespace weir::kafka {
namespace {

/// The brokers answer this code for a topic they do not know (UNKNOWN_TOPIC_OR_PARTITION).
constexpr int kUnknownTopicOrPartition = 3;
/// librdkafka's own, RD_KAFKA_RESP_ERR__TIMED_OUT.
constexpr int kTimedOut = -185;

/// In a cycle, for files that changed.
constexpr std::chrono::milliseconds kTrial{1000};
constexpr std::chrono::minutes kRefusedWait{1};

/// A cycle has about this many requests to a broker one after the other, and shall end before the next.
constexpr int kRequestsInTurn = 8;
constexpr std::chrono::milliseconds kLeastPatience{500};

struct Connections {
  std::unique_ptr<Connection> main;
  std::unique_ptr<Connection> committed;  // for last stable offsets, where they are asked for
};

/// With what the files hold now.
core::Result<Connections> open(const ClusterSettings& settings, const PropertyFiles& files, const TokenSource& tokens) {
  const auto read = files.read(settings);
  if (!read) return std::unexpected(read.error());
  Connections connections;
  auto main = Connection::open(*read, Isolation::read_uncommitted, tokens);
  if (!main) return std::unexpected(std::move(main.error()));
  connections.main = std::move(*main);
  if (!settings.transactions) return connections;
  auto committed = Connection::open(*read, Isolation::read_committed, tokens);
  if (!committed) return std::unexpected(std::move(committed.error()));
  connections.committed = std::move(*committed);
  return connections;
}

}  // namespace

class Cluster::Impl {
 public:
  Impl(ClusterSettings settings, PropertyFiles files, Connections connections, TokenSource tokens)
      : settings_(std::move(settings)),
        files_(std::move(files)),
        tokens_(std::move(tokens)),
        groups_(settings_),
        letters_(settings_.dead_letters),
        configs_(settings_.interval) {
    if (settings_.offsets_stream) stream_.emplace(settings_, tokens_);
    use(std::move(connections));
  }

  core::Result<Snapshot> snapshot(const Budget& budget) {
    auto taken = take(budget);
    if (!taken) taken.error().where = where();
    return taken;
  }

  void describe_soon(const std::string& group) { groups_.describe_soon(group); }

 private:
  std::string where() const { return "kafka/" + settings_.name; }
  core::Labels scope() const { return core::Labels{{"cluster", settings_.name}}; }

  void use(Connections connections) {
    silent_.reset();
    connections_ = std::move(connections);
    silent_.emplace(*connections_.main, settings_.request_timeout);
    met_.clear();
  }

  core::Result<Snapshot> take(const Budget& budget) {
    connections_.main->begin();
    if (connections_.committed) connections_.committed->begin();
    follow_files(budget);
    silent_->prefer_others(met_);
    auto metadata = metadata_.read(*connections_.main, budget, settings_, patience());
    if (!metadata && file_error_ && use_files()) {  // what was there before is of no use either
      metadata = read_metadata(*connections_.main, budget, settings_);
    }
    if (!metadata) return std::unexpected(std::move(metadata.error()));
    Snapshot snapshot;
    snapshot.brokers = static_cast<std::int32_t>(metadata->brokers.size());
    snapshot.topics = std::move(metadata->topics);
    snapshot.faults = std::move(metadata->faults);
    if (auto read = read_all(budget, metadata->brokers, snapshot); !read)
      return std::unexpected(std::move(read.error()));
    if (file_error_) {
      snapshot.faults.push_back({*file_error_, core::Labels{{"cluster", settings_.name}, {"files", files_.names()}}});
    }
    limit_faults(settings_.name, snapshot.faults);
    for (core::Fault& fault : snapshot.faults) fault.error.where = where();
    return snapshot;
  }

  core::Result<void> read_all(const Budget& budget, const BrokerIds& brokers, Snapshot& snapshot) {
    silent_->check(budget, brokers);
    TopicNames names;
    if (stream_) stream_->follow(budget);
    auto groups = read_all_groups(budget, brokers, snapshot, names);
    if (!groups) return std::unexpected(std::move(groups.error()));
    join_groups(std::move(*groups), names, settings_.name, snapshot);
    if (stream_) stream_->fill(snapshot);
    if (auto read = read_ends(budget, snapshot); !read) return read;
    auto faults = newest_.update(*connections_.main, budget, settings_.name, snapshot.topics);
    std::ranges::move(faults, std::back_inserter(snapshot.faults));
    letters_.update(*connections_.main, budget, snapshot.topics);
    configs_.update(*connections_.main, budget, snapshot);
    return {};
  }

  /// New certificates or passwords are tried on connections of their own; those of the old ones go until these work.
  void follow_files(const Budget& budget) {
    if (files_.changed() || (refused_until_ && std::chrono::steady_clock::now() >= *refused_until_)) open_candidate();
    if (!candidate_) return;
    candidate_->main->begin();
    auto tried = read_metadata(*candidate_->main, budget.within(kTrial), settings_);
    if (tried) {
      (void)use_files();
      return;
    }
    refuse_files(tried.error());
    if (tried.error().kind != core::ErrorKind::denied) return;
    candidate_.reset();  // logins that are refused again and again lock accounts
    refused_until_ = std::chrono::steady_clock::now() + kRefusedWait;
  }

  void open_candidate() {
    refused_until_.reset();
    candidate_.reset();
    auto opened = open(settings_, files_, tokens_);
    if (opened) {
      candidate_ = std::move(*opened);
    } else {
      refuse_files(opened.error());
    }
  }

  /// False when connections cannot be opened with the files as they are.
  bool use_files() {
    if (!candidate_) open_candidate();
    if (!candidate_) return false;
    file_error_.reset();
    use(std::move(*std::exchange(candidate_, std::nullopt)));
    return true;
  }

  void refuse_files(const core::Error& error) {
    file_error_ = error;
    file_error_->message =
        files_.names() + " changed and cannot be used, so what was there before still is: " + error.message;
  }

  core::Result<std::vector<ReadGroup>> read_all_groups(const Budget& budget, const BrokerIds& brokers,
                                                       Snapshot& snapshot, TopicNames& names) {
    // Half of the time at most: coordinators that do not answer must not cost the topics.
    const Budget share = budget.within(budget.left(std::chrono::hours(1)) / 2);
    auto plan = settings_.groups.named.empty()
                    ? plan_listed(share, brokers, snapshot)
                    : core::Result<GroupPlan>(groups_.plan_named(brokers, silent_->ids(), snapshot.topics));
    if (!plan) return std::unexpected(std::move(plan.error()));
    snapshot.groups_listed = plan->listed;
    snapshot.groups_over_cap = plan->over_cap;
    if (stream_) stream_->plan(plan->queries);
    auto answers = read_groups(*connections_.main, share, settings_.request_timeout, plan->queries, silent_->ids());
    if (!answers) return std::unexpected(std::move(answers.error()));
    silent_->add(answers->silent);
    if (stream_) stream_->complete(plan->queries, *answers);
    names = std::move(answers->topics);
    auto read = groups_.finish(std::move(plan->groups), std::move(answers->answers));
    for (const std::string& name : groups_.take_missing()) {
      snapshot.notices.push_back(
          {"group_missing", fmt::format("Consumer group \"{}\" of groups.names does not exist in {}: it "
                                        "has neither members nor commits; check its name.",
                                        name, settings_.name)});
    }
    return read;
  }

  /// How long to wait for a broker while others have answered. A broker that is met first has to be connected to.
  std::chrono::milliseconds patience() const {
    return std::min(settings_.request_timeout, std::max(kLeastPatience, settings_.interval / kRequestsInTurn));
  }
  std::chrono::milliseconds patience_with(const BrokerIds& brokers) {
    const bool all_met = std::ranges::all_of(
        brokers, [&](std::int32_t broker) { return std::ranges::find(met_, broker) != met_.end(); });
    met_ = brokers;
    return all_met ? patience() : settings_.request_timeout;
  }

  /// Of several brokers the quick ones do not wait for one that has become slow since it listed its groups.
  std::chrono::milliseconds offsets_patience() const {
    if (met_.size() < 2 || !listed_within_) return kLongestCall;
    return std::max(patience(), 4 * *listed_within_);
  }

  core::Result<GroupPlan> plan_listed(const Budget& budget, const BrokerIds& brokers, Snapshot& snapshot) {
    BrokerIds asked = brokers;
    std::erase_if(asked, [&](std::int32_t broker) { return silent_->contains(broker); });
    const auto began = std::chrono::steady_clock::now();
    auto listing =
        list_groups(*connections_.main, budget.within(settings_.request_timeout), asked, patience_with(brokers));
    if (!listing) return std::unexpected(std::move(listing.error()));
    listed_within_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    for (const std::int32_t broker : silent_->ids()) {
      listing->errors.push_back(to_error(kTimedOut, "consumer groups of broker " + std::to_string(broker), {}));
    }
    if (asked.empty() && !listing->errors.empty()) return std::unexpected(std::move(listing->errors.front()));
    silent_->add(listing->silent);
    const bool complete = listing->errors.empty();
    // Which groups a silent broker coordinates is unknown, so nothing of the cluster may be taken for deleted.
    for (core::Error& error : listing->errors) snapshot.faults.push_back({std::move(error), scope()});
    return groups_.plan_listed(std::move(*listing), brokers, complete);
  }

  core::Result<void> read_ends(const Budget& budget, Snapshot& snapshot) {
    auto read = read_offsets(*connections_.main, connections_.committed.get(), budget, offsets_patience(),
                             snapshot.topics, silent_->ids());
    if (!read) return std::unexpected(std::move(read.error()));
    silent_->add(read->silent);
    if (std::ranges::find(read->codes, kUnknownTopicOrPartition) != read->codes.end()) {
      drop_deleted(budget, *read, snapshot);
    }
    add_offset_faults(settings_.name, read->codes, snapshot);
    add_stable_faults(settings_.name, read->stable_codes, snapshot);
    return {};
  }

  /// A leader that does not know its topic: deleted a moment ago, if the metadata says so too.
  void drop_deleted(const Budget& budget, OffsetsRead& read, Snapshot& snapshot) {
    const std::vector<int>& codes = read.codes;
    const auto metadata = read_metadata(*connections_.main, budget, settings_);
    if (!metadata) return;
    std::vector<bool> gone(codes.size());
    std::vector<int> kept;
    std::vector<int> stable;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      gone[i] = codes[i] == kUnknownTopicOrPartition &&
                !std::ranges::binary_search(metadata->topics, snapshot.topics[i].name, {}, &Topic::name);
      if (gone[i]) continue;
      kept.push_back(codes[i]);
      if (!read.stable_codes.empty()) stable.push_back(read.stable_codes[i]);
    }
    drop_topics(snapshot, gone);
    read.codes = std::move(kept);
    read.stable_codes = std::move(stable);
  }

  const ClusterSettings settings_;
  PropertyFiles files_;
  TokenSource tokens_;
  std::optional<core::Error> file_error_;  // of files that changed and are not in use
  Connections connections_;
  std::optional<Connections> candidate_;  // with files that changed
  std::optional<std::chrono::steady_clock::time_point> refused_until_;
  std::optional<SilentBrokers> silent_;
  MetadataReader metadata_;
  std::optional<std::chrono::milliseconds> listed_within_;  // all groups, in the last cycle
  BrokerIds met_;                                           // that were asked over these connections before
  GroupTracker groups_;
  NewestMessages newest_;
  std::optional<OffsetsStream> stream_;
  DeadLetterSamples letters_;
  TopicConfigs configs_;
};

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() = default;

core::Result<std::unique_ptr<Cluster>> Cluster::connect(ClusterSettings settings, TokenSource token_source) {
  PropertyFiles files(settings);
  auto connections = open(settings, files, token_source);
  if (!connections) {
    connections.error().where = "kafka/" + settings.name;
    return std::unexpected(std::move(connections.error()));
  }
  return std::unique_ptr<Cluster>(new Cluster(
      std::make_unique<Impl>(std::move(settings), std::move(files), std::move(*connections), std::move(token_source))));
}

void Cluster::describe_soon(const std::string& group) { impl_->describe_soon(group); }

core::Result<Snapshot> Cluster::snapshot(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
  return impl_->snapshot({deadline, stop});
}

}  // namespace weir::kafka
