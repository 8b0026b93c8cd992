#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli.h"
#include "app/command_check.h"
#include "app/commands.h"
#include "collectors/schema_contracts.h"
#include "collectors/schema_registry.h"
#include "config/node.h"
#include "net/http_client.h"
#include "runtime/clock.h"

namespace weir::app {
namespace {

using collectors::SchemaRegistrySettings;
using config::Node;

struct SchemaOptions {
  std::vector<std::string> files;
  std::string config = "weir.yml";
  std::string registry;
  std::string url;
  std::string subject;
  std::string type;
  std::string naming;
  ReportOptions report;
};

std::string name_of(const Node& node) {
  const Node* name = node.is_mapping() ? node.find("name") : nullptr;
  return name == nullptr ? "" : name->text();
}

/// The entry that `schema_registries:` would have for a URL.
Node entry_of(const SchemaOptions& options) {
  const config::Position place{"--url", 0, 0};
  std::vector<Node::Entry> entries;
  entries.emplace_back(Node::scalar("name", place),
                       Node::scalar(options.registry.empty() ? "registry" : options.registry, place, true));
  entries.emplace_back(Node::scalar("url", place), Node::scalar(options.url, place, true));
  return Node::mapping(std::move(entries), place);
}

/// The registry of the options; what is wrong has been said when there is nothing.
std::optional<SchemaRegistrySettings> read_registry(const SchemaOptions& options) {
  config::Diagnostics diagnostics;
  Node entry;
  if (!options.url.empty()) {
    entry = entry_of(options);
  } else {
    const Node root = config::load_yaml(options.config, diagnostics, config::Streams::own);
    const Node* section = root.is_mapping() ? root.find("schema_registries") : nullptr;
    const std::vector<Node> none;
    const std::vector<Node>& all = section == nullptr ? none : section->items();
    const auto named = std::ranges::find(all, options.registry, name_of);
    if (options.registry.empty() && all.size() == 1) {
      entry = all.front();
    } else if (named != all.end() && !options.registry.empty()) {
      entry = *named;
    } else if (diagnostics.ok()) {
      std::vector<std::string> names;
      std::ranges::transform(all, std::back_inserter(names), name_of);
      diagnostics.error(
          {options.config, 0, 0},
          options.registry.empty()
              ? fmt::format("it has {} schema registries: name one with --registry", all.empty() ? "no" : "several")
              : fmt::format("there is no registry \"{}\" under \"schema_registries\"{}", options.registry,
                            config::did_you_mean(options.registry, names)));
    }
  }
  std::optional<SchemaRegistrySettings> settings;
  if (diagnostics.ok()) settings = collectors::parse_schema_registry(entry, diagnostics);
  if (diagnostics.ok()) return settings;
  std::cerr << diagnostics.to_string();
  return std::nullopt;
}

std::optional<schemas::Format> format_of(const std::string& type) {
  if (type == "avro") return schemas::Format::avro;
  if (type == "protobuf") return schemas::Format::protobuf;
  if (type == "json") return schemas::Format::json;
  return std::nullopt;
}

/// Those of the command line, else those of the configuration.
std::vector<collectors::SchemaContract> contracts_of(const SchemaOptions& options,
                                                     const SchemaRegistrySettings& settings) {
  std::vector<collectors::SchemaContract> contracts;
  for (const std::string& file : options.files) {
    contracts.push_back(
        {.files = file, .subject = options.subject, .format = format_of(options.type), .references = {}});
  }
  if (!contracts.empty()) return contracts;
  for (const collectors::SchemaCandidate& candidate : settings.candidates)
    contracts.push_back({.files = candidate.file, .subject = candidate.subject, .format = {}, .references = {}});
  std::ranges::copy(settings.contracts, std::back_inserter(contracts));
  return contracts;
}

quality::CheckResult failed(quality::CheckResult result, const core::Error& error) {
  result.outcome = quality::Outcome::error;
  result.message = error.where == result.check ? error.message : error.describe();
  return result;
}

/// Why Weir cannot read the schema, "" where it can or nothing tells its format. The registry may know better: only
/// with its no is that the reason.
std::string reading_mistake(const collectors::ContractFile& file) {
  if (!file.format) return {};
  const auto model = schemas::parse(*file.format, file.text);
  return model ? std::string() : model.error().message;
}

quality::CheckResult check_file(collectors::SchemaRegistryClient& client, const SchemaRegistrySettings& settings,
                                const collectors::SchemaContract& contract, const std::string& file) {
  quality::CheckResult result;
  result.source = settings.name;
  result.dataset = contract.subject.empty() ? file : contract.subject;
  result.check = file;
  result.position = {file, 0, 0};
  const auto read = collectors::read_contract(contract, file, settings.naming);
  if (!read) return failed(std::move(result), read.error());
  result.dataset = read->subject;
  const auto versions = client.versions(read->subject);
  const std::string mistake = reading_mistake(*read);
  if ((!versions && versions.error().kind == core::ErrorKind::not_found) || (versions && versions->empty())) {
    if (!mistake.empty()) return failed(std::move(result), {core::ErrorKind::invalid, mistake});
    result.outcome = quality::Outcome::warn;
    result.message = fmt::format(
        "the registry has no subject {} yet: nothing was compared; if it should be there, give its name with --subject "
        "or look at the naming strategy",
        read->subject);
    return result;
  }
  if (!versions) return failed(std::move(result), versions.error());
  const auto level = collectors::level_in_force(client, read->subject);
  if (!level) return failed(std::move(result), level.error());
  auto verdict = collectors::judge_contract(client, *read, *versions, *level);
  if (!verdict) return failed(std::move(result), verdict.error());
  if (!verdict->compatible && !mistake.empty())
    return failed(std::move(result), {core::ErrorKind::invalid, mistake + "; the registry: " + verdict->message});
  result.outcome = !verdict->compatible ? quality::Outcome::fail
                   : verdict->risky     ? quality::Outcome::warn
                                        : quality::Outcome::pass;
  result.message = verdict->compatible && !verdict->risky
                       ? fmt::format("may follow version {} of {} under {}: {}", versions->back(), read->subject,
                                     *level, verdict->message.empty() ? "nothing changes" : "it " + verdict->message)
                       : verdict->message;
  return result;
}

int check_schemas(const SchemaOptions& options) {
  auto settings = read_registry(options);
  if (!settings) return kExitUsage;
  if (options.naming == "record_name") settings->naming = schemas::NamingStrategy::record_name;
  if (options.naming == "topic_record_name") settings->naming = schemas::NamingStrategy::topic_record_name;
  if (options.naming == "topic_name") settings->naming = schemas::NamingStrategy::topic_name;
  const auto contracts = contracts_of(options, *settings);
  if (contracts.empty()) {
    return usage("name schema files, or give the registry contracts: in the configuration");
  }
  const auto http = net::make_curl_client();
  collectors::SchemaRegistryClient client(settings->endpoint, *http);
  const auto begun = std::chrono::steady_clock::now();
  quality::RunReport report;
  report.started = runtime::SystemClock().now();
  (void)client.begin_cycle(report.started, begun + std::chrono::hours(1), {});  // nobody asked it to wait before
  for (const collectors::SchemaContract& contract : contracts) {
    auto files = collectors::contract_files(contract);
    // A file of that very name, be it with characters of a pattern; and one that is not there, to be told so.
    if (files.empty()) files.push_back(contract.files);
    for (const std::string& file : files) report.results.push_back(check_file(client, *settings, contract, file));
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return give_report(report, options.report);
}

}  // namespace

void add_check_schemas(CLI::App& check, Action& action) {
  const auto options = std::make_shared<SchemaOptions>();
  CLI::App* command = check.add_subcommand(
      "schemas",
      "check schema files (Avro, Protobuf, JSON Schema) against a registry; exit 0 when they may be registered, 1 when "
      "one would break its readers, 2 on an error");
  command->add_option("FILES", options->files, "schema files and patterns of them (default: the registry's contracts)");
  CLI::Option* config = command->add_option("--config,-c", options->config, "configuration that holds the registry")
                            ->capture_default_str();
  command->add_option("--registry", options->registry, "name of the registry (default: the only one)");
  command->add_option("--url", options->url, "of a registry, instead of a configuration")->excludes(config);
  command->add_option("--subject", options->subject,
                      "of the files; {stem}, {folder} and {record} stand for parts of each (default: by --naming)");
  command->add_option("--type", options->type, "of the files (default: by their extension)")
      ->check(CLI::IsMember({"avro", "protobuf", "json"}));
  command->add_option("--naming", options->naming, "how subjects are named (default: the registry's, topic_name)")
      ->check(CLI::IsMember({"topic_name", "record_name", "topic_record_name"}));
  add_report_options(*command, options->report);
  command->callback([&action, options] { action = [options] { return check_schemas(*options); }; });
}

}  // namespace weir::app
