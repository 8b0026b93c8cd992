#include "rules/unit_test.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <variant>

#include "promql/engine.h"
#include "promql/format.h"
#include "rules/evaluator.h"
#include "rules/unit_test_diff.h"

namespace weir::rules {
namespace {

constexpr std::int64_t kMostEvaluations = 1'000'000;

TextMap text_map(const core::Labels& labels) {
  TextMap map;
  for (const auto& [name, value] : labels) map.emplace(name, value);
  return map;
}

struct Sample {
  core::Labels labels;
  double value = 0;
  bool comparable = true;
};

class TestRun {
 public:
  TestRun(const UnitTestFile& file, const UnitTest& test)
      : file_(file),
        test_(test),
        evaluator_(file.groups, {.limits = {.subquery_step = file.evaluation_interval},
                                 .external_labels = test.external_labels,
                                 .external_url = test.external_url,
                                 .missing_is_false = true}),
        feed_(test.input.series, test.interval) {
    outcome_.name = test.name;
    outcome_.position = test.position;
  }

  UnitTestOutcome run() {
    for (const config::Diagnostic& mistake : test_.input.mistakes) fail(mistake.position, mistake.message);
    for (const AlertCheck& check : test_.alerts) {
      if (check.alertname.empty()) fail(check.position, "key \"alertname\" is missing");
    }
    if (outcome_.passed() && run_rules()) {
      for (const ExpressionCheck& check : test_.expressions) check_expression(check);
    }
    return std::move(outcome_);
  }

 private:
  void fail(const config::Position& position, std::string message, std::vector<std::string> diff = {}) {
    outcome_.failures.push_back({position, std::move(message), std::move(diff)});
  }

  /// False when a rule could not be evaluated: what follows would mean nothing.
  bool run_rules() {
    const core::Duration interval = file_.evaluation_interval;
    const core::Duration last = test_.last_eval_time();
    if (last / interval > kMostEvaluations) {
      fail(test_.position,
           fmt::format("more than {} evaluations: raise evaluation_interval, or test for a shorter time",
                       kMostEvaluations));
      return false;
    }
    std::vector<const AlertCheck*> checks;
    for (const AlertCheck& check : test_.alerts) checks.push_back(&check);
    std::ranges::stable_sort(checks, {}, &AlertCheck::eval_time);
    auto next = checks.begin();
    for (core::Duration passed{0}; passed <= last; passed += interval) {
      if (!evaluate(core::Time(passed))) return false;
      for (; next != checks.end() && (*next)->eval_time < passed + interval; ++next) check_alerts(**next);
    }
    return true;
  }

  bool evaluate(core::Time now) {
    if (auto fed = feed_.feed_until(now, source_); !fed) fail(test_.position, fed.error().describe());
    const std::size_t before = outcome_.failures.size();
    for (std::size_t group = 0; group < file_.groups.size(); ++group) {
      const Evaluation evaluation = evaluator_.evaluate(group, source_, now);
      for (const core::Error& error : evaluation.errors) fail_at(now, error.describe());
      for (const core::Sample& sample : evaluation.batch.samples) {
        const auto stored = source_.append(sample.labels, sample.time, sample.value);
        // A marker for what another rule records too is no mistake.
        if (!stored && !core::is_stale_marker(sample.value))
          fail_at(now, fmt::format("group \"{}\": {}", file_.groups[group].name, stored.error().message));
      }
    }
    return outcome_.failures.size() == before;
  }

  void fail_at(core::Time now, const std::string& message) {
    fail(test_.position, fmt::format("at {}: {}", core::format_duration(now.time_since_epoch()), message));
  }

  void check_alerts(const AlertCheck& check) {
    ++outcome_.expectations;
    std::vector<AlertText> expected;
    for (const ExpectedAlert& alert : check.expected) expected.push_back({alert.labels, alert.annotations});
    std::vector<AlertText> got;
    std::vector<std::string> pending;
    bool known = false;
    for (std::size_t g = 0; g < file_.groups.size(); ++g) {
      for (std::size_t r = 0; r < file_.groups[g].rules.size(); ++r) {
        const Rule& rule = file_.groups[g].rules[r];
        if (!rule.alerting() || rule.name != check.alertname) continue;
        known = true;
        collect(rule, evaluator_.alerts(g, r), got, pending);
      }
    }
    std::vector<std::string> diff = diff_alerts(std::move(expected), std::move(got));
    if (diff.empty()) return;
    if (!known) pending.push_back(fmt::format("  no rule is named \"{}\"", check.alertname));
    diff.insert(diff.end(), pending.begin(), pending.end());
    fail(check.position, fmt::format("alert {} at {}", check.alertname, core::format_duration(check.eval_time)),
         std::move(diff));
  }

