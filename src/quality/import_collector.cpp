#include "quality/import_collector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <glob.h>
#include <set>
#include <utility>

#include "config/reader_checks.h"
#include "core/clock_skew.h"
#include "quality/dbt_artifacts.h"

namespace weir::quality {
namespace {

using core::Labels;

constexpr std::array kMetrics = {
    core::MetricInfo{"weir_check_status", core::MetricType::gauge,
                     "Outcome of a check: 0 pass, 1 warn, 2 fail, 3 could not be evaluated."},
    core::MetricInfo{"weir_check_value", core::MetricType::gauge, "What a check measured."},
    core::MetricInfo{"weir_check_results_age_seconds", core::MetricType::gauge,
                     "Seconds since imported results were made, of the oldest file."},
    core::MetricInfo{"weir_dbt_run_seconds", core::MetricType::gauge,
                     "How long dbt's last run took, of the longest file."},
    core::MetricInfo{"weir_dbt_node_execution_seconds", core::MetricType::gauge,
                     "How long a node of dbt took in its last run."},
    core::MetricInfo{"weir_dbt_node_rows", core::MetricType::gauge, "Rows that a node of dbt wrote in its last run."},
    core::MetricInfo{"weir_dbt_node_completed_timestamp_seconds", core::MetricType::gauge,
                     "When a node of dbt was last done."},
};

bool is_url(std::string_view place) { return place.starts_with("http://") || place.starts_with("https://"); }

/// Of a URL what holds no token.
std::string shown(const std::string& place) { return is_url(place) ? place.substr(0, place.find('?')) : place; }

std::vector<std::string> matching(const std::string& pattern) {
  std::vector<std::string> files;
  ::glob_t found = {};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  return files;
}

class ResultsCollector final : public core::Collector {
 public:
  ResultsCollector(CheckResultsSettings settings, FetchFile fetch)
      : settings_(std::move(settings)), fetch_(std::move(fetch)), name_("check_results/" + settings_.name) {}

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override { return kMetrics; }

  core::Result<core::Batch> collect(const core::CollectContext& context) override {
    core::Batch batch;
    std::set<std::string> present;
    for (const std::string& pattern : settings_.files) {
      const std::vector<std::string> files = is_url(pattern) ? std::vector{pattern} : matching(pattern);
      if (files.empty()) fault(core::ErrorKind::not_found, fmt::format("no file matches \"{}\"", pattern), batch);
      present.insert(files.begin(), files.end());
    }
    // What a file that is gone said stands, since a fault tells of it; one of several that a pattern found is done
    // with.
    if (batch.faults.empty()) std::erase_if(files_, [&](const auto& known) { return !present.contains(known.first); });
    const bool complete = settings_.manifest.empty() || read_manifest(context, batch);
    for (const std::string& file : present) read(file, complete, context, batch);
    if (files_.empty()) return std::unexpected(batch.faults.front().error);
    report(context.now, batch);
    batch.edges = edges_;
    return batch;
  }

 private:
  struct File {
    std::string text;  // when it was last read
    RunReport report;
    DbtRuns runs;
    core::Time seen;  // first
  };

  void fault(core::ErrorKind kind, const std::string& message, core::Batch& batch) const {
    // What is said of the warehouse's tables keeps its state too.
    std::set<std::string> hidden{settings_.name};
    if (!settings_.warehouse.empty()) hidden.insert(settings_.warehouse);
    for (const std::string& source : hidden)
      batch.faults.push_back({{kind, message, true, name_}, Labels{}.with("source", source)});
  }

  core::Result<std::string> load(const std::string& place, const core::CollectContext& context) const {
    constexpr std::size_t kMostBytes = ImportLimits{}.bytes;
    if (!is_url(place)) return config::read_file(place, kMostBytes);
    if (!fetch_) return core::fail(core::ErrorKind::invalid, "cannot be fetched here");
    return fetch_(place, settings_.login, kMostBytes, context);
  }

  ImportSettings import_settings(const std::string& file) const {
    return {.source = settings_.name,
            .file = file,
            .manifest = manifest_,
            .format = settings_.format,
            .warehouse = settings_.warehouse,
            .tables = settings_.tables};
  }

  /// False where there is none: tests would change their tables.
  bool read_manifest(const core::CollectContext& context, core::Batch& batch) {
    auto text = load(settings_.manifest, context);
    if (!text || text->empty()) {
      const std::string why = text ? "it is empty" : text.error().message;
      fault(core::ErrorKind::not_found, fmt::format("{} cannot be read: {}", shown(settings_.manifest), why), batch);
      return !manifest_.empty();
    }
    if (*text != manifest_) {
      for (auto& [file, content] : files_) content.text.clear();  // their tables may have other names now
      manifest_ = std::move(*text);
      lineage_error_.clear();
      if (settings_.format == ResultFormat::dbt) {
        auto edges = dbt_edges(import_settings({}));
        if (!edges) lineage_error_ = edges.error().message;
        if (edges) edges_ = std::move(*edges);
      }
    }
    if (!lineage_error_.empty())
      fault(core::ErrorKind::invalid, fmt::format("{}: {}", shown(settings_.manifest), lineage_error_), batch);
    return true;
  }

