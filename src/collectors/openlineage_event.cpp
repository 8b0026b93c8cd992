#include "collectors/openlineage_event.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "collectors/json_pointer.h"

namespace weir::collectors {
namespace {

using core::Error;
using core::ErrorKind;
using nlohmann::json;

constexpr std::array<std::string_view, 6> kStates{"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"};
constexpr std::size_t kMostErrorText = 2'000;

const json& at(const json& node, std::string_view key) {
  static const json kNull;
  if (!node.is_object()) return kNull;
  const auto found = node.find(key);
  return found == node.end() ? kNull : *found;
}

std::string text(const json& node, std::string_view key) {
  const json& value = at(node, key);
  return value.is_string() ? value.get<std::string>() : "";
}

/// A number that can be measured: finite and, for counts, not negative.
std::optional<double> number(const json& node, std::string_view key) {
  const json& value = at(node, key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) return std::nullopt;
  return value.get<double>();
}

std::optional<double> count(const json& node, std::string_view key) {
  const auto value = number(node, key);
  return value && *value >= 0 ? value : std::nullopt;
}

/// RFC 4122's form: 8-4-4-4-12 hexadecimal digits.
bool is_uuid(std::string_view value) {
  if (value.size() != 36) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? value[i] != '-' : std::isxdigit(static_cast<unsigned char>(value[i])) == 0) return false;
  }
  return true;
}

/// Reads one event; the first thing that is wrong ends it.
class EventReader {
 public:
  EventReader(const json& root, const OpenLineageLimits& limits) : root_(root), limits_(limits) {}

  core::Result<OpenLineageEvent> read() {
    if (!root_.is_object()) return wrong("an event is a JSON object");
    const bool run = at(root_, "run").is_object();
    const bool job = at(root_, "job").is_object();
    const bool dataset = at(root_, "dataset").is_object();
    if (!run && !job && !dataset)
      return wrong("an event has \"run\" and \"job\" (RunEvent), \"job\" (JobEvent) or \"dataset\" (DatasetEvent)");
    if (run && !job) return wrong("a RunEvent needs \"job\" with \"namespace\" and \"name\"");
    if (dataset && job) return wrong("an event has either \"dataset\" or \"job\", not both");
    event_.kind = run ? OpenLineageKind::run : job ? OpenLineageKind::job : OpenLineageKind::dataset;
    read_base();
    if (run) read_run();
    if (job) read_job();
    if (dataset) event_.outputs.push_back(read_dataset(at(root_, "dataset"), "dataset"));
    read_datasets("inputs", event_.inputs);
    read_datasets("outputs", event_.outputs);
    if (error_) return std::unexpected(*error_);
    return std::move(event_);
  }

 private:
  std::unexpected<Error> wrong(const std::string& message) const { return core::fail(ErrorKind::invalid, message); }

  void note(ErrorKind kind, std::string message) {
    if (!error_) error_ = core::fail(kind, std::move(message)).error();
  }

