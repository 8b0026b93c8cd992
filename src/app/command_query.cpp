#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "app/batch_query.h"
#include "app/cli.h"
#include "app/commands.h"
#include "app/prometheus_client.h"
#include "app/value_table.h"
#include "rules/input_series.h"

namespace weir::app {
namespace {

struct QueryOptions {
  std::string expression;
  std::string url = "http://127.0.0.1:9877";
  std::string time;
  std::string start;
  std::string end;
  std::string step;
  bool json = false;
  std::string samples;
  std::string batch;
};

int usage(const std::string& message) {
  std::cerr << "weir query: " << message << "\n";
  return kExitUsage;
}

/// Asks a server; times go to it as they are written.
int query_server(const QueryOptions& options) {
  const bool range = !options.start.empty() || !options.end.empty() || !options.step.empty();
  PrometheusClient::Parameters parameters{{"query", options.expression}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters.emplace_back(name, value);
  };
  add("time", options.time);
  add("start", options.start);
  add("end", options.end);
  add("step", options.step);
  const auto http = net::make_curl_client();
  const PrometheusClient client(*http, options.url);
  const auto answer = client.answer(range ? "/api/v1/query_range" : "/api/v1/query", parameters);
  if (!answer) {
    std::cerr << "weir query: " << answer.error().describe() << "\n";
    return kExitFailed;
  }
  const auto value = parse_query_answer(*answer);
  if (options.json) {
    std::cout << *answer << "\n";
  } else if (value) {
    std::cout << format_value_table(*value);
  } else {
    std::cerr << "weir query: " << value.error().describe() << "\n";
  }
  return value ? kExitOk : kExitFailed;
}

int query_samples(const QueryOptions& options) {
  const auto samples = rules::load_samples(options.samples);
  if (!samples) {
    std::cerr << samples.error().to_string();
    return kExitUsage;
  }
  for (const config::Diagnostic& note : samples->input.notes) std::cerr << "note: " << note.to_string() << "\n";
  rules::SampleSource source;
  if (auto fed = rules::SeriesFeed(samples->input.series, samples->interval).feed_until(samples->end(), source); !fed) {
    std::cerr << options.samples << ": " << fed.error().describe() << "\n";
    return kExitUsage;
  }
  if (options.batch == "-") {
    answer_queries(std::cin, source, std::cout);
    return kExitOk;
  }
  std::ifstream queries(options.batch, std::ios::binary);
  if (!queries) return usage("\"" + options.batch + "\" cannot be read");
  answer_queries(queries, source, std::cout);
  return kExitOk;
}

int query(const QueryOptions& options) {
  if (options.samples.empty() != options.batch.empty()) return usage("--samples and --batch belong together");
  if (!options.samples.empty()) return query_samples(options);
  if (options.expression.empty()) return usage("an expression is missing");
  return query_server(options);
}

}  // namespace

void add_query_command(CLI::App& cli, Action& action) {
  CLI::App* command = cli.add_subcommand("query", "evaluate PromQL: in a running Weir, or over a file of samples");
  const auto options = std::make_shared<QueryOptions>();
  command->add_option("EXPR", options->expression, "the expression");
  command->add_option("--url", options->url, "of Weir, or of another server with Prometheus's HTTP API")
      ->capture_default_str();
  CLI::Option* time = command->add_option("--time", options->time, "seconds since 1970 or RFC 3339 (default: now)");
  CLI::Option* start = command->add_option("--start", options->start, "of a range, as --time");
  CLI::Option* end = command->add_option("--end", options->end, "of a range, as --time");
  CLI::Option* step = command->add_option("--step", options->step, "of a range, seconds or 1m");
  start->needs(end)->needs(step)->excludes(time);
  end->needs(start);
  step->needs(start);
  command->add_flag("--json", options->json, "print the server's answer");
  command->add_option("--samples", options->samples, "promtool's interval and input_series, as YAML or JSON");
  command->add_option("--batch", options->batch,
                      "file with a query a line, - for standard input: {\"query\", \"time\"} or {\"query\", \"start\", "
                      "\"end\", \"step\"}");
  command->callback([&action, options] { action = [options] { return query(*options); }; });
}

}  // namespace weir::app
