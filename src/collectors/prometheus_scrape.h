#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/http_endpoint.h"
#include "collectors/relabel.h"
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"

namespace weir::collectors {

/// One page of metrics that is read each interval.
struct ScrapeSettings {
  std::string name;      // the label job
  std::string instance;  // host:port of the URL
  HttpEndpoint endpoint;
  core::Duration interval = std::chrono::seconds(15);
  std::vector<std::pair<std::string, std::string>> labels;  // that every series gets
  bool honor_labels = false;     // what the page says of a label counts; else it becomes exported_<label>
  bool honor_timestamps = true;  // a sample with a time on the page that is too far off is not taken
  std::vector<RelabelRule> rules;
  std::size_t sample_limit = 20'000;
  std::size_t label_limit = 64;
  std::size_t body_size_limit = 16U << 20U;
};

/// One entry of `scrape:`, with settings for each of its pages: a slow one must keep no other waiting.
struct ScrapeTargets {
  std::string name;
  std::vector<ScrapeSettings> pages;
};

/// Reads one entry of `scrape:` (see src/README.md).
ScrapeTargets parse_scrape(const config::Node& node, config::Diagnostics& diagnostics);

/// The collector "scrape/<name>/<host:port>": any page of metrics in Prometheus's text format or OpenMetrics 1.0. Its
/// series get the labels job and instance, and go through the relabelling. Besides them: up,
/// scrape_duration_seconds, scrape_samples_scraped, scrape_samples_post_metric_relabeling. Samples are of the time
/// of the scrape. Where the page gives another, a sample over 5 minutes old (when a series ends) or ahead is not taken,
/// which is a fault: it would look fresh. A page that cannot be read is a fault and up = 0: its series keep their
/// state.
class ScrapeCollector final : public core::Collector {
 public:
  /// `http` outlives the collector.
  ScrapeCollector(ScrapeSettings settings, net::HttpClient& http);

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  struct Known {
    core::Labels labels;  // empty: dropped by a rule
    std::uint64_t seen = 0;
  };
  core::Result<std::size_t> scrape(const core::CollectContext& context, core::Batch& batch);
  core::Result<std::size_t> take(const net::HttpResponse& response, core::Time now, core::Batch& batch);
  core::Result<core::Labels> labels_of(std::string_view series);
  core::Labels own(std::string_view metric) const;

  ScrapeSettings settings_;
  net::HttpClient& http_;
  std::string name_;
  core::Labels up_, duration_, scraped_, kept_;
  // By the series as it is written, so that a steady page builds no labels.
  std::unordered_map<std::string, Known> known_;
  std::uint64_t cycle_ = 0;
};

}  // namespace weir::collectors
