#include "api/overview.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "api/json_values.h"
#include "api/lineage_api.h"
#include "api/newest.h"

namespace weir::api {
namespace {

using nlohmann::json;
using Key = std::vector<std::string>;
using Names = std::vector<std::string_view>;

constexpr std::size_t kMostRows = 500;

json value_or_null(const std::map<Key, double>& values, const Key& key) {
  const auto found = values.find(key);
  return found == values.end() ? json(nullptr) : number_or_null(found->second);
}

double value_or(const std::map<Key, double>& values, const Key& key, double fallback) {
  const auto found = values.find(key);
  return found == values.end() ? fallback : found->second;
}

Key key_of(const core::Labels& labels, const Names& names) {
  Key key;
  for (const std::string_view name : names) key.emplace_back(labels.get(name));
  return key;
}

json trend(const std::map<Key, std::vector<core::Point>>& trends, const Key& key) {
  json points = json::array();
  const auto found = trends.find(key);
  if (found == trends.end()) return points;
  for (const core::Point& point : found->second)
    points.push_back({core::to_seconds(point.time), number_or_null(point.value)});
  return points;
}

class Builder {
 public:
  Builder(const Backend& backend, core::Time now)
      : backend_(backend), now_(now), newest_(backend.series, now), alerts_(backend.alerts()) {
    // The worst first, since a long list is cut.
    std::ranges::stable_sort(alerts_, std::greater(), &core::Alert::state);
  }

  json build() {
    json page = {{"now", core::to_seconds(now_)},
                 {"version", backend_.version},
                 {"uptime_seconds", core::to_seconds(now_ - backend_.started_at)},
                 {"collectors", collectors()},
                 {"clusters", clusters()},
                 {"groups", groups()},
                 {"topics", topics()},
                 {"dead_letters", dead_letters()},
                 {"subjects", subjects()},
                 {"tables", tables()}};
    page["alerts"] = json::array();
    const auto suppressions = suppressions_by_alert();
    for (const core::Alert& alert : alerts_) {
      json shown = to_json(alert);
      const auto found = suppressions.find({alert.fingerprint, alert.group});
      shown["suppressed"] = found == suppressions.end() ? json(nullptr) : found->second;
      page["alerts"].push_back(std::move(shown));
    }
    page["incidents"] = json::array();
    for (const core::Incident& incident : backend_.incidents()) {
      // What is cut off below needs no look at the graph.
      const bool shown = page["incidents"].size() < kMostRows;
      page["incidents"].push_back(shown ? incident_json(backend_, incident) : to_json(incident));
    }
    count_alerts(page["alerts"]);
    count_incidents(page["incidents"]);
    cut(page["alerts"]);
    cut(page["incidents"]);
    page["totals"] = std::move(totals_);
    page["truncated"] = truncated_;
    const auto trouble = backend_.storage_trouble ? backend_.storage_trouble() : std::nullopt;
    page["storage"] = trouble ? json{{"state", trouble->state}, {"why", trouble->why}} : json(nullptr);
    page["error"] = newest_.error().empty() ? json(nullptr) : json(newest_.error());
    return page;
  }

 private:
  void cut(json& rows) {
    if (rows.size() <= kMostRows) return;
    rows.erase(rows.begin() + kMostRows, rows.end());
    truncated_ = true;
  }

  static double sum_of(const json& rows, const char* key) {
    double sum = 0;
    for (const json& row : rows) sum += row[key].is_number() ? row[key].get<double>() : 0;
    return sum;
  }

