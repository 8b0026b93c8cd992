#include "collectors/topic_governance.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "collectors/json_pointer.h"
#include "kafka/dead_letter_samples.h"
#include "kafka/metadata.h"
#include "kafka/offsets.h"
#include "kafka/sampler.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricType;
using nlohmann::json;

constexpr core::Duration kLongestCycle = std::chrono::minutes(1);
constexpr std::size_t kMostFields = 200;
constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostFindings = 50;      // of a topic
constexpr std::size_t kValueBytes = 16'384;    // of a message are looked at
constexpr std::size_t kMostBytes = 4U << 20U;  // of a topic
constexpr std::size_t kLongestField = 200;

constexpr std::array kMetricTable = {
    core::MetricInfo{"weir_pii_fields", MetricType::gauge,
                     "Fields of the topic's messages that hold personal data of a kind, and are not accepted."},
    core::MetricInfo{"weir_governance_topics", MetricType::gauge, "Topics whose messages are to be looked at."},
    core::MetricInfo{"weir_governance_topics_looked_at", MetricType::gauge,
                     "Topics of which messages were looked at since the start; the others are not known."},
};

using Visit = std::function<void(const std::string& path, const std::string& value)>;

/// The path of a member. A name that is personal data itself, as in {"ann@example.com": 1}, is a value: "*" stands for
/// it.
std::string path_of(const std::string& around, const std::string& name, const Visit& visit) {
  const std::string before = around.empty() ? "" : around + ".";
  if (privacy::pii_in(name).empty()) return before + name;
  visit(before + "(names)", name);
  return before + "*";
}

/// Every leaf of a message; elements of a list have the list's path.
void walk(const json& node, const std::string& path, std::size_t depth, const Visit& visit) {
  if (depth > kMostDepth || path.size() > kLongestField) return;
  if (node.is_object()) {
    for (const auto& [name, value] : node.items()) walk(value, path_of(path, name, visit), depth + 1, visit);
  } else if (node.is_array()) {
    for (const json& value : node) walk(value, path, depth + 1, visit);
  } else if (const auto text = json_text(node)) {
    visit(path.empty() ? "(value)" : path, *text);
  }
}

}  // namespace

void TopicTally::add(std::string_view value) { add(value, "(value)", ""); }
void TopicTally::add_key(std::string_view key) { add(key, "(key)", "(key)"); }

void TopicTally::add(std::string_view value, const std::string& whole, const std::string& root) {
  if (value.empty()) return;
  const auto tally = [&](const std::string& path, const std::string& text) {
    auto found = fields_.find(path);
    if (found == fields_.end() && fields_.size() < kMostFields) found = fields_.try_emplace(path).first;
    if (found != fields_.end()) found->second.add(text);
  };
  const bool structured = value.front() == '{' || value.front() == '[';
  const json message = structured ? json::parse(value, nullptr, false) : json(json::value_t::discarded);
  if (message.is_discarded()) {
    tally(whole, std::string(value));
  } else {
    walk(message, root, 0, tally);
  }
}

std::map<std::tuple<std::string, std::string, std::string>, std::string> TopicTally::found() const {
  std::map<std::tuple<std::string, std::string, std::string>, std::string> findings;
  for (const auto& [field, tally] : fields_) {
    if (const std::string_view kind = privacy::pii_of_name(field); !kind.empty()) {
      findings.emplace(std::tuple(field, std::string(kind), "name"), "by its name");
    }
    for (const auto& [kind, times] : tally.found()) {
      findings.emplace(std::tuple(field, std::string(kind), "values"),
                       fmt::format("in {} of {} values", times, tally.values()));
    }
  }
  return findings;
}

TopicGovernanceCollector::TopicGovernanceCollector(TopicGovernanceSettings settings, kafka::ClusterSettings cluster)
    : settings_(std::move(settings)), cluster_(std::move(cluster)) {}
TopicGovernanceCollector::~TopicGovernanceCollector() = default;

std::span<const core::MetricInfo> TopicGovernanceCollector::metrics() const { return kMetricTable; }

core::Time TopicGovernanceCollector::next(core::Time now) const {
  return now + (unfinished_ ? std::min(settings_.interval, kLongestCycle) : settings_.interval);
}

