#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/series_source.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

inline core::Time at_second(int second) { return core::Time(std::chrono::seconds(1'700'000'000 + second)); }

/// A topic whose partitions have these start and end offsets, led and in sync.
inline kafka::Topic make_topic(const std::string& name, std::vector<std::pair<std::int64_t, std::int64_t>> offsets) {
  kafka::Topic topic;
  topic.name = name;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    topic.partitions.push_back({.id = static_cast<std::int32_t>(i),
                                .leader = 1,
                                .replicas = 3,
                                .in_sync = 3,
                                .start = offsets[i].first,
                                .end = offsets[i].second});
  }
  return topic;
}

/// The value of the series `text`, as Labels::to_string() writes it.
inline std::optional<double> value(const core::Batch& batch, const std::string& text) {
  const auto found = std::ranges::find_if(
      batch.samples, [&](const core::Sample& sample) { return sample.labels.to_string() == text; });
  return found == batch.samples.end() ? std::nullopt : std::optional(found->value);
}

inline std::vector<std::string> kinds(const core::Batch& batch) {
  std::vector<std::string> all;
  for (const core::Event& event : batch.events) all.push_back(event.kind);
  return all;
}

/// What a series store holds, and how often it was asked.
class Past : public core::SeriesSource {
 public:
  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override {
    ++asked;
    std::vector<core::SeriesView> found;
    for (const core::SeriesView& one : series) {
      const auto matches = [&](const core::Matcher& matcher) { return one.labels.get(matcher.name) == matcher.value; };
      if (!std::ranges::all_of(selection.matchers, matches)) continue;
      core::SeriesView view{one.labels, {}};
      for (const core::Point& point : one.points) {
        if (point.time >= selection.from && point.time <= selection.to) view.points.push_back(point);
      }
      found.push_back(std::move(view));
    }
    return found;
  }
  void add(std::string_view metric, std::string_view topic, std::string_view partition, std::vector<core::Point> points,
           std::string_view group = {}) {
    core::Labels labels =
        core::Labels::metric(metric, {{"cluster", "prod"}, {"topic", topic}, {"partition", partition}});
    if (!group.empty()) labels = labels.with("consumergroup", group);
    series.push_back({std::move(labels), std::move(points)});
  }

  std::vector<core::SeriesView> series;
  mutable int asked = 0;
};

}  // namespace weir::collectors
