#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <string>

#include "app/cli.h"
#include "app/commands.h"
#include "app/explanation.h"
#include "app/prometheus_client.h"
#include "app/settings.h"
#include "promql/parser.h"
#include "runtime/clock.h"

namespace weir::app {
namespace {

struct ExplainOptions {
  std::string alert;
  std::string url;
  std::string config;
  bool json = false;
};

int failed(const std::string& message) {
  std::cerr << "weir explain: " << message << "\n";
  return kExitFailed;
}

std::vector<ServedRule> configured_rules(const Settings& settings) {
  std::vector<ServedRule> rules;
  for (const rules::Group& group : settings.rule_groups) {
    for (const rules::Rule& rule : group.rules) {
      if (rule.alerting())
        rules.push_back({group.name, group.file, rule.name, rule.expression, "", core::to_seconds(rule.hold)});
    }
  }
  return rules;
}

int explain_rule(const ServedRule& rule, const PrometheusClient& client, bool json) {
  const auto expr = promql::parse(rule.query);
  if (!expr) return failed(fmt::format("the rule's expression: {}", expr.error().describe()));
  // One moment for all parts, or their values would not fit together.
  const core::Time now = runtime::SystemClock().now();
  const ExplainedNode tree = explain(rules::expression_tree(*expr),
                                     [&](const std::string& expression) { return client.query(expression, now); });
  if (json) {
    std::cout << explanation_json(tree, now) << "\n";
  } else {
    std::cout << fmt::format("{} (group {}, {}){}{}\n", rule.name, rule.group, rule.file,
                             rule.state.empty() ? "" : ": " + rule.state,
                             rule.hold_seconds > 0 ? fmt::format(", for {}s", rule.hold_seconds) : "")
              << format_explanation(tree);
  }
  if (tree.error) return failed(tree.error->describe());
  return kExitOk;
}

int explain_alert(const ExplainOptions& options) {
  std::string url = options.url.empty() ? "http://127.0.0.1:9877" : options.url;
  std::optional<Settings> settings;
  if (!options.config.empty()) {
    auto loaded = load_part(options.config, Part::rules);
    if (!loaded) {
      std::cerr << loaded.error().to_string();
      return kExitUsage;
    }
    settings = std::move(*loaded);
    if (options.url.empty()) url = "http://" + settings->listen;
  }
  const auto http = net::make_curl_client();
  const PrometheusClient client(*http, url);
  core::Result<std::vector<ServedRule>> rules;
  if (settings) {
    rules = configured_rules(*settings);
  } else {
    rules = client.alerting_rules();
  }
  if (!rules) return failed(rules.error().describe());
  int worst = kExitOk;
  std::vector<std::string> names;
  bool found = false;
  for (const ServedRule& rule : *rules) {
    names.push_back(rule.name);
    if (rule.name != options.alert) continue;
    found = true;
    worst = std::max(worst, explain_rule(rule, client, options.json));
  }
  if (found) return worst;
  return failed(
      fmt::format("no alerting rule is named \"{}\"{}", options.alert, config::did_you_mean(options.alert, names)));
}

}  // namespace

void add_explain_command(CLI::App& cli, Action& action) {
  CLI::App* command =
      cli.add_subcommand("explain", "why an alert fires or not: each part of its expression with its value now");
  const auto options = std::make_shared<ExplainOptions>();
  command->add_option("ALERT", options->alert, "name of an alerting rule")->required();
  command->add_option("--url", options->url,
                      "of Weir, or of a Prometheus (default: http://127.0.0.1:9877, or where --config listens)");
  command->add_option("--config,-c", options->config, "take the rule from this configuration, not from the server");
  command->add_flag("--json", options->json, "print JSON");
  command->callback([&action, options] { action = [options] { return explain_alert(*options); }; });
}

}  // namespace weir::app
