#include "api/metrics_page.h"

#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "core/series_source.h"

namespace weir::api {
namespace {

std::string_view type_name(core::MetricType type) {
  switch (type) {
    case core::MetricType::gauge: return "gauge";
    case core::MetricType::counter: return "counter";
    case core::MetricType::histogram: return "histogram";
    case core::MetricType::untyped: return "untyped";
  }
  return "untyped";
}

void append_value(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> buffer{};
    // Offsets and counts are whole numbers, and printing those is several times faster.
    const bool whole = value == std::trunc(value) && std::abs(value) < 1e15;
    const auto end =
        whole ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<long long>(value)).ptr
              : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out.append(buffer.data(), end);
  }
}

std::string help_text(std::string_view help) {
  std::string out;
  for (const char c : help) out += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : std::string(1, c);
  return out;
}

}  // namespace

void append_sample_line(std::string& out, const core::Labels& labels, double value) {
  out += labels.name();
  char opened = '{';
  for (const auto& [name, text] : labels) {
    if (name == core::kMetricName) continue;
    out += opened;
    opened = ',';
    out += name;
    out += "=\"";
    if (text.find_first_of("\\\"\n") == std::string_view::npos) {
      out += text;
    } else {
      core::append_escaped(out, text);
    }
    out += '"';
  }
  out += opened == ',' ? "} " : " ";
  append_value(out, value);
  out += '\n';
}

void MetricsPage::describe(std::span<const core::MetricInfo> metrics) {
  const std::lock_guard lock(mutex_);
  for (const core::MetricInfo& metric : metrics) {
    const std::string name(metric.name);
    headers_.try_emplace(name, "# HELP " + name + " " + help_text(metric.help) + "\n# TYPE " + name + " " +
                                   std::string(type_name(metric.type)) + "\n");
  }
}

void MetricsPage::update(const std::string& source, const core::Batch& batch, core::Time now) {
  std::map<std::string, std::string, std::less<>> families;
  auto family = families.end();
  for (const core::Sample& sample : batch.samples) {
    if (core::is_stale_marker(sample.value)) continue;
    const std::string_view name = sample.labels.name();
    if (family == families.end() || family->first != name) {
      family = families.find(name);
      if (family == families.end()) family = families.emplace(std::string(name), std::string()).first;
    }
    append_sample_line(family->second, sample.labels, sample.value);
  }
  for (auto& [name, text] : families) text.shrink_to_fit();
  const std::lock_guard lock(mutex_);
  sources_[source] = {now, std::move(families)};
}

void MetricsPage::drop_older_than(core::Time now, core::Duration age) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sources_, [&](const auto& entry) { return entry.second.updated_at < now - age; });
}

std::shared_ptr<const std::string> MetricsPage::render() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string_view> names;
  std::size_t size = 0;
  for (const auto& [source, shown] : sources_) {
    for (const auto& [name, text] : shown.families) {
      names.insert(name);
      size += text.size() + 200;
    }
  }
  auto page = std::make_shared<std::string>();
  page->reserve(size);
  for (const std::string_view name : names) {
    if (const auto header = headers_.find(name); header != headers_.end()) *page += header->second;
    for (const auto& [source, shown] : sources_) {
      if (const auto text = shown.families.find(name); text != shown.families.end()) *page += text->second;
    }
  }
  return page;
}

}  // namespace weir::api