core::Result<core::Batch> TopicGovernanceCollector::collect(const core::CollectContext& context) {
  now_ = context.now;
  tokens_.set_now(now_);
  auto opened = connect_once(cluster_, tokens_);
  if (!opened) return std::unexpected(std::move(opened.error()));
  connection_ = std::move(*opened);
  auto batch = look_through(context);
  connection_.reset();
  return batch;
}

core::Result<core::Batch> TopicGovernanceCollector::look_through(const core::CollectContext& context) {
  const kafka::Budget budget{std::min(context.deadline, std::chrono::steady_clock::now() + kLongestCycle),
                             context.stop};
  connection_->begin();
  auto metadata = kafka::read_metadata(*connection_, budget, cluster_);
  if (!metadata) return std::unexpected(metadata.error());
  std::erase_if(metadata->topics, [&](const kafka::Topic& topic) { return !settings_.wanted(topic.name); });
  if (metadata->topics.size() > settings_.most_topics) metadata->topics.resize(settings_.most_topics);
  if (auto read = kafka::read_offsets(*connection_, nullptr, budget, cluster_.request_timeout, metadata->topics);
      !read) {
    return std::unexpected(read.error());
  }
  if (!unfinished_) ++round_;
  unfinished_ = false;
  core::Batch batch;
  std::set<std::string> there;
  for (const kafka::Topic& topic : metadata->topics) {
    there.insert(topic.name);
    if (topics_[topic.name].round == round_) continue;
    if (std::chrono::steady_clock::now() >= budget.deadline || context.stop.stop_requested()) {
      unfinished_ = true;
    } else {
      look_at(topic, budget, batch);
    }
  }
  std::erase_if(topics_, [&](const auto& entry) { return !there.contains(entry.first); });
  report(batch);
  return batch;
}

void TopicGovernanceCollector::look_at(const kafka::Topic& topic, const kafka::Budget& budget, core::Batch& batch) {
  Topic& known = topics_[topic.name];
  known.round = round_;
  const auto ranges = kafka::newest_ranges(topic, {}, settings_.sample);
  if (ranges.empty()) return;
  const auto messages = kafka::read_ranges(*connection_, budget, topic.name, ranges,
                                           {.messages = settings_.sample + ranges.size(),
                                            .bytes = kMostBytes,
                                            .value_bytes = kValueBytes,
                                            .key_bytes = kValueBytes});
  if (!messages) {
    batch.faults.push_back({messages.error(), Labels{{"cluster", cluster_.name}, {"topic", topic.name}}});
    return;
  }
  TopicTally tally;
  for (const kafka::SampledMessage& message : *messages) {
    tally.add(message.value);
    tally.add_key(message.key);
  }
  const Findings before = std::exchange(known.findings, {});
  for (const auto& [finding, seen] : tally.found()) {
    const auto& [field, kind, found_by] = finding;
    if (settings_.accepted(topic.name + "." + field) || known.findings.size() >= kMostFindings) continue;
    known.findings.emplace(finding, seen);
    if (before.contains(finding)) continue;
    batch.events.push_back({now_, "pii_found",
                            Labels{{"cluster", cluster_.name}, {"topic", topic.name}, {"field", field}, {"kind", kind}},
                            fmt::format("Field {} of topic {} in {} seems to hold personal data ({}), {}", field,
                                        topic.name, cluster_.name, kind, seen)});
  }
}

void TopicGovernanceCollector::report(core::Batch& batch) const {
  const Labels scope{{"cluster", cluster_.name}};
  const auto emit = [&](const Labels& labels, const char* metric, double value) {
    batch.samples.push_back({labels.with(core::kMetricName, metric), now_, value});
  };
  std::size_t looked_at = 0;
  for (const auto& [name, topic] : topics_) {
    looked_at += topic.round > 0 ? 1 : 0;
    std::map<std::pair<std::string, std::string>, double> fields;
    for (const auto& [finding, seen] : topic.findings) ++fields[{std::get<1>(finding), std::get<2>(finding)}];
    for (const auto& [key, count] : fields) {
      emit(scope.with("topic", name).with("kind", key.first).with("found_by", key.second), "weir_pii_fields", count);
    }
  }
  emit(scope, "weir_governance_topics", double(topics_.size()));
  emit(scope, "weir_governance_topics_looked_at", double(looked_at));
}

}  // namespace weir::collectors
