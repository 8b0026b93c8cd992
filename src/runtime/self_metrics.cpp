#include "runtime/self_metrics.h"

#include <cmath>
#include <fmt/format.h>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>

#include "runtime/log.h"
#include "runtime/process_stats.h"

namespace weir::runtime {
namespace {

constexpr std::string_view kCpu = "process_cpu_seconds_total";
constexpr std::string_view kResident = "process_resident_memory_bytes";
constexpr std::string_view kStart = "process_start_time_seconds";
constexpr std::string_view kFds = "process_open_fds";

constexpr core::MetricInfo kProcess[] = {
    {kCpu, core::MetricType::counter, "User and system CPU time spent, in seconds."},
    {kResident, core::MetricType::gauge, "Resident memory, in bytes."},
    {kStart, core::MetricType::gauge, "Start time of the process, in seconds since 1970."},
    {kFds, core::MetricType::gauge, "Open file descriptors."},
};

prometheus::Labels to_labels(SelfMetrics::LabelPairs pairs) {
  prometheus::Labels labels;
  for (const auto& [name, value] : pairs) labels.emplace(name, value);
  return labels;
}

core::Labels from_client(const std::string& name, const std::vector<prometheus::ClientMetric::Label>& labels) {
  std::vector<core::Labels::Pair> pairs{{core::kMetricName, name}};
  for (const auto& label : labels) pairs.emplace_back(label.name, label.value);
  return core::Labels(std::span<const core::Labels::Pair>(pairs));
}

void append_histogram(const prometheus::MetricFamily& family, core::Time now, std::vector<core::Sample>& samples) {
  for (const prometheus::ClientMetric& metric : family.metric) {
    for (const auto& bucket : metric.histogram.bucket) {
      auto labels = metric.label;
      labels.push_back({"le", std::isinf(bucket.upper_bound) ? "+Inf" : fmt::format("{:g}", bucket.upper_bound)});
      samples.push_back(
          {from_client(family.name + "_bucket", labels), now, static_cast<double>(bucket.cumulative_count)});
    }
    samples.push_back({from_client(family.name + "_sum", metric.label), now, metric.histogram.sample_sum});
    samples.push_back(
        {from_client(family.name + "_count", metric.label), now, static_cast<double>(metric.histogram.sample_count)});
  }
}

}  // namespace

struct SelfMetrics::Impl {
  prometheus::Registry registry;
  std::map<std::string, prometheus::Family<prometheus::Counter>*, std::less<>> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*, std::less<>> gauges;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*, std::less<>> histograms;
  std::vector<core::MetricInfo> table;
  core::Labels cpu = core::Labels::metric(kCpu, {});
  core::Labels resident = core::Labels::metric(kResident, {});
  core::Labels start = core::Labels::metric(kStart, {});
  core::Labels fds = core::Labels::metric(kFds, {});
  double start_seconds = process_start_seconds();
};

SelfMetrics::SelfMetrics(std::span<const core::MetricInfo> table) : impl_(std::make_unique<Impl>()) {
  for (const core::MetricInfo& info : table) {
    const std::string name(info.name);
    const std::string help(info.help);
    if (info.type == core::MetricType::counter) {
      impl_->counters[name] = &prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
    } else if (info.type == core::MetricType::histogram) {
      impl_->histograms[name] = &prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
    } else {
      impl_->gauges[name] = &prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
    }
  }
  impl_->table.assign(table.begin(), table.end());
  impl_->table.insert(impl_->table.end(), std::begin(kProcess), std::end(kProcess));
}

SelfMetrics::~SelfMetrics() = default;

void SelfMetrics::add(std::string_view name, LabelPairs labels, double by) {
  const auto found = impl_->counters.find(name);
  if (found == impl_->counters.end()) return log_error("no such counter", {{"name", name}});
  found->second->Add(to_labels(labels)).Increment(by);
}

void SelfMetrics::observe(std::string_view name, LabelPairs labels, std::optional<double> seconds) {
  static const prometheus::Histogram::BucketBoundaries kBuckets{5,    15,   30,   60,    120,   300,  600,
                                                                1800, 3600, 7200, 14400, 43200, 86400};
  const auto found = impl_->histograms.find(name);
  if (found == impl_->histograms.end()) return log_error("no such histogram", {{"name", name}});
  prometheus::Histogram& histogram = found->second->Add(to_labels(labels), kBuckets);
  if (seconds) histogram.Observe(*seconds);
}

void SelfMetrics::set(std::string_view name, LabelPairs labels, double value) {
  const auto found = impl_->gauges.find(name);
  if (found == impl_->gauges.end()) return log_error("no such gauge", {{"name", name}});
  found->second->Add(to_labels(labels)).Set(value);
}

std::span<const core::MetricInfo> SelfMetrics::metrics() const { return impl_->table; }

void SelfMetrics::append_samples(std::vector<core::Sample>& samples, core::Time now) const {
  for (const prometheus::MetricFamily& family : impl_->registry.Collect()) {
    if (family.type == prometheus::MetricType::Histogram) {
      append_histogram(family, now, samples);
      continue;
    }
    const bool counter = family.type == prometheus::MetricType::Counter;
    for (const prometheus::ClientMetric& metric : family.metric) {
      samples.push_back(
          {from_client(family.name, metric.label), now, counter ? metric.counter.value : metric.gauge.value});
    }
  }
  const ProcessStats stats = read_process_stats();
  samples.push_back({impl_->cpu, now, stats.cpu_seconds});
  samples.push_back({impl_->resident, now, static_cast<double>(stats.resident_bytes)});
  samples.push_back({impl_->start, now, impl_->start_seconds});
  samples.push_back({impl_->fds, now, static_cast<double>(stats.open_fds)});
}

}  // namespace weir::runtime
