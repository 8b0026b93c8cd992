#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <string>

#include "app/backtest_run.h"
#include "app/cli.h"
#include "app/commands.h"
#include "app/prometheus_client.h"
#include "promql/engine.h"
#include "rules/evaluator.h"
#include "rules/input_series.h"
#include "rules/loader.h"
#include "runtime/clock.h"

namespace weir::app {
namespace {

struct BacktestOptions {
  std::vector<std::string> rules;
  std::string since = "7d";
  std::string step;
  std::string url = "http://127.0.0.1:9877";
  std::string samples;
  bool json = false;
};

int usage(const std::string& message) {
  std::cerr << message;
  if (!message.ends_with('\n')) std::cerr << "\n";
  return kExitUsage;
}

int show(const core::Result<std::vector<rules::BacktestedRule>>& found, const BacktestPlan& plan, bool json) {
  if (!found) return usage("weir backtest: " + found.error().describe());
  std::cout << (json ? backtest_json(*found, plan) + "\n" : format_backtest(*found, plan));
  const bool failed = std::ranges::any_of(*found, [](const auto& rule) { return rule.error.has_value(); });
  return failed ? kExitFailed : kExitOk;
}

int over_server(const std::vector<rules::Group>& groups, BacktestPlan plan, core::Duration since,
                const BacktestOptions& options) {
  plan.to = runtime::SystemClock().now();
  plan.from = plan.to - since;
  const auto http = net::make_curl_client();
  const PrometheusClient client(*http, options.url);
  const RangeQuery ask = [&](const rules::Rule& rule, core::Time start, core::Time end, core::Duration step) {
    return client.query_range(rule.expression, start, end, step);
  };
  return show(run_backtest(groups, plan, ask), plan, options.json);
}

/// What the recording rules would have recorded is put to the samples first, a group's interval after the other.
core::Result<void> record(const std::vector<rules::Group>& groups, const rules::SampleFile& samples,
                          rules::SampleSource& source) {
  const bool any = std::ranges::any_of(groups, [](const rules::Group& group) {
    return std::ranges::any_of(group.rules, [](const rules::Rule& rule) { return !rule.alerting(); });
  });
  rules::SeriesFeed feed(samples.input.series, samples.interval);
  if (!any) return feed.feed_until(samples.end(), source);
  core::Duration step = groups.front().interval;
  for (const rules::Group& group : groups) step = std::min(step, group.interval);
  if ((samples.end() - core::Time{}) / step > 1'000'000)
    return core::fail(core::ErrorKind::invalid, "the rules would be evaluated more than 1000000 times");
  rules::Evaluator evaluator(groups, {.missing_is_false = true});
  for (core::Time now{}; now <= samples.end(); now += step) {
    if (auto fed = feed.feed_until(now, source); !fed) return fed;
    for (std::size_t group = 0; group < groups.size(); ++group) {
      if (now.time_since_epoch() % groups[group].interval != core::Duration::zero()) continue;
      const rules::Evaluation evaluation = evaluator.evaluate(group, source, now);
      // What an expression could not give shows up again when the alerts are asked for.
      for (const core::Sample& sample : evaluation.batch.samples)
        (void)source.append(sample.labels, sample.time, sample.value);
    }
  }
  return feed.feed_until(samples.end(), source);
}

int over_samples(const std::vector<rules::Group>& groups, BacktestPlan plan, core::Duration since,
                 const BacktestOptions& options) {
  const auto samples = rules::load_samples(options.samples);
  if (!samples) return usage(samples.error().to_string());
  for (const config::Diagnostic& note : samples->input.notes) std::cerr << "note: " << note.to_string() << "\n";
  rules::SampleSource source;
  if (auto done = record(groups, *samples, source); !done) return usage("weir backtest: " + done.error().describe());
  plan.to = samples->end();
  plan.from = std::max(core::Time{}, plan.to - since);
  const RangeQuery ask = [&](const rules::Rule& rule, core::Time start, core::Time end, core::Duration step) {
    return promql::evaluate_range(*rule.expr, source, start, end, step);
  };
  return show(run_backtest(groups, plan, ask), plan, options.json);
}

int backtest(const BacktestOptions& options) {
  config::Diagnostics diagnostics;
  const std::vector<rules::Group> groups = rules::load(options.rules, diagnostics);
  if (!diagnostics.ok()) return usage(diagnostics.to_string());
  const auto since = core::parse_duration(options.since);
  if (!since || *since <= core::Duration::zero())
    return usage(fmt::format("weir backtest: --since: \"{}\" is no time before now (write 7d)", options.since));
  BacktestPlan plan;
  if (!options.step.empty()) {
    const auto step = core::parse_duration(options.step);
    if (!step || *step <= core::Duration::zero())
      return usage(fmt::format("weir backtest: --step: \"{}\" is no step (write 1m)", options.step));
    plan.step = *step;
  }
  if (groups.empty()) return usage("weir backtest: the rule files hold no groups");
  return options.samples.empty() ? over_server(groups, plan, *since, options)
                                 : over_samples(groups, plan, *since, options);
}

}  // namespace

void add_backtest_command(CLI::App& cli, Action& action) {
  CLI::App* command =
      cli.add_subcommand("backtest", "how often the alerts of rule files would have fired, for how long, and on what");
  const auto options = std::make_shared<BacktestOptions>();
  command->add_option("--rule", options->rules, "rule files")->required();
  command->add_option("--since", options->since, "how far back")->capture_default_str();
  command->add_option("--step", options->step, "between evaluations (default: each group's interval)");
  CLI::Option* url = command->add_option("--url", options->url, "of Weir, or of a Prometheus")->capture_default_str();
  command->add_option("--samples", options->samples, "file of samples instead, as for weir query")->excludes(url);
  command->add_flag("--json", options->json, "print JSON");
  command->callback([&action, options] { action = [options] { return backtest(*options); }; });
}

}  // namespace weir::app
