#include "quality/anomaly_check.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "quality/anomaly_settings.h"
#include "quality/check_parser.h"
#include "quality/user_metric.h"

namespace weir::quality {
namespace {

using anomaly::Assessment;
using anomaly::State;

constexpr std::string_view kBeginning = "anomaly detection for";

class AnomalyDetection final : public Probe {
 public:
  AnomalyDetection(ProbePtr metric, AnomalySettings settings)
      : metric_(std::move(metric)), settings_(std::move(settings)) {}

  std::string text() const override { return fmt::format("{} {}", kBeginning, metric_->text()); }
  std::string identity() const override { return fmt::format("{} {}", kBeginning, metric_->identity()); }
  std::vector<std::string> columns() const override { return metric_->columns(); }
  Unit unit() const override { return metric_->unit(); }
  Needs needs(const Dataset& dataset, const sql::Dialect& dialect) const override {
    return metric_->needs(dataset, dialect);
  }
  Measured measure(const Findings& findings) const override { return metric_->measure(findings); }
  std::string_view series() const override { return metric_->series(); }
  std::optional<double> series_value(const Findings& findings) const override {
    return metric_->series_value(findings);
  }
  std::optional<core::Time> newest(const Findings& findings) const override { return metric_->newest(findings); }
  std::size_t history() const override { return settings_.detector.max_points + 1; }
  bool foresees() const override { return true; }

  Verdict verdict(const Check& check, const Findings& findings) const override {
    const Measured measured = measure(findings);
    if (!measured.value) return cannot_tell(check, measured.problem);
    std::vector<anomaly::Point> past;
    past.reserve(findings.history.size());
    for (const core::Measurement& each : findings.history) {
      past.push_back({each.time, each.value, each.mark, each.feedback});
    }
    const core::Time at = bucket(findings.load.value_or(findings.now));
    const Assessment found = anomaly::assess(past, {at, *measured.value}, settings_.detector);
    if (found.state == State::unknown) return cannot_tell(check, metric_->text() + " " + found.sentence);
    Verdict verdict;
    verdict.outcome = outcome(found, *measured.value);
    verdict.value = measured.value;
    verdict.message = fmt::format("{}: {}", check.measure(), found.sentence);
    verdict.learning = found.state == State::learning;
    verdict.measurement = core::Measurement{"", at, *measured.value, found.mark};
    verdict.foresight =
        Foresight{anomaly::to_string(found.state), found.judged(), found.expected, found.low, found.high, found.score};
    return verdict;
  }

 private:
  core::Time bucket(core::Time time) const {
    const core::Duration offset = settings_.daily ? settings_.detector.zone.offset(time) : core::Duration(0);
    const auto whole = (time + offset).time_since_epoch() / settings_.frequency;
    return core::Time(whole * settings_.frequency) - offset;
  }

  /// A new level warns once: what began as an incident is taken for usual from now on.
  Outcome outcome(const Assessment& found, double value) const {
    if (found.state == State::level_shift) return Outcome::warn;
    if (found.state != State::anomalous) return Outcome::pass;
    const double beyond = value > found.high ? value - found.high : found.low - value;
    const bool near = beyond <= settings_.warning_ratio * (found.high - found.low);
    return near || settings_.warn_only ? Outcome::warn : Outcome::fail;
  }

  ProbePtr metric_;
  AnomalySettings settings_;
};

/// The metric's own parser, given the line from its word on; blanks before it keep the offsets of messages right.
ProbePtr parse_metric(ProbeContext& context) {
  const std::string& text = context.line.text();
  const std::string padded = std::string(kBeginning.size(), ' ') + text.substr(kBeginning.size());
  auto expression = parse_expression(padded);
  if (!expression) {
    context.error(expression.error().offset, expression.error().message);
    return nullptr;
  }
  if (expression->change || expression->condition) {
    context.error(expression->condition ? expression->condition_offset : kBeginning.size() + 1,
                  "what is expected comes from the history; write just the metric, such as row_count or avg(amount)");
    return nullptr;
  }
  const config::Node rest = config::Node::scalar(padded, context.line.position());
  ProbeContext inner{rest,          context.settings,    context.reader, *expression,   context.check,
                     context.table, context.diagnostics, context.what,   context.around};
  if (is_user_metric(rest, context.settings)) return parse_user_metric(inner);
  const auto form = std::ranges::find(metric_forms(), expression->metric, &MetricForm::word);
  if (form != metric_forms().end()) return form->parse(inner);
  std::vector<std::string> words;
  for (const MetricForm& each : metric_forms()) words.emplace_back(each.word);
  context.error(expression->metric_offset, fmt::format("unknown metric \"{}\"{}", expression->metric,
                                                       config::did_you_mean(expression->metric, words)));
  return nullptr;
}

/// What can be below or above the numbers a metric gives.
void set_bounds(const Probe& metric, anomaly::Settings& detector) {
  const std::string text = metric.text();
  const bool counts = text == "row_count" || text.find("_count") != std::string::npos;
  if (counts || metric.unit() != Unit::plain) detector.lower_bound = 0;
  if (metric.unit() == Unit::percent) detector.upper_bound = 100;
  if (text == "row_count") detector.unit = "rows";
  if (metric.unit() == Unit::percent) detector.unit = "percent";
  if (metric.unit() == Unit::duration) detector.unit = "seconds";
}

}  // namespace

bool is_anomaly_check(const config::Node& line, const config::Node&) {
  return line.text() == kBeginning || line.text().starts_with(std::string(kBeginning) + " ");
}

ProbePtr parse_anomaly_check(ProbeContext& context) {
  AnomalySettings settings = read_anomaly_settings(context.reader);
  ProbePtr metric = parse_metric(context);
  if (metric == nullptr) return nullptr;
  if (metric->grouped() || metric->keeps() || metric->history() > 0) {
    context.error(kBeginning.size() + 1, fmt::format("{} gives no one number to learn from", metric->text()));
    return nullptr;
  }
  set_bounds(*metric, settings.detector);
  return std::make_shared<AnomalyDetection>(std::move(metric), std::move(settings));
}

}  // namespace weir::quality
