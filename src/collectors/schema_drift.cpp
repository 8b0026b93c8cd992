#include "collectors/schema_drift.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>
#include <utility>

#include "collectors/schema_versions.h"

#include "schemas/columns.h"
#include "schemas/wire_format.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;
using core::MetricType;

constexpr std::string_view kSampled = "schema_registry_topic_sampled_messages";
constexpr std::string_view kDifferences = "schema_registry_table_differences";

constexpr std::array<core::MetricInfo, 2> kMetrics{{
    {kSampled, MetricType::gauge,
     "Of the topic's newest messages that were looked at, how many carry the id of a schema that belongs to the topic "
     "(ok), that the registry does not know (unknown_id), that belongs to others (wrong_subject), or none."},
    {kDifferences, MetricType::gauge, "Fields of the subject without a fitting column, and columns without a field."},
}};

constexpr std::size_t kMostNamed = 5;

template <class Items>
std::string some(const Items& items) {
  std::string text;
  std::size_t count = 0;
  for (const auto& item : items) {
    if (++count <= kMostNamed) text += fmt::format("{}{}", count == 1 ? "" : ", ", item);
  }
  return count <= kMostNamed ? text : text + fmt::format(" and {} more", count - kMostNamed);
}

}  // namespace

SchemaDriftCollector::SchemaDriftCollector(const SchemaRegistrySettings& settings, net::HttpClient& http,
                                           SampleTopics sample, std::unique_ptr<core::TableColumns> columns)
    : settings_(settings),
      name_("schema_drift/" + settings_.name),
      client_(settings_.endpoint, http),
      sample_(std::move(sample)),
      columns_(std::move(columns)) {}

std::span<const core::MetricInfo> SchemaDriftCollector::metrics() const { return kMetrics; }

core::Result<core::Batch> SchemaDriftCollector::collect(const core::CollectContext& context) {
  if (auto begun = client_.begin_cycle(context.now, context.deadline, context.stop); !begun)
    return std::unexpected(begun.error());
  ids_.clear();
  core::Batch batch;
  if (settings_.drift.any_topics) look_at_topics(context, batch);
  look_at_tables(context, batch);
  return batch;
}

void SchemaDriftCollector::look_at_topics(const core::CollectContext& context, core::Batch& batch) {
  auto sampled = sample_(context);
  if (!sampled) {
    batch.faults.push_back({std::move(sampled.error()), Labels{{"cluster", settings_.cluster}}});
    return;
  }
  std::ranges::sort(sampled->admitted);
  std::erase_if(topics_,
                [&](const auto& entry) { return !std::ranges::binary_search(sampled->admitted, entry.first); });
  std::set<std::string, std::less<>> unseen;
  for (core::Fault& fault : sampled->faults) {
    unseen.insert(std::string(fault.scope.get("topic")));
    batch.faults.push_back(std::move(fault));
  }
  for (const TopicSample& sample : sampled->topics) {
    const auto seen = judge(sample);
    if (!seen) {
      unseen.insert(sample.topic);
      batch.faults.push_back(
          {seen.error(),
           Labels{{"registry", settings_.name}, {"cluster", settings_.cluster}, {"topic", sample.topic}}});
      continue;
    }
    Topic& topic = topics_[sample.topic];
    tell(context, sample.topic, topic, *seen, batch);
    topic.messages = seen->messages;
    topic.subjects = seen->subjects;
    for (std::size_t i = 0; i < kResults.size(); ++i) {
      topic.labels[i] = Labels::metric(kSampled, {{"registry", settings_.name},
                                                  {"cluster", settings_.cluster},
                                                  {"topic", sample.topic},
                                                  {"result", kResults[i]}});
    }
  }
  emit_topics(context, unseen, batch);
}

core::Result<SchemaDriftCollector::Seen> SchemaDriftCollector::judge(const TopicSample& sample) {
  Seen seen;
  seen.messages[ok] = sample.in_headers;
  for (const std::string& head : sample.heads) {
    const auto id = schemas::schema_id(head);
    if (!id) {
      ++seen.messages[not_wire_format];
      continue;
    }
    const auto result = judge_id(sample.topic, *id, seen);
    if (!result) return std::unexpected(result.error());
    ++seen.messages[*result];
  }
  return seen;
}