  /// A text that must be there.
  std::string required(const json& node, std::string_view key, std::string_view where) {
    const json& value = at(node, key);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
      note(ErrorKind::invalid, fmt::format("{}\"{}\" is missing or no text", where, key));
      return {};
    }
    std::string found = value.get<std::string>();
    if (found.size() > limits_.text) {
      note(ErrorKind::limit, fmt::format("{}\"{}\" is longer than {} bytes", where, key, limits_.text));
      found.clear();
    }
    return found;
  }

  void read_base() {
    const std::string time = required(root_, "eventTime", "");
    const auto parsed = core::parse_iso_time(time);
    if (!parsed && !time.empty())
      note(ErrorKind::invalid, fmt::format("\"eventTime\": \"{}\" is no time of RFC 3339", time));
    event_.time = parsed.value_or(core::Time{});
    (void)required(root_, "producer", "");
    // Clients of the releases before 1.0 leave it out; without, the shape tells what the event is.
    const json& schema = at(root_, "schemaURL");
    if (!schema.is_null() && !schema.is_string()) note(ErrorKind::invalid, "\"schemaURL\" is no text");
  }

  void read_run() {
    const json& run = at(root_, "run");
    event_.run = required(run, "runId", "run: ");
    if (!event_.run.empty() && !is_uuid(event_.run))
      note(ErrorKind::invalid, fmt::format("run: \"runId\": \"{}\" is no UUID", event_.run));
    const json& type = at(root_, "eventType");
    event_.state = type.is_null() ? "OTHER" : text(root_, "eventType");
    if (std::ranges::find(kStates, event_.state) == kStates.end())
      note(ErrorKind::invalid, "\"eventType\" is none of START, RUNNING, COMPLETE, ABORT, FAIL, OTHER");
    event_.error = text(at(at(run, "facets"), "errorMessage"), "message").substr(0, kMostErrorText);
  }

  void read_job() {
    event_.job_namespace = required(at(root_, "job"), "namespace", "job: ");
    event_.job_name = required(at(root_, "job"), "name", "job: ");
  }

  void read_datasets(const char* key, std::vector<OpenLineageDataset>& datasets) {
    const json& list = at(root_, key);
    if (list.is_null()) return;
    if (!list.is_array()) return note(ErrorKind::invalid, fmt::format("\"{}\" is no list", key));
    if (list.size() > limits_.datasets)
      return note(ErrorKind::limit, fmt::format("\"{}\" has more than {} datasets", key, limits_.datasets));
    for (std::size_t i = 0; i < list.size() && !error_; ++i)
      datasets.push_back(read_dataset(list[i], fmt::format("{}[{}]", key, i)));
  }

  OpenLineageDataset read_dataset(const json& node, const std::string& where) {
    OpenLineageDataset dataset;
    if (!node.is_object()) {
      note(ErrorKind::invalid, where + " is no object");
      return dataset;
    }
    dataset.name_space = required(node, "namespace", where + ": ");
    dataset.name = required(node, "name", where + ": ");
    const json& facets = at(node, "facets");
    read_lineage(at(facets, "columnLineage"), dataset);
    // The facets about quality are of inputs; some producers put them with those of the dataset.
    for (const json* of : {&facets, &at(node, "inputFacets"), &at(node, "outputFacets")}) {
      read_metrics(at(*of, "dataQualityMetrics"), dataset);
      read_assertions(at(*of, "dataQualityAssertions"), dataset);
    }
    const json& written = at(at(node, "outputFacets"), "outputStatistics");
    dataset.written_rows = count(written, "rowCount");
    dataset.written_bytes = count(written, "size");
    return dataset;
  }

  bool fits(const std::string& name) const { return !name.empty() && name.size() <= limits_.text; }

  void read_lineage(const json& facet, OpenLineageDataset& dataset) const {
    for (const auto& [column, field] : at(facet, "fields").items()) {
      if (dataset.made_of.size() >= limits_.columns) return;
      if (!fits(column) || !at(field, "inputFields").is_array()) continue;
      std::vector<OpenLineageInput>& inputs = dataset.made_of[column];
      for (const json& each : at(field, "inputFields")) {
        OpenLineageInput input{text(each, "namespace"), text(each, "name"), text(each, "field")};
        const bool known = fits(input.name_space) && fits(input.name) && fits(input.field);
        if (known && inputs.size() < limits_.columns) inputs.push_back(std::move(input));
      }
    }
  }

  void read_metrics(const json& facet, OpenLineageDataset& dataset) const {
    if (!facet.is_object()) return;
    dataset.rows = count(facet, "rowCount");
    dataset.bytes = count(facet, "bytes");
    for (const auto& [column, metrics] : at(facet, "columnMetrics").items()) {
      if (dataset.columns.size() >= limits_.columns) return;
      if (!fits(column) || !metrics.is_object()) continue;
      dataset.columns[column] = {count(metrics, "nullCount"), count(metrics, "distinctCount"), number(metrics, "min"),
                                 number(metrics, "max")};
    }
  }

  void read_assertions(const json& facet, OpenLineageDataset& dataset) const {
    const json& list = at(facet, "assertions");
    if (!list.is_array()) return;
    for (const json& each : list) {
      if (dataset.assertions.size() >= limits_.assertions) return;
      const std::string kind = text(each, "assertion");
      const json& success = at(each, "success");
      if (!fits(kind) || !success.is_boolean()) continue;
      OpenLineageAssertion assertion;
      assertion.column = text(each, "column");
      assertion.name = text(each, "name");
      if (!fits(assertion.name))
        assertion.name = assertion.column.empty() ? kind : fmt::format("{}({})", kind, assertion.column);
      assertion.success = success.get<bool>();
      assertion.warns = text(each, "severity") == "warn";
      assertion.description = text(each, "description").substr(0, limits_.text);
      dataset.assertions.push_back(std::move(assertion));
    }
  }

  const json& root_;
  const OpenLineageLimits& limits_;
  OpenLineageEvent event_;
  std::optional<Error> error_;
};

}  // namespace

core::Result<OpenLineageEvent> parse_openlineage(const std::string& body, const OpenLineageLimits& limits) {
  const auto root = parse_json(body, limits.depth);
  if (!root) {
    const bool deep = root.error().kind == ErrorKind::limit;
    return core::fail(deep ? ErrorKind::limit : ErrorKind::invalid,
                      deep ? fmt::format("the event is nested deeper than {} levels", limits.depth)
                           : std::string("the body is no JSON, or cut off"));
  }
  try {
    return EventReader(*root, limits).read();
  } catch (const json::exception& error) {
    return core::fail(ErrorKind::invalid, fmt::format("the event has another shape than is known: {}", error.what()));
  }
}

}  // namespace weir::collectors