  static void collect(const Rule& rule, const AlertMap& alerts, std::vector<AlertText>& got,
                      std::vector<std::string>& pending) {
    for (const auto& [labels, entry] : alerts) {
      if (entry.alert.state == core::AlertState::pending) {
        pending.push_back(fmt::format("  pending since {}, not firing: {}",
                                      core::format_duration(entry.alert.active_at.time_since_epoch()),
                                      to_string(text_map(labels))));
      }
      if (entry.alert.state != core::AlertState::firing) continue;
      AlertText alert{text_map(labels), {}};
      // Annotations that expand to nothing are there nevertheless.
      for (const TemplatedText& annotation : rule.annotations)
        alert.annotations[annotation.name] = entry.alert.annotations.get(annotation.name);
      got.push_back(std::move(alert));
    }
  }

  void check_expression(const ExpressionCheck& check) {
    ++outcome_.expectations;
    const std::string what =
        fmt::format("expression {} at {}", check.expression, core::format_duration(check.eval_time));
    auto got = evaluate(check);
    if (!got) return fail(check.position, what + ": " + got.error().describe());
    std::vector<Sample> expected;
    for (const ExpectedSample& sample : check.expected) {
      const auto metric = parse_metric(sample.labels);
      if (!metric) {
        return fail(sample.position,
                    fmt::format("{}: labels \"{}\": {}", what, sample.labels, metric.error().describe()));
      }
      expected.push_back({metric->labels, sample.value, metric->empty_labels.empty()});
    }
    std::vector<std::string> diff = compare(std::move(expected), std::move(*got));
    if (!diff.empty()) fail(check.position, what, std::move(diff));
  }

  core::Result<std::vector<Sample>> evaluate(const ExpressionCheck& check) const {
    const auto expr = promql::parse(check.expression);
    if (!expr) return std::unexpected(expr.error());
    auto value =
        promql::evaluate(*expr, source_, core::Time(check.eval_time), {.subquery_step = file_.evaluation_interval});
    if (!value) return std::unexpected(value.error());
    std::vector<Sample> samples;
    if (auto* vector = std::get_if<promql::Vector>(&*value)) {
      for (promql::VectorSample& sample : *vector) samples.push_back({std::move(sample.labels), sample.value});
    } else if (const auto* scalar = std::get_if<promql::Scalar>(&*value)) {
      samples.push_back({{}, scalar->value});
    } else {
      return core::fail(core::ErrorKind::invalid, "the expression gives neither a vector nor a scalar");
    }
    return samples;
  }

  bool equal(double a, double b) const {
    static constexpr double kInf = std::numeric_limits<double>::infinity();
    return a == b || (file_.fuzzy_compare && (std::nextafter(a, -kInf) == b || std::nextafter(a, kInf) == b));
  }

  std::vector<std::string> compare(std::vector<Sample> expected, std::vector<Sample> got) const {
    std::ranges::stable_sort(expected, {}, &Sample::labels);
    std::ranges::stable_sort(got, {}, &Sample::labels);
    std::vector<SampleText> wanted;
    std::vector<SampleText> found;
    for (const Sample& sample : got)
      found.push_back({sample.labels.to_string(), promql::format_value(sample.value), false});
    for (const Sample& sample : expected) {
      SampleText text{sample.labels.to_string(), promql::format_value(sample.value), false};
      if (std::isnan(sample.value)) text.value += " (equals nothing; expect no samples of \"… == …\" instead)";
      if (!sample.comparable) text.value += " (a label with an empty value equals nothing: leave it out)";
      for (std::size_t i = 0; sample.comparable && i < got.size() && !text.matched; ++i) {
        if (found[i].matched || got[i].labels != sample.labels || !equal(sample.value, got[i].value)) continue;
        text.matched = found[i].matched = true;
      }
      wanted.push_back(std::move(text));
    }
    return diff_samples(wanted, found);
  }

  const UnitTestFile& file_;
  const UnitTest& test_;
  Evaluator evaluator_;
  SampleSource source_;
  SeriesFeed feed_;
  UnitTestOutcome outcome_;
};

}  // namespace

std::vector<UnitTestOutcome> run_unit_tests(const UnitTestFile& file) {
  std::vector<UnitTestOutcome> outcomes;
  for (const UnitTest& test : file.tests) outcomes.push_back(TestRun(file, test).run());
  return outcomes;
}

}  // namespace weir::rules