core::Result<SchemaDriftCollector::Result> SchemaDriftCollector::judge_id(const std::string& topic, std::int32_t id,
                                                                          Seen& seen) {
  auto known = ids_.find(id);
  if (known == ids_.end()) {
    if (ids_.size() >= kMostLookups)
      return core::fail(ErrorKind::limit, fmt::format("more than {} schema ids in one look", kMostLookups), name_);
    auto subjects = client_.subjects_of(id);
    if (!subjects) return std::unexpected(subjects.error());
    known = ids_.emplace(id, std::move(*subjects)).first;
  }
  if (known->second.empty()) {
    seen.unknown.insert(id);
    return unknown_id;
  }
  bool fits = false;
  for (const std::string& subject : known->second) {
    if (!schemas::belongs(subject, topic, false, settings_.naming)) continue;
    fits = true;
    // By the record's name alone a subject may be of any topic that its ids are seen in.
    seen.subjects.insert(subject);
  }
  if (!fits) seen.wrong.insert(known->second.begin(), known->second.end());
  return fits ? ok : wrong_subject;
}

void SchemaDriftCollector::tell(const core::CollectContext& context, const std::string& name, const Topic& before,
                                const Seen& seen, core::Batch& batch) const {
  const std::size_t all = std::accumulate(seen.messages.begin(), seen.messages.end(), std::size_t{0});
  const auto event = [&](Result result, const std::string& what) {
    if (seen.messages[result] == 0 || before.messages[result] != 0) return;
    batch.events.push_back({context.now, "schema_drift",
                            Labels{{"registry", settings_.name},
                                   {"cluster", settings_.cluster},
                                   {"topic", name},
                                   {"result", kResults[result]}},
                            fmt::format("Of the {} newest messages of topic {} that were looked at {} {}", all, name,
                                        seen.messages[result], what)});
  };
  event(unknown_id, fmt::format("carry a schema id that registry {} does not know ({}): their producer uses another "
                                "registry, or the schema was deleted for good. Readers cannot decode them.",
                                settings_.name, some(seen.unknown)));
  event(not_wire_format,
        "are not in the wire format of a schema registry (a zero byte and the schema's id before the data): their "
        "producer uses no schema, or another serializer. Readers that expect it cannot decode them.");
  event(wrong_subject,
        fmt::format("have a schema of {}, which is not the topic's: a producer writes to the wrong topic, "
                    "or with the wrong schema or naming strategy.",
                    some(seen.wrong)));
}

void SchemaDriftCollector::emit_topics(const core::CollectContext& context,
                                       const std::set<std::string, std::less<>>& unseen, core::Batch& batch) const {
  for (const auto& [name, topic] : topics_) {
    if (unseen.contains(name)) continue;
    for (std::size_t i = 0; i < kResults.size(); ++i)
      batch.samples.push_back({topic.labels[i], context.now, static_cast<double>(topic.messages[i])});
    for (const std::string& subject : topic.subjects) {
      batch.edges.push_back(
          {{"subject", settings_.name, subject}, {"topic", settings_.cluster, name}, "schema_registry"});
    }
  }
}

core::Result<std::vector<std::string>> SchemaDriftCollector::compare(const core::CollectContext& context,
                                                                     const SchemaTable& table) {
  const auto versions = client_.versions(table.subject);
  if (!versions) return std::unexpected(versions.error());
  if (versions->empty()) return core::fail(ErrorKind::not_found, "the subject has no version", table.subject);
  client_.forget(table.subject);  // it may be another one under the same name
  const auto whole = read_whole(client_, table.subject, versions->back());
  if (!whole) return std::unexpected(whole.error());
  const auto model = model_of(*whole);
  if (!model) return std::unexpected(model.error());
  const auto columns = columns_->columns(table.source, table.table, context.deadline, context.stop);
  if (!columns) return std::unexpected(columns.error());
  return schemas::column_differences(*model, *columns, table.ignored);
}

void SchemaDriftCollector::look_at_tables(const core::CollectContext& context, core::Batch& batch) {
  for (std::size_t i = 0; i < settings_.drift.tables.size(); ++i) {
    const SchemaTable& table = settings_.drift.tables[i];
    const Labels about{
        {"registry", settings_.name}, {"subject", table.subject}, {"source", table.source}, {"dataset", table.table}};
    batch.edges.push_back(
        {{"subject", settings_.name, table.subject}, {"table", table.source, table.table}, "schema_registry"});
    const auto found = compare(context, table);
    if (!found) {
      batch.faults.push_back({found.error(), about});
      continue;
    }
    batch.samples.push_back(
        {about.with(core::kMetricName, kDifferences), context.now, static_cast<double>(found->size())});
    std::string text = some(*found);
    if (!text.empty() && text != told_[i]) {
      batch.events.push_back({context.now, "schema_table_drift", about,
                              fmt::format("Table {} in {} does not fit the newest version of {}: {}.", table.table,
                                          table.source, table.subject, text)});
    }
    told_[i] = std::move(text);
  }
}

}  // namespace weir::collectors
