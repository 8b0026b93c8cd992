#include "quality/import_collector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <glob.h>
#include <set>
#include <utility>

#include "config/reader.h"

namespace weir::quality {
namespace {

using core::Labels;

constexpr std::array kMetrics = {
    core::MetricInfo{"weir_check_status", core::MetricType::gauge,
                     "Outcome of a check: 0 pass, 1 warn, 2 fail, 3 could not be evaluated."},
    core::MetricInfo{"weir_check_value", core::MetricType::gauge, "What a check measured."},
    core::MetricInfo{"weir_check_results_age_seconds", core::MetricType::gauge,
                     "Seconds since imported results were made, of the oldest file."},
};

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
  explicit ResultsCollector(CheckResultsSettings settings)
      : settings_(std::move(settings)), name_("check_results/" + settings_.name) {}

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override { return kMetrics; }

  core::Result<core::Batch> collect(const core::CollectContext& context) override {
    core::Batch batch;
    std::set<std::string> present;
    for (const std::string& pattern : settings_.files) {
      const std::vector<std::string> files = matching(pattern);
      if (files.empty()) fault(core::ErrorKind::not_found, fmt::format("no file matches \"{}\"", pattern), batch);
      present.insert(files.begin(), files.end());
    }
    // What a file that is gone said stands, since a fault tells of it; one of several that a pattern found is done
    // with.
    if (batch.faults.empty()) std::erase_if(files_, [&](const auto& known) { return !present.contains(known.first); });
    for (const std::string& file : present) read(file, batch);
    if (files_.empty()) return std::unexpected(batch.faults.front().error);
    report(context.now, batch);
    return batch;
  }

 private:
  struct File {
    std::string text;  // when it was last read
    RunReport report;
  };

  void fault(core::ErrorKind kind, const std::string& message, core::Batch& batch) const {
    batch.faults.push_back({{kind, message, true, name_}, Labels{}.with("source", settings_.name)});
  }

  void read(const std::string& file, core::Batch& batch) {
    const ImportLimits limits;
    auto text = config::read_file(file, limits.bytes);
    if (!text) return fault(text.error().kind, fmt::format("{} {}", file, text.error().message), batch);
    const auto known = files_.find(file);
    if (known != files_.end() && known->second.text == *text) return;
    std::string manifest;
    if (!settings_.manifest.empty()) {
      if (auto found = config::read_file(settings_.manifest, limits.bytes)) manifest = std::move(*found);
      // Without it, or with half of it, tests would change their tables.
      if (manifest.empty()) return fault(core::ErrorKind::not_found, settings_.manifest + " cannot be read", batch);
    }
    auto report = import_results(
        *text, {.source = settings_.name, .file = file, .manifest = manifest, .format = settings_.format});
    if (!report) return fault(report.error().kind, fmt::format("{}: {}", file, report.error().message), batch);
    files_[file] = {std::move(*text), std::move(*report)};
  }

  void report(core::Time now, core::Batch& batch) {
    core::Time oldest = core::Time::max();
    std::set<Labels> emitted;
    for (const auto& [file, content] : files_) {
      oldest = std::min(oldest, content.report.started);
      for (const CheckResult& result : content.report.results) add(result, now, emitted, batch);
    }
    const double age = std::max(0.0, core::to_seconds(now - oldest));
    batch.samples.push_back({Labels::metric("weir_check_results_age_seconds", {{"source", settings_.name}}), now, age});
    if (settings_.max_age && now - oldest > *settings_.max_age) {
      fault(core::ErrorKind::unavailable,
            fmt::format("the results are from {}, older than {}", core::format_rfc3339(oldest),
                        core::format_duration(*settings_.max_age)),
            batch);
    }
  }

  void add(const CheckResult& result, core::Time now, std::set<Labels>& emitted, core::Batch& batch) {
    const Labels of_check =
        Labels{}.with("source", settings_.name).with("dataset", result.dataset).with("check", result.check);
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
  const std::string name_;
  std::map<std::string, File> files_;
  std::map<Labels, Outcome> last_;
};

CheckResultsSettings read_entry(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "check_results");
  CheckResultsSettings settings;
  const std::filesystem::path folder = std::filesystem::path(node.position().file).parent_path();
  settings.name = reader.required_text("name");
  reader.required_text("format");
  settings.format =
      parse_result_format(reader.choice("format", "dbt", {"dbt", "dbt_sources", "gx"})).value_or(ResultFormat::dbt);
  if (!reader.has("files")) reader.missing("files");
  for (const std::string& file : reader.text_list("files")) settings.files.push_back((folder / file).string());
  if (reader.has("files") && settings.files.empty()) reader.error("files", "name at least one file");
  if (const std::string manifest = reader.text("manifest"); !manifest.empty()) {
    settings.manifest = (folder / manifest).string();
    if (settings.format != ResultFormat::dbt) reader.error("manifest", "belongs to the format dbt");
  }
  settings.interval = reader.duration("interval", settings.interval);
  if (settings.interval < std::chrono::seconds(1) || settings.interval > std::chrono::days(7))
    reader.error("interval", "must be from 1s to 1w");
  if (reader.has("max_age")) settings.max_age = reader.duration("max_age", std::chrono::days(1));
  reader.finish();
  return settings;
}

}  // namespace

std::vector<CheckResultsSettings> parse_check_results_section(const config::Node& section,
                                                              config::Diagnostics& diagnostics) {
  std::vector<CheckResultsSettings> entries;
  if (section.is_null()) return entries;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(), fmt::format("check_results: expected a list, found {}", section.kind_name()));
    return entries;
  }
  for (const config::Node& item : section.items()) {
    CheckResultsSettings entry = read_entry(item, diagnostics);
    if (std::ranges::find(entries, entry.name, &CheckResultsSettings::name) != entries.end()) {
      diagnostics.error(item.position(), fmt::format("check_results: the name \"{}\" is given twice", entry.name));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::unique_ptr<core::Collector> make_results_collector(CheckResultsSettings settings) {
  return std::make_unique<ResultsCollector>(std::move(settings));
}

}  // namespace weir::quality
