#include <nlohmann/json.hpp>

#include "collectors/json_pointer.h"
#include "collectors/openlineage_state.h"

// The state as JSON, for the next start. Times are milliseconds since 1970.
namespace weir::collectors {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kDeepest = 16;

json time_json(core::Time time) { return time.time_since_epoch().count(); }
core::Time time_of(const json& value) { return core::Time(core::Duration(value.get<std::int64_t>())); }

template <class Value, class Write>
void put(json& to, const char* key, const std::optional<Value>& value, Write write) {
  if (value) to[key] = write(*value);
}
void put(json& to, const char* key, const std::optional<double>& value) {
  if (value) to[key] = *value;
}
std::optional<core::Time> maybe_time(const json& from, const char* key) {
  return from.contains(key) ? std::optional(time_of(from.at(key))) : std::nullopt;
}
std::optional<double> maybe_number(const json& from, const char* key) {
  return from.contains(key) ? std::optional(from.at(key).get<double>()) : std::nullopt;
}

json node_json(const core::Node& node) { return {node.kind, node.place, node.name}; }
core::Node node_from(const json& value) {
  return {value.at(0).get<std::string>(), value.at(1).get<std::string>(), value.at(2).get<std::string>()};
}

json job_json(const std::pair<std::string, std::string>& key, const OpenLineageJob& job) {
  json row = {{"namespace", key.first}, {"name", key.second},    {"last_failed", job.last_failed},
              {"done", job.done},       {"stuck", job.stuck},    {"counts", job.counts},
              {"open", json::object()}, {"ways", json::array()}, {"heard", time_json(job.heard)}};
  put(row, "started", job.started, time_json);
  put(row, "completed", job.completed, time_json);
  put(row, "failed", job.failed, time_json);
  put(row, "ended", job.ended, time_json);
  put(row, "duration", job.duration);
  for (const auto& [run, began] : job.open) row["open"][run] = time_json(began);
  for (const auto& [way, seen] : job.ways)
    row["ways"].push_back({node_json(way.first), node_json(way.second), time_json(seen)});
  return row;
}

OpenLineageJob job_of(const json& row) {
  OpenLineageJob job;
  job.labels = core::Labels{{"job_namespace", row.at("namespace").get<std::string>()},
                            {"job_name", row.at("name").get<std::string>()}};
  job.started = maybe_time(row, "started");
  job.completed = maybe_time(row, "completed");
  job.failed = maybe_time(row, "failed");
  job.ended = maybe_time(row, "ended");
  job.duration = maybe_number(row, "duration");
  job.last_failed = row.at("last_failed").get<bool>();
  job.done = row.at("done").get<std::deque<std::string>>();
  job.stuck = row.at("stuck").get<std::set<std::string>>();
  job.counts = row.at("counts").get<std::map<std::string, std::uint64_t>>();
  for (const auto& [run, began] : row.at("open").items()) job.open[run] = time_of(began);
  for (const json& way : row.at("ways")) job.ways[{node_from(way.at(0)), node_from(way.at(1))}] = time_of(way.at(2));
  job.heard = time_of(row.at("heard"));
  return job;
}

json dataset_json(const core::Node& node, const OpenLineageDatasetState& dataset) {
  json row = {{"node", node_json(node)},          {"measured", time_json(dataset.measured)},
              {"columns", json::object()},        {"written", time_json(dataset.written)},
              {"checks", json::object()},         {"made_of", json::array()},
              {"heard", time_json(dataset.heard)}};
  put(row, "rows", dataset.newest.rows);
  put(row, "bytes", dataset.newest.bytes);
  put(row, "written_rows", dataset.newest.written_rows);
  put(row, "written_bytes", dataset.newest.written_bytes);
  for (const auto& [column, metrics] : dataset.newest.columns) {
    json& of = row["columns"][column] = json::object();
    put(of, "nulls", metrics.nulls);
    put(of, "distinct", metrics.distinct);
    put(of, "min", metrics.least);
    put(of, "max", metrics.most);
  }
  for (const auto& [check, state] : dataset.checks) row["checks"][check] = {state.outcome, time_json(state.time)};
  for (const auto& [from, links] : dataset.made_of) {
    for (const auto& [link, seen] : links)
      row["made_of"].push_back({node_json(from), link.from, link.to, time_json(seen)});
  }
  return row;
}

OpenLineageDatasetState dataset_of(const json& row) {
  OpenLineageDatasetState dataset;
  dataset.measured = time_of(row.at("measured"));
  dataset.written = time_of(row.at("written"));
  dataset.heard = time_of(row.at("heard"));
  dataset.newest.rows = maybe_number(row, "rows");
  dataset.newest.bytes = maybe_number(row, "bytes");
  dataset.newest.written_rows = maybe_number(row, "written_rows");
  dataset.newest.written_bytes = maybe_number(row, "written_bytes");
  for (const auto& [column, of] : row.at("columns").items()) {
    dataset.newest.columns[column] = {maybe_number(of, "nulls"), maybe_number(of, "distinct"), maybe_number(of, "min"),
                                      maybe_number(of, "max")};
  }
  for (const auto& [check, state] : row.at("checks").items())
    dataset.checks[check] = {state.at(0).get<int>(), time_of(state.at(1))};
  for (const json& link : row.at("made_of")) {
    const core::ColumnLink columns{link.at(1).get<std::string>(), link.at(2).get<std::string>()};
    dataset.made_of[node_from(link.at(0))][columns] = time_of(link.at(3));
  }
  return dataset;
}

}  // namespace

std::string OpenLineageState::to_text() {
  changed_ = false;
  json page = {{"version", kVersion}, {"jobs", json::array()}, {"datasets", json::array()}};
  for (const auto& [key, job] : jobs_) page["jobs"].push_back(job_json(key, job));
  for (const auto& [node, dataset] : datasets_) page["datasets"].push_back(dataset_json(node, dataset));
  return page.dump(-1, ' ', false, json::error_handler_t::replace);
}

core::Result<void> OpenLineageState::restore(const std::string& text) {
  const auto page = parse_json(text, kDeepest);
  decltype(jobs_) jobs;
  decltype(datasets_) datasets;
  try {
    if (!page || page->at("version").get<int>() != kVersion)
      return core::fail(core::ErrorKind::storage, "what was known of OpenLineage's jobs is of another version");
    for (const json& row : page->at("jobs"))
      jobs[{row.at("namespace").get<std::string>(), row.at("name").get<std::string>()}] = job_of(row);
    for (const json& row : page->at("datasets")) datasets[node_from(row.at("node"))] = dataset_of(row);
  } catch (const json::exception& error) {
    return core::fail(core::ErrorKind::storage,
                      std::string("what was known of OpenLineage's jobs cannot be read: ") + error.what());
  }
  jobs_ = std::move(jobs);
  datasets_ = std::move(datasets);
  count();
  return {};
}

}  // namespace weir::collectors