  void read(const std::string& file, bool complete, const core::CollectContext& context, core::Batch& batch) {
    auto text = load(file, context);
    if (!text) return fault(text.error().kind, fmt::format("{} {}", shown(file), text.error().message), batch);
    const auto known = files_.find(file);
    if (!complete || (known != files_.end() && known->second.text == *text)) return;
    const ImportSettings settings = import_settings(shown(file));
    auto report = import_results(*text, settings);
    if (!report) return fault(report.error().kind, fmt::format("{}: {}", shown(file), report.error().message), batch);
    DbtRuns runs;
    if (settings_.format == ResultFormat::dbt) runs = dbt_runs(*text, settings).value_or(DbtRuns{});
    const bool same = known != files_.end() && known->second.report.started == report->started;
    const core::Time seen = same ? known->second.seen : context.now;
    files_[file] = {std::move(*text), std::move(*report), std::move(runs), seen};
  }

  void report(core::Time now, core::Batch& batch) {
    core::Time oldest = core::Time::max();
    double longest = 0;
    bool ahead = false;
    std::set<Labels> emitted;
    for (const auto& [file, content] : files_) {
      // By a clock that is wrong; they were made before they were seen.
      oldest = std::min({oldest, content.report.started, content.seen});
      ahead = note_ahead(file, content, now, batch) || ahead;
      for (const CheckResult& result : content.report.results) add(result, now, emitted, batch);
      for (const DbtNodeRun& run : content.runs.nodes) add(run, now, emitted, batch);
      longest = std::max(longest, content.runs.seconds);
    }
    if (settings_.format == ResultFormat::dbt) {
      batch.samples.push_back({Labels::metric("weir_dbt_run_seconds", {{"source", settings_.name}}), now, longest});
    }
    const Labels age = Labels::metric("weir_check_results_age_seconds", {{"source", settings_.name}});
    if (!ahead) batch.samples.push_back({age, now, std::max(0.0, core::to_seconds(now - oldest))});
    if (settings_.max_age && now - oldest > *settings_.max_age) {
      fault(core::ErrorKind::unavailable,
            fmt::format("the results are from {}, older than {}", core::format_rfc3339(oldest),
                        core::format_duration(*settings_.max_age)),
            batch);
    }
  }

  /// True when the results are dated ahead of now.
  bool note_ahead(const std::string& file, const File& content, core::Time now, core::Batch& batch) const {
    const core::Time made = content.report.started;
    if (!core::is_ahead(made, now)) return false;
    fault(core::ErrorKind::protocol,
          fmt::format("{}: the results are of {}, {}, so their age cannot be told; set the clock that is wrong",
                      shown(file), core::format_rfc3339(made), core::off_by(made, now)),
          batch);
    return true;
  }

  void add(const DbtNodeRun& run, core::Time now, std::set<Labels>& emitted, core::Batch& batch) const {
    const Labels of_node{{"source", settings_.name}, {"node", run.id}, {"kind", run.kind}, {"dataset", run.table}};
    if (!emitted.insert(of_node).second) return;
    const auto add = [&](std::string_view metric, double value) {
      if (std::isfinite(value)) batch.samples.push_back({of_node.with(core::kMetricName, metric), now, value});
    };
    add("weir_dbt_node_execution_seconds", run.seconds);
    if (run.rows && *run.rows >= 0) add("weir_dbt_node_rows", *run.rows);
    if (run.completed && !core::is_ahead(*run.completed, now))
      add("weir_dbt_node_completed_timestamp_seconds", core::to_seconds(*run.completed));
  }

  void add(const CheckResult& result, core::Time now, std::set<Labels>& emitted, core::Batch& batch) {
    const Labels of_check =
        Labels{}.with("source", result.source).with("dataset", result.dataset).with("check", result.check);
    const Labels status = of_check.with(core::kMetricName, "weir_check_status");
    if (!emitted.insert(status).second) return;  // two files say it: the first by name counts
    batch.samples.push_back({status, now, static_cast<double>(result.outcome)});
    if (result.value && std::isfinite(*result.value)) {
      batch.samples.push_back({of_check.with(core::kMetricName, "weir_check_value"), now, *result.value});
    }
    const auto [known, first] = last_.emplace(status, Outcome::pass);
    const Outcome before = std::exchange(known->second, result.outcome);
    if (before == result.outcome) return;
    const bool recovered = result.outcome == Outcome::pass;
    batch.events.push_back({now, recovered ? "check_recovered" : "check_failed",
                            of_check.with("outcome", to_string(result.outcome)),
                            fmt::format("{}: check \"{}\"{}: {}", result.dataset, result.check,
                                        recovered ? " passes again" : "", result.message)});
  }

