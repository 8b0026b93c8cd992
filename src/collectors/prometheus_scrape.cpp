#include "collectors/prometheus_scrape.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "collectors/exposition.h"
#include "core/clock_skew.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricType;

constexpr std::array kMetrics = {
    core::MetricInfo{"up", MetricType::gauge, "1 when the page of metrics could be read, else 0."},
    core::MetricInfo{"scrape_duration_seconds", MetricType::gauge, "How long reading the page took."},
    core::MetricInfo{"scrape_samples_scraped", MetricType::gauge, "Samples on the page."},
    core::MetricInfo{"scrape_samples_post_metric_relabeling", MetricType::gauge,
                     "Samples of the page that relabelling left."},
};

/// A series ends so long after its last sample, for Prometheus too.
constexpr core::Duration kOldest = std::chrono::minutes(5);

bool is_off(const ExposedSample& sample, core::Time now) {
  return sample.time && (core::is_ahead(*sample.time, now) || *sample.time < now - kOldest);
}

core::Error off_times(std::size_t count, const ExposedSample& first, core::Time now) {
  return core::fail(
             core::ErrorKind::protocol,
             fmt::format("the times of {} sample{} are too far off to be taken, the first is {} ({}): set the "
                         "clock that is wrong, or have the page tell what is new; honor_timestamps: false "
                         "passes times over",
                         count, count == 1 ? "" : "s", core::off_by(*first.time, now), shown_series(first.series)))
      .error();
}

/// Before relabelling; the body's limit bounds them as well.
constexpr std::size_t kMostOnAPage = 200'000;

constexpr std::string_view kAccept =
    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

core::Error refused(int status) {
  if (status == 401 || status == 403) {
    return core::fail(core::ErrorKind::denied,
                      fmt::format("access is refused (HTTP {}); check basic_auth or bearer_token", status))
        .error();
  }
  if (status == 404) {
    return core::fail(core::ErrorKind::not_found, "not found (HTTP 404); is this the path of the metrics?").error();
  }
  if (status >= 300 && status < 400) {
    return core::fail(core::ErrorKind::protocol, fmt::format("redirected (HTTP {}); give the last URL", status))
        .error();
  }
  return core::fail(core::ErrorKind::unavailable, fmt::format("the answer is HTTP {}", status)).error();
}

}  // namespace

ScrapeCollector::ScrapeCollector(ScrapeSettings settings, net::HttpClient& http)
    : settings_(std::move(settings)),
      http_(http),
      name_(fmt::format("scrape/{}/{}", settings_.name, settings_.instance)),
      up_(own(kMetrics[0].name)),
      duration_(own(kMetrics[1].name)),
      scraped_(own(kMetrics[2].name)),
      kept_(own(kMetrics[3].name)) {}

std::span<const core::MetricInfo> ScrapeCollector::metrics() const { return kMetrics; }

core::Labels ScrapeCollector::own(std::string_view metric) const {
  core::LabelsBuilder builder;
  for (const auto& [name, value] : settings_.labels) builder.set(name, value);
  return builder.set(core::kMetricName, metric).set("job", settings_.name).set("instance", settings_.instance).build();
}

core::Result<core::Batch> ScrapeCollector::collect(const core::CollectContext& context) {
  const auto began = std::chrono::steady_clock::now();
  core::Batch batch;
  batch.samples.reserve(known_.size() + 4);
  const auto scraped = scrape(context, batch);
  const core::Duration took = std::chrono::duration_cast<core::Duration>(std::chrono::steady_clock::now() - began);
  if (!scraped) {
    core::Error error = scraped.error();
    if (error.kind == core::ErrorKind::cancelled) return std::unexpected(std::move(error));
    error.where = settings_.endpoint.url;
    batch = {};
    batch.faults.push_back({std::move(error), {}});
  } else {
    batch.samples.push_back({kept_, context.now, static_cast<double>(batch.samples.size())});
    batch.samples.push_back({scraped_, context.now, static_cast<double>(*scraped)});
  }
  batch.samples.push_back({up_, context.now, scraped ? 1.0 : 0.0});
  batch.samples.push_back({duration_, context.now, core::to_seconds(took)});
  return batch;
}

core::Result<std::size_t> ScrapeCollector::scrape(const core::CollectContext& context, core::Batch& batch) {
  net::HttpRequest request = request_to(settings_.endpoint, settings_.endpoint.url, context.deadline);
  request.headers.emplace_back("Accept", kAccept);
  request.max_response_bytes = settings_.body_size_limit;
  const auto response = http_.send(request, context.stop);
  if (!response) return std::unexpected(response.error());
  if (response->status != 200) return std::unexpected(refused(response->status));
  return take(*response, context.now, batch);
}

core::Result<std::size_t> ScrapeCollector::take(const net::HttpResponse& response, core::Time now, core::Batch& batch) {
  const auto format = exposition_format(response.header("content-type"));
  if (!format) return std::unexpected(format.error());
  const auto samples = parse_exposition(response.body, *format, kMostOnAPage);
  if (!samples) return std::unexpected(samples.error());
  ++cycle_;
  std::size_t off = 0;
  const ExposedSample* first_off = nullptr;
  for (const ExposedSample& sample : *samples) {
    Known& known = known_[std::string(sample.series)];
    if (known.seen == 0) {
      auto labels = labels_of(sample.series);
      if (!labels) {
        std::erase_if(known_, [](const auto& entry) { return entry.second.seen == 0; });
        return std::unexpected(labels.error());
      }
      known.labels = std::move(*labels);
    }
    known.seen = cycle_;
    if (known.labels.empty()) continue;
    if (settings_.honor_timestamps && is_off(sample, now)) {
      if (off++ == 0) first_off = &sample;
      continue;
    }
    batch.samples.push_back({known.labels, now, sample.value});
  }
  std::erase_if(known_, [&](const auto& entry) { return entry.second.seen != cycle_; });
  if (batch.samples.size() > settings_.sample_limit) {
    return core::fail(core::ErrorKind::limit,
                      fmt::format("there are {} samples, more than {}; raise sample_limit, or drop some by a preset or "
                                  "metric_relabel_configs",
                                  batch.samples.size(), settings_.sample_limit));
  }
  if (first_off != nullptr) {
    core::Error error = off_times(off, *first_off, now);
    error.where = settings_.endpoint.url;
    batch.faults.push_back({std::move(error), {}});
  }
  return samples->size();
}

/// As Prometheus does: what the page says of a label that the scrape sets is kept as exported_<label>.
core::Result<core::Labels> ScrapeCollector::labels_of(std::string_view series) {
  auto exposed = parse_exposed_series(series, settings_.label_limit);
  if (!exposed) return exposed;
  core::LabelsBuilder builder(*exposed);
  const auto set = [&](const std::string& name, const std::string& value) {
    const std::string said(builder.get(name));
    if (!said.empty() && settings_.honor_labels) return;
    if (!said.empty()) {
      std::string moved = "exported_" + name;
      while (!builder.get(moved).empty()) moved.insert(0, "exported_");
      builder.set(moved, said);
    }
    builder.set(name, value);
  };
  for (const auto& [name, value] : settings_.labels) set(name, value);
  set("job", settings_.name);
  set("instance", settings_.instance);
  return relabel(builder.build(), settings_.rules);
}

}  // namespace weir::collectors
