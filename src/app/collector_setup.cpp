#include "app/collector_setup.h"

#include <algorithm>
#include <string>
#include <utility>

#include "app/remote_files.h"
#include "app/table_columns.h"
#include "collectors/canary.h"
#include "collectors/http_json.h"
#include "collectors/kafka.h"
#include "collectors/prometheus_scrape.h"
#include "collectors/schema_drift.h"
#include "collectors/schema_registry.h"
#include "collectors/topic_governance.h"
#include "quality/collector.h"
#include "quality/governance_collector.h"
#include "quality/import_collector.h"
#include "series/store.h"
#include "storage/store.h"

namespace weir::app {
namespace {

class Setup {
 public:
  Setup(Settings& settings, const CollectorTools& tools) : settings_(settings), tools_(tools) {}

  core::Result<std::vector<std::unique_ptr<core::Collector>>> run() {
    // First those that copy what the others take.
    if (auto made = add_governance(); !made) return std::unexpected(made.error());
    add_drift();
    add_kafka();
    add_services();
    if (auto made = add_checks(); !made) return std::unexpected(made.error());
    add_results();
    return std::move(made_);
  }

 private:
  quality::SessionMaker session_maker() const {
    return [sources = settings_.sources](const std::string& name) -> core::Result<std::unique_ptr<sql::SqlSource>> {
      const auto found = std::ranges::find(sources, name, &sql::SourceSettings::name);
      if (found != sources.end()) return sql::make_source(*found);
      return core::fail(core::ErrorKind::not_found, "there is no source \"" + name + "\" in the configuration");
    };
  }

  core::Result<void> add_governance() {
    for (const quality::GovernanceSettings& entry : settings_.governance) {
      const auto cluster = std::ranges::find(settings_.clusters, entry.kafka, &kafka::ClusterSettings::name);
      if (!entry.kafka.empty() && cluster != settings_.clusters.end() && entry.pii) {
        add(std::make_unique<collectors::TopicGovernanceCollector>(topic_governance(entry, *entry.pii), *cluster));
        continue;
      }
      auto session = session_maker()(entry.source);
      if (!session) return std::unexpected(session.error());
      std::vector<quality::Dataset> checked;
      for (const quality::ChecksSettings& checks : settings_.checks) {
        if (checks.source == entry.source) std::ranges::copy(checks.datasets, std::back_inserter(checked));
      }
      add(std::make_unique<quality::GovernanceCollector>(entry, std::move(*session), std::move(checked)));
    }
    return {};
  }

  static collectors::TopicGovernanceSettings topic_governance(const quality::GovernanceSettings& entry,
                                                              const quality::PiiSettings& pii) {
    const auto accepted = [pii](const std::string& field) {
      return std::ranges::any_of(pii.accepted,
                                 [&](const std::string& pattern) { return quality::fits_pattern(pattern, field); });
    };
    return {.name = entry.name,
            .interval = entry.interval,
            .sample = pii.sample,
            .most_topics = entry.most_tables,
            .wanted = [pii](const std::string& topic) { return pii.names.admits(topic); },
            .accepted = accepted};
  }

  /// Of registries that are compared with topics and tables.
  void add_drift() {
    for (const collectors::SchemaRegistrySettings& registry : settings_.registries) {
      if (!registry.drift.any()) continue;
      collectors::SampleTopics sample;
      const auto cluster = std::ranges::find(settings_.clusters, registry.cluster, &kafka::ClusterSettings::name);
      if (registry.drift.any_topics && cluster != settings_.clusters.end()) {
        sample = [samples = std::make_shared<collectors::KafkaSamples>(
                      *cluster, registry.drift.topics, registry.drift.messages)](const core::CollectContext& context) {
          return (*samples)(context);
        };
      }
      add(std::make_unique<collectors::SchemaDriftCollector>(registry, tools_.http, std::move(sample),
                                                             std::make_unique<SourceColumns>(settings_.sources)));
    }
  }

  void add_kafka() {
    for (kafka::ClusterSettings& cluster : settings_.clusters) {
      if (cluster.canary) add(std::make_unique<collectors::CanaryCollector>(cluster));
      add(std::make_unique<collectors::KafkaCollector>(std::move(cluster), &tools_.series));
    }
  }

  void add_services() {
    for (collectors::SchemaRegistrySettings& registry : settings_.registries)
      add(std::make_unique<collectors::SchemaRegistryCollector>(std::move(registry), tools_.http));
    for (collectors::ScrapeTargets& scrape : settings_.scrapes) {
      for (collectors::ScrapeSettings& page : scrape.pages)
        add(std::make_unique<collectors::ScrapeCollector>(std::move(page), tools_.http));
    }
    for (collectors::HttpJsonSettings& service : settings_.http_json)
      add(std::make_unique<collectors::HttpJsonCollector>(std::move(service), tools_.http));
  }

  core::Result<void> add_checks() {
    for (quality::ChecksSettings& checks : settings_.checks) {
      auto session = session_maker()(checks.source);
      if (!session) return std::unexpected(session.error());
      auto cron = std::move(checks.cron);
      std::unique_ptr<core::Collector> collector = std::make_unique<quality::CheckCollector>(
          std::move(checks), std::move(*session), tools_.storage, &tools_.series, &tools_.storage, session_maker());
      add(cron ? quality::at_cron_times(std::move(collector), std::move(*cron)) : std::move(collector));
    }
    return {};
  }

  void add_results() {
    const auto fetch = [&files = tools_.remote_files](const std::string& url, const quality::RemoteLogin& login,
                                                      std::size_t most_bytes, const core::CollectContext& context) {
      return files.fetch(url, login, most_bytes, context);
    };
    for (quality::CheckResultsSettings& results : settings_.check_results)
      add(quality::make_results_collector(std::move(results), fetch));
  }

  void add(std::unique_ptr<core::Collector> collector) { made_.push_back(std::move(collector)); }

  Settings& settings_;
  const CollectorTools& tools_;
  std::vector<std::unique_ptr<core::Collector>> made_;
};

}  // namespace

core::Result<std::vector<std::unique_ptr<core::Collector>>> make_collectors(Settings& settings,
                                                                            const CollectorTools& tools) {
  return Setup(settings, tools).run();
}

}  // namespace weir::app