  const CheckResultsSettings settings_;
  const FetchFile fetch_;
  const std::string name_;
  std::string manifest_;           // its text when it was last read
  std::vector<core::Edge> edges_;  // by it
  std::string lineage_error_;      // why it gives none
  std::map<std::string, File> files_;
  std::map<Labels, Outcome> last_;
};

/// A path from the folder of the file, or a URL as it is.
std::string placed(const std::filesystem::path& folder, const std::string& given) {
  return is_url(given) ? given : (folder / given).string();
}

void read_dbt_keys(config::MapReader& reader, const std::filesystem::path& folder,
                   const std::vector<std::string>& sources, CheckResultsSettings& settings) {
  const bool dbt = settings.format != ResultFormat::gx;
  if (const std::string manifest = reader.text("manifest"); !manifest.empty()) {
    settings.manifest = placed(folder, manifest);
    if (!dbt) reader.error("manifest", "belongs to the format dbt");
  }
  settings.warehouse = reader.text("warehouse");
  if (settings.warehouse.empty()) return;
  const bool any = std::ranges::find(sources, "") != sources.end();
  if (!dbt) {
    reader.error("warehouse", "belongs to the format dbt");
  } else if (settings.manifest.empty()) {
    reader.error("warehouse", "needs the manifest, which says what the tables are called");
  } else if (!any && std::ranges::find(sources, settings.warehouse) == sources.end()) {
    reader.error("warehouse", fmt::format("there is no source \"{}\"{}", settings.warehouse,
                                          config::did_you_mean(settings.warehouse, sources)));
  }
}

void read_login(config::MapReader& reader, CheckResultsSettings& settings) {
  settings.login.bearer_token = reader.secret("bearer_token");
  settings.login.ca_file = config::file_path(reader, "ca_file");
  settings.login.timeout = reader.duration("request_timeout", settings.login.timeout);
  if (settings.login.timeout < std::chrono::milliseconds(100))
    reader.error("request_timeout", "must be at least 100ms");
  const bool remote = is_url(settings.manifest) || std::ranges::any_of(settings.files, is_url);
  for (const char* key : {"bearer_token", "bearer_token_file", "ca_file", "request_timeout"}) {
    if (!remote && reader.has(key)) reader.error(key, "is for files that are fetched from a URL");
  }
}

CheckResultsSettings read_entry(const config::Node& node, config::Diagnostics& diagnostics,
                                const std::vector<std::string>& sources) {
  config::MapReader reader(node, diagnostics, "check_results");
  CheckResultsSettings settings;
  const std::filesystem::path folder = std::filesystem::path(node.position().file).parent_path();
  settings.name = reader.required_text("name");
  reader.required_text("format");
  settings.format =
      parse_result_format(reader.choice("format", "dbt", {"dbt", "dbt_sources", "gx"})).value_or(ResultFormat::dbt);
  if (!reader.has("files")) reader.missing("files");
  for (const std::string& file : reader.text_list("files")) settings.files.push_back(placed(folder, file));
  if (reader.has("files") && settings.files.empty()) reader.error("files", "name at least one file");
  read_dbt_keys(reader, folder, sources, settings);
  read_login(reader, settings);
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1) || settings.interval > std::chrono::days(7))
    reader.error("interval", "must be from 1s to 1w");
  if (reader.has("max_age")) settings.max_age = reader.duration("max_age", std::chrono::days(1));
  reader.finish();
  return settings;
}

}  // namespace

std::vector<CheckResultsSettings> parse_check_results_section(const config::Node& section,
                                                              config::Diagnostics& diagnostics,
                                                              const std::vector<std::string>& sources) {
  std::vector<CheckResultsSettings> entries;
  if (section.is_null()) return entries;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(), fmt::format("check_results: expected a list, found {}", section.kind_name()));
    return entries;
  }
  for (const config::Node& item : section.items()) {
    CheckResultsSettings entry = read_entry(item, diagnostics, sources);
    if (std::ranges::find(entries, entry.name, &CheckResultsSettings::name) != entries.end()) {
      diagnostics.error(item.position(), fmt::format("check_results: the name \"{}\" is given twice", entry.name));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::unique_ptr<core::Collector> make_results_collector(CheckResultsSettings settings, FetchFile fetch) {
  return std::make_unique<ResultsCollector>(std::move(settings), std::move(fetch));
}

}  // namespace weir::quality