  template <class Wanted>
  static std::size_t count_of(const json& rows, Wanted wanted) {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), wanted));
  }

  static bool is_firing(const json& row) { return row["alert"] == "firing"; }

  /// The totals below are of whole lists, before they are cut.
  void count_alerts(const json& rows) {
    totals_["firing"] = count_of(rows, [](const json& row) { return row["state"] == "firing"; });
    totals_["pending"] = count_of(rows, [](const json& row) { return row["state"] == "pending"; });
  }

  void count_incidents(const json& rows) {
    totals_["open_incidents"] = count_of(rows, [](const json& row) { return row["open"] == true; });
    totals_["resolved_incidents"] = count_of(rows, [](const json& row) { return row["open"] == false; });
  }

  void count_groups(const json& rows) {
    totals_["groups"] = rows.size();
    totals_["lag"] = sum_of(rows, "lag");
    totals_["firing_groups"] = count_of(rows, is_firing);
  }

  void count_topics(const json& rows) {
    totals_["topics"] = rows.size();
    totals_["records_per_second"] = sum_of(rows, "records_per_second");
  }

  void count_dead_letters(const json& rows) {
    totals_["dead_letter_topics"] = rows.size();
    totals_["dead_letters"] = sum_of(rows, "messages");
    totals_["firing_dead_letter_topics"] = count_of(rows, is_firing);
  }

  void count_subjects(const json& rows) {
    totals_["subjects"] = rows.size();
    totals_["broken_subjects"] = count_of(
        rows, [](const json& row) { return row["compatible"] == false || row["candidate_compatible"] == false; });
  }

  void count_tables(const json& rows) {
    totals_["tables"] = rows.size();
    totals_["failing_tables"] = count_of(rows, [](const json& row) {
      const json& checks = row["checks"];
      return std::any_of(checks.begin(), checks.end(), [](const json& check) { return check["outcome"] != "pass"; });
    });
  }

  void sort_by(json& rows, const char* key) {
    std::stable_sort(rows.begin(), rows.end(), [key](const json& a, const json& b) {
      const double left = a[key].is_number() ? a[key].get<double>() : -1;
      const double right = b[key].is_number() ? b[key].get<double>() : -1;
      return left > right;
    });
    cut(rows);
  }

  /// Why nobody is told of an alert, of those of which that is so.
  std::map<std::pair<std::uint64_t, std::string>, json> suppressions_by_alert() const {
    std::map<std::pair<std::uint64_t, std::string>, json> found;
    if (!backend_.notifications.view) return found;
    const auto view = backend_.notifications.view();
    for (const core::RoutedAlert& routed : view->alerts) {
      if (!routed.suppression.any()) continue;
      json inhibited = json::array();
      for (const std::uint64_t by : routed.suppression.inhibited_by) inhibited.push_back(fmt::format("{:016x}", by));
      found[{routed.alert.fingerprint, routed.alert.group}] = {{"inhibited_by", std::move(inhibited)},
                                                               {"silenced_by", routed.suppression.silenced_by}};
    }
    return found;
  }

  /// Of everything that alerts name by these labels, the worst state. Alerts with the label `without` are about
  /// something else.
  std::map<Key, json> alerts_by(const Names& names, std::string_view without = {}) const {
    std::map<Key, json> states;
    for (const core::Alert& alert : alerts_) {
      if (alert.state == core::AlertState::inactive || (!without.empty() && alert.labels.has(without))) continue;
      if (std::ranges::all_of(names, [&](std::string_view name) { return alert.labels.has(name); })) {
        states.try_emplace(key_of(alert.labels, names), core::to_string(alert.state));  // firing comes first
      }
    }
    return states;
  }

  static json state_or_null(const std::map<Key, json>& states, const Key& key) {
    const auto found = states.find(key);
    return found == states.end() ? json(nullptr) : found->second;
  }

  /// Of state metrics (one series for each state, 1 for the present one): the state by the labels named.
  std::map<Key, std::string> states_of(std::string_view metric, const Names& by, std::string_view label) const {
    std::map<Key, std::string> states;
    for (const NewestSample& sample : newest_.of(metric)) {
      if (sample.value == 1) states[key_of(sample.labels, by)] = sample.labels.get(label);
    }
    return states;
  }

  static json text_or_null(const std::map<Key, std::string>& texts, const Key& key) {
    const auto found = texts.find(key);
    return found == texts.end() ? json(nullptr) : json(found->second);
  }

  json collectors() const {
    json rows = json::array();
    for (const CollectorView& view : backend_.collectors()) {
      rows.push_back({{"name", view.name},
                      {"success", view.ran ? json(view.success) : json(nullptr)},
                      {"last_success", to_json(view.last_success)},
                      {"duration_seconds", core::to_seconds(view.duration)},
                      {"error", view.error.empty() ? json(nullptr) : json(view.error)}});
    }
    return rows;
  }

  json clusters() const {
    const auto under = newest_.sums("kafka_topic_under_replicated_partitions", {"cluster"});
    const auto offline = newest_.sums("kafka_topic_offline_partitions", {"cluster"});
    const auto over_cap = newest_.sums("kafka_consumergroups_over_cap", {"cluster"});
    json rows = json::array();
    for (const auto& [key, brokers] : newest_.sums("kafka_brokers", {"cluster"})) {
      rows.push_back({{"cluster", key[0]},
                      {"groups_over_cap", value_or_null(over_cap, key)},
                      {"brokers", brokers},
                      {"under_replicated", value_or_null(under, key)},
                      {"offline", value_or_null(offline, key)}});
    }
    return rows;
  }

  /// The smallest by the labels named.
  std::map<Key, double> least(std::string_view metric, const Names& by) const {
    std::map<Key, double> result;
    for (const NewestSample& sample : newest_.of(metric)) {
      const Key key = key_of(sample.labels, by);
      result[key] = std::min(value_or(result, key, sample.value), sample.value);
    }
    return result;
  }

  /// Of each (cluster, consumergroup): its topics with lag.
  std::map<Key, json> group_topics() const {
    const auto partitions = newest_.sums("kafka_topic_partitions", {"cluster", "topic"});
    std::map<Key, json> topics;
    const Names by{"cluster", "consumergroup", "topic"};
    const auto uncommitted = newest_.sums("kafka_consumergroup_uncommitted_partitions", by);
    for (const auto& [key, lag] : newest_.sums("kafka_consumergroup_lag_sum", by)) {
      topics[{key[0], key[1]}].push_back({{"topic", key[2]},
                                          {"lag", lag},
                                          {"partitions", value_or_null(partitions, {key[0], key[2]})},
                                          {"uncommitted_partitions", value_or_null(uncommitted, key)}});
    }
    return topics;
  }

  json groups() {
    const Names by{"cluster", "consumergroup"};
    const auto alerts = alerts_by(by);
    const auto lag = newest_.sums("kafka_consumergroup_group_lag", by);
    const auto members = newest_.sums("kafka_consumergroup_members", by);
    const auto lost = newest_.sums("kafka_consumergroup_messages_lost", by);
    const auto uncommitted = newest_.sums("kafka_consumergroup_uncommitted_partitions", by);
    const auto trends = newest_.trends("kafka_consumergroup_group_lag", by);
    const auto topics = group_topics();
    const auto lag_seconds = newest_.sums("kafka_consumergroup_group_lag_seconds", by);
    const auto catch_up = newest_.sums("kafka_consumergroup_catch_up_seconds", by);
    const auto kinds = states_of("kafka_consumergroup_info", by, "kind");
    const auto statuses = states_of("kafka_consumergroup_status", by, "status");
    const auto margins = least("kafka_consumergroup_retention_margin_seconds", by);
    std::set<Key> at_least;  // their time lag is a lower bound
    for (const NewestSample& sample : newest_.of("kafka_consumergroup_group_lag_seconds_error")) {
      if (sample.labels.get("method") == "at_least") at_least.insert(key_of(sample.labels, by));
    }
    std::map<Key, std::string> states = states_of("kafka_consumergroup_state", by, "state");
    for (const auto& [key, lag_value] : lag) {
      // kafka-lag-exporter's metric of this name has no such label.
      if (!key[1].empty()) states.try_emplace(key, "Unknown");
    }
    json rows = json::array();
    for (const auto& [key, state] : states) {
      const auto found = topics.find(key);
      rows.push_back({{"cluster", key[0]},
                      {"group", key[1]},
                      {"state", state},
                      {"members", value_or_null(members, key)},
                      {"kind", text_or_null(kinds, key)},
                      {"status", text_or_null(statuses, key)},
                      {"lag", value_or_null(lag, key)},
                      {"lag_seconds", value_or_null(lag_seconds, key)},
                      {"lag_seconds_at_least", at_least.contains(key)},
                      {"catch_up_seconds", value_or_null(catch_up, key)},
                      {"retention_margin_seconds", value_or_null(margins, key)},
                      {"messages_lost", value_or_null(lost, key)},
                      {"uncommitted_partitions", value_or_null(uncommitted, key)},
                      {"alert", state_or_null(alerts, key)},
                      {"trend", trend(trends, key)},
                      {"topics", found == topics.end() ? json::array() : found->second}});
    }
    count_groups(rows);
    sort_by(rows, "lag");
    return rows;
  }

  json topics() {
    const Names by{"cluster", "topic"};
    const auto messages = newest_.sums("kafka_topic_messages", by);
    const auto rate = newest_.sums("kafka_topic_records_per_second", by);
    const auto under = newest_.sums("kafka_topic_under_replicated_partitions", by);
    const auto offline = newest_.sums("kafka_topic_offline_partitions", by);
    const auto under_min_isr = newest_.sums("kafka_topic_under_min_isr_partitions", by);
    const auto age = newest_.sums("kafka_topic_newest_record_age_seconds", by);
    const auto trends = newest_.trends("kafka_topic_records_per_second", by);
    json rows = json::array();
    for (const auto& [key, partitions] : newest_.sums("kafka_topic_partitions", by)) {
      rows.push_back({{"cluster", key[0]},
                      {"topic", key[1]},
                      {"partitions", partitions},
                      {"messages", value_or_null(messages, key)},
                      {"records_per_second", value_or_null(rate, key)},
                      {"under_replicated", value_or_null(under, key)},
                      {"offline", value_or_null(offline, key)},
                      {"under_min_isr", value_or_null(under_min_isr, key)},
                      {"newest_record_age_seconds", value_or_null(age, key)},
                      {"trend", trend(trends, key)}});
    }
    count_topics(rows);
    sort_by(rows, "records_per_second");
    return rows;
  }

  json dead_letters() {
    const Names by{"cluster", "topic"};
    const auto alerts = alerts_by(by, "consumergroup");
    const auto rate = newest_.sums("kafka_dead_letter_messages_per_second", by);
    const auto age = newest_.sums("kafka_dead_letter_newest_message_age_seconds", by);
    const auto trends = newest_.trends("kafka_dead_letter_messages", by);
    std::map<Key, json> reasons;
    for (const NewestSample& sample : newest_.of("kafka_dead_letter_sampled_messages")) {
      reasons[key_of(sample.labels, by)].push_back({{"origin", sample.labels.get("origin")},
                                                    {"exception", sample.labels.get("exception")},
                                                    {"component", sample.labels.get("component")},
                                                    {"messages", sample.value}});
    }
    json rows = json::array();
    for (const auto& [key, depth] : newest_.sums("kafka_dead_letter_messages", by)) {
      rows.push_back({{"cluster", key[0]},
                      {"topic", key[1]},
                      {"messages", depth},
                      {"messages_per_second", value_or_null(rate, key)},
                      {"newest_age_seconds", value_or_null(age, key)},
                      {"reasons", reasons.contains(key) ? reasons[key] : json::array()},
                      {"alert", state_or_null(alerts, key)},
                      {"trend", trend(trends, key)}});
    }
    count_dead_letters(rows);
    sort_by(rows, "messages");
    return rows;
  }

  json subjects() {
    const Names by{"registry", "subject"};
    const auto alerts = alerts_by(by);
    const auto latest = newest_.sums("schema_registry_subject_latest_version", by);
    const auto compatible = newest_.sums("schema_registry_subject_compatible", by);
    const auto candidate = newest_.sums("schema_registry_candidate_compatible", by);
    const auto levels = states_of("schema_registry_subject_compatibility_level", by, "level");
    const auto yes_or_null = [](const std::map<Key, double>& values, const Key& key) {
      const auto found = values.find(key);
      return found == values.end() ? json(nullptr) : json(found->second != 0);
    };
    json rows = json::array();
    for (const auto& [key, versions] : newest_.sums("schema_registry_subject_versions", by)) {
      rows.push_back({{"registry", key[0]},
                      {"subject", key[1]},
                      {"versions", versions},
                      {"latest_version", value_or_null(latest, key)},
                      {"compatibility", text_or_null(levels, key)},
                      {"compatible", yes_or_null(compatible, key)},
                      {"candidate_compatible", yes_or_null(candidate, key)},
                      {"alert", state_or_null(alerts, key)}});
    }
    count_subjects(rows);
    cut(rows);
    return rows;
  }

  /// Of each (source, dataset): its checks. What a check has none of is null: a range is there of anomaly detection
  /// only, and not while it learns; the attributes are those of its check file.
  std::map<Key, json> checks() const {
    const Names by{"source", "dataset", "check"};
    const auto alerts = alerts_by(by);
    const auto values = newest_.sums("weir_check_value", by);
    const auto expected = newest_.sums("weir_check_expected", by);
    const auto low = newest_.sums("weir_check_expected_low", by);
    const auto high = newest_.sums("weir_check_expected_high", by);
    const auto score = newest_.sums("weir_check_anomaly_score", by);
    const auto states = states_of("weir_check_anomaly_state", by, "state");
    std::map<Key, core::Labels> info;
    for (const NewestSample& sample : newest_.of("weir_check_info")) info[key_of(sample.labels, by)] = sample.labels;
    const auto attribute = [&info](const Key& key, std::string_view name) {
      const auto found = info.find(key);
      return found == info.end() || !found->second.has(name) ? json(nullptr) : json(found->second.get(name));
    };
    std::map<Key, json> rows;
    for (const auto& [key, status] : newest_.sums("weir_check_status", by)) {
      static constexpr std::array<const char*, 4> kOutcomes{"pass", "warn", "fail", "error"};
      const auto outcome = static_cast<std::size_t>(std::clamp(status, 0.0, 3.0));
      rows[{key[0], key[1]}].push_back({{"check", key[2]},
                                        {"outcome", kOutcomes[outcome]},
                                        {"value", value_or_null(values, key)},
                                        {"expected", value_or_null(expected, key)},
                                        {"low", value_or_null(low, key)},
                                        {"high", value_or_null(high, key)},
                                        {"score", value_or_null(score, key)},
                                        {"state", text_or_null(states, key)},
                                        {"owner", attribute(key, "owner")},
                                        {"severity", attribute(key, "severity")},
                                        {"dimension", attribute(key, "dimension")},
                                        {"alert", state_or_null(alerts, key)}});
    }
    return rows;
  }

  json tables() {
    const Names by{"source", "dataset"};
    const auto alerts = alerts_by(by);
    const auto rows_of = newest_.sums("weir_dataset_row_count", by);
    const auto reused = newest_.sums("weir_dataset_scan_reused", by);
    const auto trends = newest_.trends("weir_dataset_row_count", by);
    std::map<Key, double> freshness;
    for (const NewestSample& sample : newest_.of("weir_dataset_freshness_seconds")) {
      const Key key = key_of(sample.labels, by);
      freshness[key] = std::max(value_or(freshness, key, sample.value), sample.value);
    }
    std::map<Key, json> checks = this->checks();
    for (const auto& [key, ignored] : rows_of) checks.try_emplace(key, json::array());
    json rows = json::array();
    for (const auto& [key, list] : checks) {
      rows.push_back({{"source", key[0]},
                      {"dataset", key[1]},
                      {"row_count", value_or_null(rows_of, key)},
                      {"freshness_seconds", value_or_null(freshness, key)},
                      {"scan_reused", reused.contains(key) ? json(value_or(reused, key, 0) == 1) : json(nullptr)},
                      {"alert", state_or_null(alerts, key)},
                      {"trend", trend(trends, key)},
                      {"checks", list}});
    }
    count_tables(rows);
    cut(rows);
    return rows;
  }

  const Backend& backend_;
  core::Time now_;
  Newest newest_;
  std::vector<core::Alert> alerts_;
  json totals_ = json::object();
  bool truncated_ = false;
};

}  // namespace

std::string overview(const Backend& backend, core::Time now) { return dump(Builder(backend, now).build()); }

}  // namespace weir::api
