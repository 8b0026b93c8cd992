#include "incidents/evidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

constexpr core::Duration kLookBack = 5min;

constexpr std::size_t kMostNotes = 8;
constexpr std::size_t kLongestNote = 300;

/// kafka_consumergroup_members{cluster="prod", consumergroup="billing"}
std::string series_text(std::string_view metric, const core::Labels& labels) {
  return labels.with(core::kMetricName, metric).to_string();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

Evidence::Evidence(const core::Alert& alert, const core::SeriesSource& series, const std::vector<core::Event>& events,
                   core::Time now, std::span<const core::Fault> faults)
    : alert_(alert), series_(series), events_(events), now_(now), faults_(faults) {}

core::Labels Evidence::labels(std::initializer_list<std::string_view> names) const {
  core::LabelsBuilder found;
  for (const std::string_view name : names) {
    if (alert_.labels.has(name)) found.set(name, alert_.labels.get(name));
  }
  return found.build();
}

std::vector<core::SeriesView> Evidence::read(std::string_view metric, const core::Labels& labels,
                                             core::Duration span) const {
  core::Selection selection{.matchers = {{std::string(core::kMetricName), core::MatchOp::equal, std::string(metric)}},
                            .from = now_ - span,
                            .to = now_};
  for (const auto& [name, value] : labels) {
    selection.matchers.push_back({std::string(name), core::MatchOp::equal, std::string(value)});
  }
  auto found = series_.select(selection);
  if (!found) return {};
  std::erase_if(*found, [](const core::SeriesView& series) {
    return series.points.empty() || core::is_stale_marker(series.points.back().value);
  });
  for (core::SeriesView& series : *found) {
    std::erase_if(series.points, [](const core::Point& point) { return std::isnan(point.value); });
  }
  std::erase_if(*found, [](const core::SeriesView& series) { return series.points.empty(); });
  return std::move(*found);
}

std::vector<core::SeriesView> Evidence::points(std::string_view metric, const core::Labels& labels,
                                               core::Duration span) const {
  std::vector<core::SeriesView> found = read(metric, labels, span);
  if (notes_ == nullptr || found.empty()) return found;
  const auto [low, high] =
      std::ranges::minmax(found, {}, [](const core::SeriesView& series) { return series.points.back().value; });
  if (found.size() == 1) {
    note(fmt::format("{} is {}", found.front().labels.to_string(), number_text(low.points.back().value)));
  } else {
    note(fmt::format("{} series of {} are between {} and {}", found.size(), series_text(metric, labels),
                     number_text(low.points.back().value), number_text(high.points.back().value)));
  }
  return found;
}

std::optional<double> Evidence::newest(std::string_view metric, const core::Labels& labels) const {
  const auto found = read(metric, labels, kLookBack);
  if (found.empty()) return std::nullopt;
  double sum = 0;
  for (const core::SeriesView& series : found) sum += series.points.back().value;
  note(fmt::format("{} is {}", series_text(metric, labels), number_text(sum)));
  return sum;
}

std::optional<Evidence::Growth> Evidence::growth(std::string_view metric, const core::Labels& labels,
                                                 core::Duration span) const {
  Growth growth;
  for (const core::SeriesView& series : read(metric, labels, span)) {
    if (series.points.size() < 2) continue;
    const core::Point& first = series.points.front();
    const core::Point& last = series.points.back();
    growth.from += first.value;
    growth.to += last.value;
    growth.seconds = std::max(growth.seconds, core::to_seconds(last.time - first.time));
    growth.moved = growth.moved || std::ranges::any_of(series.points, [&](const core::Point& point) {
                     return point.value != first.value;
                   });
  }
  if (growth.seconds <= 0) return std::nullopt;
  note(fmt::format("{} went from {} to {} within {}", series_text(metric, labels), number_text(growth.from),
                   number_text(growth.to), span_text(growth.seconds)));
  return growth;
}

std::optional<Evidence::Levels> Evidence::levels(std::string_view metric, const core::Labels& labels,
                                                 core::Duration span, core::Time split) const {
  std::vector<double> before;
  std::vector<double> after;
  for (const core::SeriesView& series : read(metric, labels, span)) {
    for (const core::Point& point : series.points) (point.time < split ? before : after).push_back(point.value);
  }
  if (before.size() < 3 || after.size() < 3) return std::nullopt;
  const Levels levels{median(std::move(before)), median(std::move(after))};
  note(fmt::format("{} was {} before and is {} since (medians)", series_text(metric, labels),
                   number_text(levels.before), number_text(levels.after)));
  return levels;
}

const core::Event* Evidence::newest_event(std::string_view kind, const core::Labels& labels) const {
  const core::Event* newest = nullptr;
  for (const core::Event& event : events_) {
    if (event.kind != kind || !event.labels.includes(labels)) continue;
    if (newest == nullptr || event.time > newest->time) newest = &event;
  }
  if (newest != nullptr)
    note(fmt::format("{} {} ago: {}", kind, span_text(core::to_seconds(now_ - newest->time)), newest->message));
  return newest;
}

const core::Fault* Evidence::fault() const {
  const core::Fault* closest = nullptr;
  for (const core::Fault& fault : faults_) {
    const core::Labels scope = fault.scope.without(core::kMetricName);
    if (scope.empty() || !alert_.labels.includes(scope)) continue;
    if (closest == nullptr || fault.scope.size() > closest->scope.size()) closest = &fault;
  }
  return closest;
}

const core::Fault* Evidence::fault_of(std::string_view collector) const {
  const auto found = std::ranges::find_if(faults_, [&](const core::Fault& fault) {
    return !fault.no_value && fault.error.where == collector && !fault.error.message.empty();
  });
  return found == faults_.end() ? nullptr : &*found;
}

std::vector<std::string> Evidence::notes_of(const std::function<void()>& look) const {
  std::vector<std::string> notes;
  notes_ = &notes;
  look();
  notes_ = nullptr;
  return notes;
}

void Evidence::note(std::string text) const {
  if (notes_ == nullptr || notes_->size() >= kMostNotes) return;
  if (text.size() > kLongestNote) text = text.substr(0, text.rfind(' ', kLongestNote)) + " …";
  if (std::ranges::find(*notes_, text) == notes_->end()) notes_->push_back(std::move(text));
}

core::Duration Evidence::window() const {
  return std::clamp<core::Duration>(now_ - alert_.active_at + 15s, 1min, 10min);
}

bool is_about_traffic(const Evidence& evidence) {
  constexpr std::array<std::string_view, 14> kOthers{
      "KafkaTopicUnderMinIsr",     "KafkaTopicOfflinePartitions",
      "KafkaTopicUnderReplicated", "KafkaTopicConfigChanged",
      "KafkaTransactionHanging",   "KafkaDeadLetterMessages",
      "KafkaCanaryLost",           "KafkaCanarySlow",
      "KafkaCanaryFailing",        "KafkaPartitionsUncommitted",
      "KafkaCommitBeyondEnd",      "PersonalDataInTopic",
      "SchemaMessagesUndecodable", "SchemaMessagesOfOtherSubject",
  };
  return std::ranges::find(kOthers, evidence.label("alertname")) == kOthers.end();
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const bool whole = std::abs(value) >= 100 || value == std::floor(value);
  std::string text = fmt::format("{:.{}f}", value, whole ? 0 : 1);
  const std::size_t end = std::min(text.find('.'), text.size());
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  for (std::size_t at = end; at > sign + 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string span_text(double seconds) {
  return core::format_duration(std::chrono::seconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e12))));
}

}  // namespace weir::incidents
