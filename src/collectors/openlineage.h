#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "collectors/emit_settings.h"
#include "collectors/openlineage_event.h"
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"
#include "core/keyed_texts.h"
#include "core/lineage.h"

namespace weir::collectors {

/// Where Weir sends its own outcomes as OpenLineage events: the URL of the lineage interface, with its path.
struct OpenLineageEmitSettings : EmitSettings {
  std::string job_namespace = "weir";  // of the jobs that the events are of
};

/// The section `openlineage:`.
struct OpenLineageSettings {
  bool receive = false;
  core::Secret token;                             // that senders must show; empty: none
  std::map<std::string, std::string> namespaces;  // of datasets: the cluster or source of Weir's that it is
  std::vector<std::string> clusters = {};         // names of Kafka clusters, not read from the section
  core::Duration stuck_after = std::chrono::hours(6);
  core::Duration keep = std::chrono::days(30);  // what nothing was heard of for so long is forgotten
  std::size_t queue = 5'000;                    // events that wait for the next cycle
  std::size_t max_jobs = 5'000;
  std::size_t max_datasets = 10'000;
  std::optional<OpenLineageEmitSettings> emit;
};

/// Reads:
///
///     openlineage:
///       receive: true
///       token_file: secret              # or token
///       namespaces: {"postgres://db:5432": warehouse, "kafka://broker:9092": prod}
///       stuck_after: 6h
///       keep: 30d
///       emit: {url: "https://marquez/api/v1/lineage", bearer_token_file: t, namespace: weir, queue: 1000, every: 1h}
OpenLineageSettings parse_openlineage_section(const config::Node& section, config::Diagnostics& diagnostics);

/// The node of a dataset: a topic where its namespace is one of Kafka, a file's dataset, else a table; its place is
/// what the namespace is mapped to.
core::Node openlineage_node(const OpenLineageSettings& settings, const std::string& name_space,
                            const std::string& name);

/// Events between the threads that receive them and the collector. Bounded in number and bytes.
class OpenLineageInbox {
 public:
  explicit OpenLineageInbox(std::size_t limit) : limit_(limit) {}

  /// Checks one event and keeps it until the next cycle. Errors: invalid, limit (the event is too large), unavailable
  /// (too many wait).
  core::Result<void> offer(const std::string& body);
  std::vector<OpenLineageEvent> drain();

  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t invalid = 0;
    std::uint64_t refused = 0;  // since too many waited
  };
  Counts counts() const;

 private:
  static constexpr std::size_t kMostBytes = 64U << 20U;  // of bodies, for their events take about as much

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::vector<OpenLineageEvent> waiting_;
  std::size_t bytes_ = 0;
  Counts counts_;
};

class OpenLineageState;

/// The collector "openlineage": what the events since its last cycle say of jobs (runs by state, how long, stuck ones),
/// datasets (metrics, outcomes of assertions) and the ways between them.
class OpenLineageCollector final : public core::Collector {
 public:
  /// `texts` keeps what is known for the next start and outlives the collector; null: nothing does.
  OpenLineageCollector(OpenLineageSettings settings, std::shared_ptr<OpenLineageInbox> inbox,
                       core::KeyedTexts* texts = nullptr);
  ~OpenLineageCollector() override;

  std::string_view name() const override { return "openlineage"; }
  core::Duration interval() const override { return std::chrono::seconds(5); }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  void begin(core::Batch& batch);
  void save(core::Time now, core::Batch& batch);

  OpenLineageSettings settings_;
  std::shared_ptr<OpenLineageInbox> inbox_;
  core::KeyedTexts* texts_;
  bool began_ = false;
  std::optional<core::Time> saved_;
  std::unique_ptr<OpenLineageState> state_;
};

}  // namespace weir::collectors
