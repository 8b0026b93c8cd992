#include "kafka/topic_configs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <librdkafka/rdkafka.h>

#include "kafka/raw_handles.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;

constexpr int kCycles = 20;
constexpr milliseconds kLongestPeriod = std::chrono::minutes(5);
constexpr milliseconds kRetry = std::chrono::minutes(1);
constexpr milliseconds kSpan{2000};
constexpr milliseconds kPollSpan{100};
constexpr std::size_t kLeastShare = 20;
constexpr std::size_t kMostShare = 2000;
constexpr std::array<const char*, 4> kKeys = {"min.insync.replicas", "retention.ms", "retention.bytes",
                                              "cleanup.policy"};

template <class Number>
void read_number(std::string_view text, std::optional<Number>& number) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc() && end == text.data() + text.size() && !text.empty()) number = value;
}

bool is_denied(int code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

TopicConfigs::Answer to_answer(const rd_kafka_ConfigResource_t* resource) {
  const int code = rd_kafka_ConfigResource_error(resource);
  if (code != 0) return {nullptr, is_denied(code)};
  std::size_t count = 0;
  const auto* entries = rd_kafka_ConfigResource_configs(resource, &count);
  std::vector<std::pair<std::string_view, std::string_view>> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    texts.emplace_back(rd_kafka_ConfigEntry_name(entries[i]), value == nullptr ? "" : value);
  }
  return {std::make_shared<const TopicConfig>(to_topic_config(texts)), false};
}

void ask(Connection& connection, const Budget& budget, const std::vector<std::string>& topics, const Queue& queue) {
  std::vector<Resource> owned;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const std::string& topic : topics) {
    Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    if (!resource) continue;
    for (const char* key : kKeys) rd_kafka_ConfigResource_set_config(resource.get(), key, "");
    resources.push_back(resource.get());
    owned.push_back(std::move(resource));
  }
  const Options options(rd_kafka_AdminOptions_new(connection.handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  std::array<char, 256> reason{};
  const int timeout = static_cast<int>(std::max<milliseconds::rep>(1, budget.left(kSpan).count()));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout, reason.data(), reason.size());
  rd_kafka_DescribeConfigs(connection.handle(), resources.data(), resources.size(), options.get(), queue.get());
}

}  // namespace

TopicConfig to_topic_config(std::span<const std::pair<std::string_view, std::string_view>> entries) {
  TopicConfig config;
  for (const auto& [name, value] : entries) {
    if (name == "min.insync.replicas") read_number(value, config.min_in_sync_replicas);
    if (name == "retention.ms") read_number(value, config.retention_ms);
    if (name == "retention.bytes") read_number(value, config.retention_bytes);
    if (name == "cleanup.policy") config.cleanup_policy = value == "delete,compact" ? "compact,delete" : value;
  }
  return config;
}

TopicConfigs::TopicConfigs(milliseconds interval)
    : period_(std::min(kLongestPeriod, kCycles * std::max(interval, milliseconds{1}))),
      cycles_(static_cast<std::size_t>(std::max<milliseconds::rep>(1, period_ / std::max(interval, milliseconds{1})))) {
}

std::vector<std::string> TopicConfigs::due(const std::vector<Topic>& topics, Clock::time_point now) {
  const std::size_t even = topics.size() / cycles_ + 1;
  const std::size_t share = std::clamp(even, kLeastShare, kMostShare);
  std::vector<std::pair<Clock::time_point, const std::string*>> waiting;
  for (const Topic& topic : topics) {
    auto known = topics_.find(topic.name);
    if (known == topics_.end()) known = topics_.emplace(topic.name, Known{}).first;
    known->second.seen = true;
    if (!topic.failed && known->second.next <= now) waiting.emplace_back(known->second.next, &known->first);
  }
  for (auto known = topics_.begin(); known != topics_.end();) {
    known = std::exchange(known->second.seen, false) ? std::next(known) : topics_.erase(known);
  }
  const auto most = std::min(share, waiting.size());
  std::ranges::partial_sort(waiting, waiting.begin() + static_cast<std::ptrdiff_t>(most));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < most; ++i) {
    names.push_back(*waiting[i].second);
    topics_.find(names.back())->second.next = now + std::min(kRetry, period_);
  }
  return names;
}

void TopicConfigs::take(const std::string& topic, Answer answer, Clock::time_point now) {
  const auto known = topics_.find(topic);
  if (known == topics_.end()) return;
  if (!answer.config && !answer.denied) return;  // asked again at kRetry
  known->second.next = now + period_;
  known->second.denied = answer.denied;
  const auto& last = known->second.config;
  if (answer.config && last && *answer.config == *last) return;  // so that equal settings are the same pointer
  known->second.config = std::move(answer.config);
}

void TopicConfigs::fill(Snapshot& snapshot) {
  const std::string* first = nullptr;
  auto known = topics_.begin();
  for (Topic& topic : snapshot.topics) {  // both ascending by name
    while (known != topics_.end() && known->first < topic.name) ++known;
    if (known == topics_.end() || known->first != topic.name) continue;
    topic.config = known->second.config;
    if (!known->second.denied) continue;
    if (first == nullptr) first = &topic.name;
    ++snapshot.configs_denied;
  }
  if (snapshot.configs_denied > 0 && !told_) {
    snapshot.notices.push_back(
        {"topic_configs_denied",
         fmt::format(
             "The settings of {} of {} topics may not be read (the first: {}); grant this user DESCRIBE_CONFIGS "
             "on the topics to have them. Everything else is read.",
             snapshot.configs_denied, snapshot.topics.size(), *first)});
  }
  told_ = snapshot.configs_denied > 0;
}

void TopicConfigs::update(Connection& connection, const Budget& budget, Snapshot& snapshot) {
  const std::vector<std::string> names = due(snapshot.topics, Clock::now());
  const Budget span = budget.within(kSpan);
  if (!names.empty() && span.left(kSpan) > milliseconds{0}) {
    const Queue queue = connection.new_queue();
    ask(connection, span, names, queue);
    while (!connection.give_up(span)) {
      const Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(span.left(kPollSpan).count())));
      if (!event) continue;
      const auto* result = rd_kafka_event_DescribeConfigs_result(event.get());
      if (rd_kafka_event_error(event.get()) != 0 || result == nullptr) break;
      connection.answered();
      std::size_t count = 0;
      const auto* resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
      for (std::size_t i = 0; i < count; ++i)
        take(rd_kafka_ConfigResource_name(resources[i]), to_answer(resources[i]), Clock::now());
      break;
    }
  }
  fill(snapshot);
}

}  // namespace weir::kafka
