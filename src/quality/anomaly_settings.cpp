#include "quality/anomaly_settings.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

namespace weir::quality {
namespace {

using config::MapReader;
using config::Node;

/// A number in a range, or the fallback with a note.
double number_within(MapReader& reader, std::string_view key, double fallback, double least, double most) {
  const double value = reader.number(key, fallback);
  if (value >= least && value <= most) return value;
  reader.error(key, fmt::format("expected a number from {} to {}, found {}", least, most, value));
  return fallback;
}

/// A key whose only right value is the one that Weir always does.
void only(MapReader& reader, std::string_view key, std::string_view value, std::string_view otherwise) {
  const Node* node = reader.child(key);
  if (node == nullptr || (node->is_scalar() && (node->text() == value || node->text() == "auto"))) return;
  std::string text = node->is_scalar() ? node->text() : "";
  if (text.empty() || (text[0] | 0x20) != (value[0] | 0x20) || text.size() != value.size()) {
    reader.error(*node, fmt::format("\"{}\" can only be {}: {}", key, value, otherwise));
  }
}

void read_severity(MapReader& reader, AnomalySettings& settings) {
  const Node* node = reader.child("severity_level_parameters");
  if (node == nullptr) return;
  MapReader own(*node, reader.diagnostics(), reader.what() + ": severity_level_parameters");
  settings.warning_ratio = number_within(own, "warning_ratio", settings.warning_ratio, 0, 100);
  settings.detector.min_change =
      number_within(own, "min_confidence_interval_ratio", settings.detector.min_change, 0, 100);
  own.finish();
}

void read_frequency(MapReader& reader, AnomalySettings& settings) {
  const Node* node = reader.child("frequency");
  if (node == nullptr || (node->is_scalar() && node->text() == "auto")) return;
  const std::string text = node->is_scalar() ? node->text() : "";
  auto frequency = core::parse_duration(text);
  if (text == "D" || text == "H") frequency = std::chrono::hours(text == "D" ? 24 : 1);
  if (!frequency || *frequency < std::chrono::minutes(1) || *frequency > std::chrono::days(1)) {
    reader.error(*node, "\"frequency\": expected auto, D, H or a duration from 1m to 1d");
    return;
  }
  settings.frequency = *frequency;
  settings.daily = *frequency == std::chrono::days(1);
}

void read_excluded(MapReader& reader, AnomalySettings& settings) {
  for (const Node* node : reader.list("exclude_dates")) {
    const std::string text = node->is_scalar() ? node->text() : "";
    const std::size_t between = text.find("..");
    const auto first = parse_day(std::string_view(text).substr(0, between));
    const auto last = between == std::string::npos ? first : parse_day(std::string_view(text).substr(between + 2));
    if (!first || !last || *last < *first) {
      reader.error(*node, "\"exclude_dates\": expected a date such as 2026-12-24, or two as 2026-12-24..2027-01-01");
    } else {
      settings.detector.exclude.push_back({*first, *last});
    }
  }
}

void read_season(MapReader& reader, AnomalySettings& settings) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(anomaly::Season::hour_of_week); ++i) {
    names.emplace_back(to_string(static_cast<anomaly::Season>(i)));
  }
  const std::string name = reader.choice("season", "auto", names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) settings.detector.season = static_cast<anomaly::Season>(i);
  }
  const Node* zone = reader.child("time_zone");
  if (zone == nullptr) return;
  auto loaded = anomaly::load_zone(zone->is_scalar() ? zone->text() : "");
  if (loaded) {
    settings.detector.zone = std::move(*loaded);
  } else {
    reader.error(*zone, "\"time_zone\": " + loaded.error().describe());
  }
}

void read_training(MapReader& reader, AnomalySettings& settings) {
  const Node* node = reader.child("training_dataset_parameters");
  if (node == nullptr) return;
  MapReader own(*node, reader.diagnostics(), reader.what() + ": training_dataset_parameters");
  read_frequency(own, settings);
  const auto window = own.integer("window_length", static_cast<std::int64_t>(settings.detector.max_points), 14, 2000);
  settings.detector.max_points = static_cast<std::size_t>(window);
  only(own, "aggregation_function", "last", "the last measurement of a bucket is kept");
  only(own, "auto_exclude_anomalies", "true", "what was anomalous is never learned from");
  const auto days = own.integer("learning_days", static_cast<std::int64_t>(settings.detector.learning_days), 7, 365);
  settings.detector.learning_days = static_cast<std::size_t>(days);
  read_excluded(own, settings);
  read_season(own, settings);
  settings.detector.calendar = own.boolean("month_ends", settings.detector.calendar);
  own.finish();
}

}  // namespace

std::optional<std::int64_t> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int numbers[3] = {};
  constexpr std::size_t kPlaces[3][2] = {{0, 4}, {5, 2}, {8, 2}};
  for (int i = 0; i < 3; ++i) {
    const std::string_view part = text.substr(kPlaces[i][0], kPlaces[i][1]);
    const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), numbers[i]);
    if (failure != std::errc{} || end != part.data() + part.size() || numbers[i] < 0) return std::nullopt;
  }
  using namespace std::chrono;
  const auto date =
      year(numbers[0]) / month(static_cast<unsigned>(numbers[1])) / day(static_cast<unsigned>(numbers[2]));
  if (!date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch().count();
}

AnomalySettings read_anomaly_settings(MapReader& reader) {
  AnomalySettings settings;
  anomaly::Settings& detector = settings.detector;
  detector.sensitivity = number_within(reader, "sensitivity", detector.sensitivity, 1, 20);
  settings.warn_only = reader.boolean("warn_only", false);
  const std::string direction = reader.choice("alert_directionality", "upper_and_lower_bounds",
                                              {"upper_and_lower_bounds", "upper_bound", "lower_bound"});
  if (direction == "upper_bound") detector.direction = anomaly::Direction::up;
  if (direction == "lower_bound") detector.direction = anomaly::Direction::down;
  read_severity(reader, settings);
  read_training(reader, settings);
  if (const Node* model = reader.child("model")) {
    reader.error(*model,
                 "\"model\" is Prophet's, which Weir does without; a wider or narrower range is \"sensitivity\"");
  }
  for (const std::string_view zone : {"warn", "fail"}) {
    if (const Node* node = reader.child(zone)) {
      reader.error(*node, fmt::format("\"{}\": the range comes from the history; warn_only, sensitivity and "
                                      "severity_level_parameters say when it warns and fails",
                                      zone));
    }
  }
  return settings;
}

}  // namespace weir::quality
