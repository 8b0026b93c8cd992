#include "api/metrics_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <unordered_set>
#include <utility>

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

/// The metric that a series belongs to: of a histogram's _bucket, _sum and _count the histogram.
template <class Headers>
std::string_view family_of(std::string_view name, const Headers& headers) {
  for (const std::string_view ending : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(ending)) continue;
    const std::string_view base = name.substr(0, name.size() - ending.size());
    const auto header = headers.find(base);
    if (header != headers.end() && header->second.metric.type == core::MetricType::histogram) return base;
  }
  return name;
}

/// The lines of one family, in pieces: none is moved to a larger place again and again.
class FamilyText {
 public:
  void add(const core::Sample& sample) {
    append_sample_line(text_, sample.labels, sample.value);
    if (text_.size() < kPiece) return;
    close();
    text_.reserve(kPiece + kLine);
  }
  const MetricsPage::Pieces& finish() {
    if (!text_.empty()) close();
    return pieces_;
  }

 private:
  static constexpr std::size_t kPiece = 256U << 10U;
  static constexpr std::size_t kLine = 4U << 10U;  // most are shorter

  void close() { pieces_.push_back(std::make_shared<const std::string>(std::exchange(text_, {}))); }

  std::string text_;
  MetricsPage::Pieces pieces_;
};

/// Of the samples that are rendered.
struct Name {
  std::string_view text;
  FamilyText* family = nullptr;
  Name* next = nullptr;  // that came after it last time
};

using Families = std::map<std::string_view, MetricsPage::Pieces>;  // names of the batch's samples

std::string help_text(std::string_view help) {
  std::string out;
  for (const char c : help) out += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : std::string(1, c);
  return out;
}

}  // namespace

/// What one source shows; only what is rendered of it changes.
struct MetricsPage::Source {
  core::Time updated_at;
  std::vector<core::Sample> kept;            // of earlier batches
  std::shared_ptr<const core::Batch> batch;  // the latest, shared with who else works on it

  template <class Visit>
  void each(Visit visit) const {
    std::ranges::for_each(kept, visit);
    for (const core::Sample& sample : batch->samples) {
      if (is_shown(sample)) visit(sample);
    }
  }

  /// The text, of which nothing is kept once the last request has let go of it.
  std::shared_ptr<const Families> families(const Headers& headers) const {
    const std::lock_guard lock(rendering_);
    if (auto rendered = rendered_.lock()) return rendered;
    std::map<std::string_view, FamilyText> texts;
    std::map<std::string_view, Name> names;
    Name* last = nullptr;
    each([&](const core::Sample& sample) {
      const std::string_view name = sample.labels.name();
      // Names come in the same order again and again.
      Name* found = last != nullptr && last->next != nullptr && last->next->text == name ? last->next : nullptr;
      if (found == nullptr) {
        found = &names[name];
        if (found->family == nullptr)
          *found = {.text = name, .family = &texts[family_of(name, headers)], .next = found};
        if (last != nullptr) last->next = found;
      }
      last = found;
      found->family->add(sample);
    });
    auto rendered = std::make_shared<Families>();
    for (auto& [name, lines] : texts) rendered->emplace(name, lines.finish());
    rendered_ = rendered;
    return rendered;
  }

 private:
  mutable std::mutex rendering_;
  mutable std::weak_ptr<const Families> rendered_;
};

void append_sample_line(std::string& out, const core::Labels& labels, double value) {
  out += labels.name();
  char opened = '{';
  const bool plain = labels.plain();
  std::string valid;
  for (const auto& [name, given] : labels) {
    if (name == core::kMetricName) continue;
    out += opened;
    opened = ',';
    out += name;
    out += "=\"";
    if (plain) {
      out += given;
    } else {
      valid.clear();
      append_valid_utf8(valid, given);
      core::append_escaped(out, valid);
    }
    out += '"';
  }
  out += opened == ',' ? "} " : " ";
  append_value(out, value);
  out += '\n';
}

void MetricsPage::describe(std::span<const core::MetricInfo> metrics) {
  const std::lock_guard updating(updating_);
  Headers headers = *content().headers;
  for (const core::MetricInfo& metric : metrics) {
    const std::string name(metric.name);
    auto lines = std::make_shared<const std::string>("# HELP " + name + " " + help_text(metric.help) + "\n# TYPE " +
                                                     name + " " + std::string(type_name(metric.type)) + "\n");
    headers.try_emplace(name, Header{metric, std::move(lines)});
  }
  auto all = std::make_shared<const Headers>(std::move(headers));
  const std::lock_guard lock(mutex_);
  content_.headers = std::move(all);
}

void MetricsPage::update(const std::string& source, std::shared_ptr<const core::Batch> batch, core::Time now) {
  const std::lock_guard updating(updating_);
  const Sources sources = content().sources;
  const auto before = sources.find(source);
  auto shown = std::make_shared<Source>();
  if (before != sources.end()) {
    keep_unseen(before->second->kept, *batch, now, shown->kept);
    keep_unseen(before->second->batch->samples, *batch, now, shown->kept);
  }
  shown->batch = std::move(batch);
  shown->updated_at = now;
  const std::lock_guard lock(mutex_);
  content_.sources.insert_or_assign(source, std::move(shown));
}

void MetricsPage::drop_older_than(core::Time now, core::Duration age) {
  const std::lock_guard updating(updating_);
  const std::lock_guard lock(mutex_);
  std::erase_if(content_.sources, [&](const auto& entry) { return entry.second->updated_at < now - age; });
}

MetricsPage::Content MetricsPage::content() const {
  const std::lock_guard lock(mutex_);
  return content_;
}

std::vector<core::MetricInfo> MetricsPage::described() const {
  const Content held = content();
  std::set<std::string_view> names;
  for (const auto& [name, source] : held.sources) {
    std::string_view last;
    source->each([&](const core::Sample& sample) {
      const std::string_view found = sample.labels.name();
      if (std::exchange(last, found) != found) names.insert(family_of(found, *held.headers));
    });
  }
  std::vector<core::MetricInfo> described;
  for (const std::string_view name : names) {
    if (const auto header = held.headers->find(name); header != held.headers->end())
      described.push_back(header->second.metric);
  }
  return described;
}

MetricsPage::Pieces MetricsPage::pieces() const {
  const Content held = content();
  std::vector<std::shared_ptr<const Families>> rendered;
  std::set<std::string_view> names;
  for (const auto& [source, shown] : held.sources) {
    rendered.push_back(shown->families(*held.headers));
    for (const auto& [name, lines] : *rendered.back()) names.insert(name);
  }
  Pieces pieces;
  for (const std::string_view name : names) {
    if (const auto header = held.headers->find(name); header != held.headers->end())
      pieces.push_back(header->second.lines);
    for (const auto& families : rendered) {
      if (const auto lines = families->find(name); lines != families->end())
        pieces.insert(pieces.end(), lines->second.begin(), lines->second.end());
    }
  }
  return pieces;
}

std::string MetricsPage::render() const {
  std::string page;
  for (const auto& piece : pieces()) page += *piece;
  return page;
}

}  // namespace weir::api
