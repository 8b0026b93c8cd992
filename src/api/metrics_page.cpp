#include "api/metrics_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <unordered_set>

#include "api/utf8.h"
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

bool is_shown(const core::Sample& sample) {
  return !core::is_stale_marker(sample.value) && !sample.labels.name().empty();
}

/// Adds to `kept` the samples of before that this batch could not see: in the scope of a fault, not in it anew, and
/// not too old.
void keep_unseen(std::span<const core::Sample> before, const core::Batch& batch, core::Time now,
                 std::vector<core::Sample>& kept) {
  if (batch.faults.empty()) return;
  std::vector<const core::Sample*> candidates;
  std::unordered_set<core::Labels> unseen;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const core::Sample& sample = before[i];
    // Most are in the same place again, and there are many.
    if (i < batch.samples.size() && batch.samples[i].labels == sample.labels) continue;
    const bool in_scope = std::ranges::any_of(
        batch.faults, [&](const core::Fault& fault) { return sample.labels.includes(fault.scope); });
    const bool fresh = sample.time >= now - MetricsPage::kShownFor;
    if (in_scope && fresh && is_shown(sample) && unseen.insert(sample.labels).second) candidates.push_back(&sample);
  }
  if (candidates.empty()) return;
  for (const core::Sample& sample : batch.samples) unseen.erase(sample.labels);
  for (const core::Sample* sample : candidates) {
    if (unseen.contains(sample->labels)) kept.push_back(*sample);
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
  std::string valid;
  for (const auto& [name, given] : labels) {
    if (name == core::kMetricName) continue;
    std::string_view text = given;
    if (!is_ascii(text)) {
      valid.clear();
      append_valid_utf8(valid, text);
      text = valid;
    }
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
  const std::lock_guard updating(updating_);
  for (const core::MetricInfo& metric : metrics) {
    const std::string name(metric.name);
    auto lines = std::make_shared<const std::string>("# HELP " + name + " " + help_text(metric.help) + "\n# TYPE " +
                                                     name + " " + std::string(type_name(metric.type)) + "\n");
    headers_.try_emplace(name, Header{metric, std::move(lines)});
  }
}

void MetricsPage::update(const std::string& source, std::shared_ptr<const core::Batch> batch, core::Time now) {
  const std::lock_guard updating(updating_);
  Source& shown = sources_[source];
  std::vector<core::Sample> kept;
  keep_unseen(shown.kept, *batch, now, kept);
  if (shown.batch) keep_unseen(shown.batch->samples, *batch, now, kept);
  shown.kept = std::move(kept);
  shown.batch = std::move(batch);
  shown.families = render_families(shown);
  shown.updated_at = now;
  join();
}

std::string_view MetricsPage::family_of(std::string_view name) const {
  for (const std::string_view ending : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(ending)) continue;
    const std::string_view base = name.substr(0, name.size() - ending.size());
    const auto header = headers_.find(base);
    if (header != headers_.end() && header->second.metric.type == core::MetricType::histogram) return base;
  }
  return name;
}

MetricsPage::Families MetricsPage::render_families(const Source& shown) const {
  Families families;
  auto family = families.end();
  const auto render = [&](const core::Sample& sample) {
    const std::string_view name = family_of(sample.labels.name());
    if (family == families.end() || family->first != name) {
      family = families.find(name);
      if (family == families.end()) {
        family = families.emplace(std::string(name), std::make_shared<std::string>()).first;
        // Sizes hardly change from cycle to cycle, so that the text is neither moved nor too large.
        const auto before = shown.families.find(name);
        if (before != shown.families.end())
          family->second->reserve(before->second->size() + before->second->size() / 64);
      }
    }
    append_sample_line(*family->second, sample.labels, sample.value);
  };
  std::ranges::for_each(shown.kept, render);
  for (const core::Sample& sample : shown.batch->samples) {
    if (is_shown(sample)) render(sample);
  }
  for (auto& [name, text] : families) {
    if (text->capacity() > text->size() + text->size() / 8) text->shrink_to_fit();
  }
  return families;
}

void MetricsPage::drop_older_than(core::Time now, core::Duration age) {
  const std::lock_guard updating(updating_);
  if (std::erase_if(sources_, [&](const auto& entry) { return entry.second.updated_at < now - age; }) > 0) join();
}

void MetricsPage::join() {
  std::set<std::string_view> names;
  for (const auto& [source, shown] : sources_) {
    for (const auto& [name, text] : shown.families) names.insert(name);
  }
  auto pieces = std::make_shared<Pieces>();
  auto described = std::make_shared<std::vector<core::MetricInfo>>();
  for (const std::string_view name : names) {
    if (const auto header = headers_.find(name); header != headers_.end()) {
      pieces->push_back(header->second.lines);
      described->push_back(header->second.metric);
    }
    for (const auto& [source, shown] : sources_) {
      if (const auto text = shown.families.find(name); text != shown.families.end()) pieces->push_back(text->second);
    }
  }
  const std::lock_guard lock(mutex_);
  pieces_ = std::move(pieces);
  described_ = std::move(described);
}

std::shared_ptr<const std::vector<core::MetricInfo>> MetricsPage::described() const {
  const std::lock_guard lock(mutex_);
  return described_;
}

std::shared_ptr<const MetricsPage::Pieces> MetricsPage::pieces() const {
  const std::lock_guard lock(mutex_);
  return pieces_;
}

std::string MetricsPage::render() const {
  std::string page;
  const auto held = pieces();
  for (const auto& piece : *held) page += *piece;
  return page;
}

}  // namespace weir::api
