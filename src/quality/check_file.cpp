#include "quality/check_file.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

#include "config/reader.h"
#include "quality/check_parser.h"
#include "quality/contract.h"
#include "quality/expression.h"
#include "quality/incremental.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;

constexpr std::string_view kChecks = "checks for";
constexpr std::string_view kFilter = "filter";

constexpr std::string_view kConfigurations = "configurations for";
constexpr std::string_view kForEach = "for each dataset";
constexpr std::string_view kForEachTable = "for each table";  // as it was called before

constexpr std::string_view kSections =
    "\"checks for <table>\", \"filter <table> [name]\", \"configurations for <table>\", \"for each dataset <name>\" "
    "and \"variables\"";

/// Sections SodaCL has and Weir does not.
constexpr std::array<std::string_view, 6> kUnsupportedSections = {"for each column",   "profile columns",
                                                                  "discover datasets", "discover tables",
                                                                  "sample datasets",   "automated monitoring"};

constexpr std::size_t kMostPatterns = 1000;

bool begins_with_words(std::string_view text, std::string_view words) {
  return text.starts_with(words) && (text.size() == words.size() || text[words.size()] == ' ');
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += part + '\n';
  return text;
}

class FileParser {
 public:
  FileParser(const Variables& variables, Diagnostics& diagnostics) : variables_(variables), diagnostics_(diagnostics) {}

  std::vector<Dataset> run(const Node& file) {
    if (!file.is_mapping()) {
      diagnostics_.error(file.position(),
                         fmt::format("expected sections such as \"checks for <table>:\", found {}", file.kind_name()));
      return {};
    }
    const Node sections = substituted(file);
    // What is declared first: a section may name what stands below it.
    for (const auto& [key, value] : sections.entries()) {
      if (begins_with_words(key.text(), kFilter)) read_filter(key, value);
      if (begins_with_words(key.text(), kConfigurations)) read_configurations(key, value);
    }
    for (const auto& [key, value] : file.entries()) {
      if (is_for_each(key.text())) read_for_each(key, value);
    }
    for (const auto& [key, value] : sections.entries()) {
      if (begins_with_words(key.text(), kChecks)) {
        read_checks(key, value);
      } else if (!begins_with_words(key.text(), kFilter) && !begins_with_words(key.text(), kConfigurations)) {
        unknown_section(key);
      }
    }
    report_unused();
    return std::move(datasets_);
  }

 private:
  struct Filter {
    std::string name;
    std::string where;
    config::Position position;
    bool used = false;
  };
  using Filters = std::map<std::string, Filter>;
  /// Column settings of a table.
  struct Configurations {
    std::map<std::string, Validity> columns;
    std::optional<IncrementalSettings> incremental;
    config::Position position;
    bool used = false;
  };

  static bool is_for_each(std::string_view key) {
    return begins_with_words(key, kForEach) || begins_with_words(key, kForEachTable);
  }

  /// The file without its variables: replaced, but in "for each" sections, which have one more for each table.
  Node substituted(const Node& file) {
    std::vector<Node::Entry> sections;
    for (const auto& [key, value] : file.entries()) {
      if (key.text() == "variables") {
        for (auto& [name, text] : read_variables(value, "variables", diagnostics_)) variables_.emplace(name, text);
      } else if (!is_for_each(key.text())) {
        sections.emplace_back(key, value);
      }
    }
    return with_variables(Node::mapping(std::move(sections), file.position()), variables_, diagnostics_);
  }

  void unknown_section(const Node& key) {
    if (key.text() == "checks") {
      return diagnostics_.error(key.position(),
                                "\"checks\" without a table is not supported: write \"checks for <table>\" with one of "
                                "the tables that the query reads; \"failed rows\" and metrics of your own may query "
                                "others too");
    }
    for (const std::string_view known : kUnsupportedSections) {
      if (!begins_with_words(key.text(), known)) continue;
      return diagnostics_.error(key.position(),
                                fmt::format("\"{}\" is not supported; supported are {}", known, kSections));
    }
    diagnostics_.error(key.position(), fmt::format("unknown section \"{}\"; expected {}", key.text(), kSections));
  }

  std::optional<Header> read_header(const Node& key, std::string_view beginning) {
    auto header = parse_header(key.text(), beginning);
    if (header) return std::move(*header);
    diagnostics_.error(position_in(key, header.error().offset),
                       fmt::format("section \"{}\": {}", key.text(), header.error().message));
    return std::nullopt;
  }

  void read_configurations(const Node& key, const Node& value) {
    const auto header = read_header(key, kConfigurations);
    if (!header) return;
    if (!header->filter.empty()) {
      return diagnostics_.error(key.position(), "configurations are about a table, with and without its filters");
    }
    const std::string what = fmt::format("section \"{}\"", key.text());
    if (!value.is_mapping()) {
      return diagnostics_.error(value.position(),
                                fmt::format("{}: expected settings such as \"valid format for email: email\", found {}",
                                            what, value.kind_name()));
    }
    Configurations& configurations = configurations_[joined(header->table)];
    configurations.position = key.position();
    for (const auto& [setting, content] : value.entries()) {
      read_configuration(setting, content, what, configurations);
    }
  }

  void read_configuration(const Node& setting, const Node& content, const std::string& what,
                          Configurations& configurations) {
    constexpr std::string_view kFor = " for ";
    const std::string& text = setting.text();
    if (text == "incremental") {
      configurations.incremental = read_incremental(content, what, diagnostics_);
      return;
    }
    const std::size_t at = text.find(kFor);
    const std::string name = text.substr(0, at);
    std::string column = at == std::string::npos ? "" : text.substr(at + kFor.size());
    column.erase(0, column.find_first_not_of(' '));
    column.erase(column.find_last_not_of(' ') + 1);
    if (column.size() > 2 && (column.front() == '"' || column.front() == '`') && column.back() == column.front()) {
      column = column.substr(1, column.size() - 2);
    }
    if (column.empty()) {
      return diagnostics_.error(
          setting.position(),
          fmt::format("{}: \"{}\": expected a setting and its column, such as \"valid min for amount\"", what, text));
    }
    if (read_validity(name, content, configurations.columns[column], what, diagnostics_)) return;
    diagnostics_.error(setting.position(), fmt::format("{}: unknown setting \"{}\"{}", what, name,
                                                       config::did_you_mean(name, validity_keys())));
  }

  void read_for_each(const Node& key, const Node& value) {
    const bool old = begins_with_words(key.text(), kForEachTable);
    const auto header = read_header(key, old ? kForEachTable : kForEach);
    if (!header) return;
    const std::string what = fmt::format("section \"{}\"", key.text());
    if (header->table.size() != 1 || !header->filter.empty()) {
      return diagnostics_.error(key.position(),
                                what + ": write one word for the tables, such as \"for each dataset D\"");
    }
    auto section = std::make_shared<ForEach>();
    section->alias = header->table.front();
    config::MapReader reader(value, diagnostics_, what);
    const std::string_view names = reader.has("tables") && !reader.has("datasets") ? "tables" : "datasets";
    const std::size_t before = diagnostics_.errors().size();
    for (const Node* item : reader.list(names)) read_pattern(*item, what, *section);
    if (section->include.empty() && diagnostics_.errors().size() == before) {
      reader.missing(names, "name tables, or patterns with %, under \"datasets\"");
    }
    const Node* checks = reader.child("checks");
    if (checks == nullptr) reader.missing("checks");
    reader.finish();
    if (checks == nullptr) return;
    const std::size_t errors = diagnostics_.errors().size();
    (void)checks_of_table(section->alias, section->alias, *checks, variables_, filters_, diagnostics_);
    if (diagnostics_.errors().size() != errors) return;
    section->checks = [alias = section->alias, list = *checks, variables = variables_,
                       filters = filters_](const std::string& table) {
      Diagnostics none;  // it was read once, and but for the table's name is the same
      return checks_of_table(alias, table, list, variables, filters, none);
    };
    Dataset dataset;
    dataset.position = key.position();
    dataset.for_each = std::move(section);
    datasets_.push_back(std::move(dataset));
  }

  static std::vector<Check> checks_of_table(const std::string& alias, const std::string& table, const Node& list,
                                            Variables variables, const Filters& filters, Diagnostics& diagnostics) {
    variables[alias] = table;
    const Node replaced = with_variables(list, variables, diagnostics);
    Surroundings around;
    around.variables = variables;
    around.filter = filter_of(filters);
    return read_list(replaced, {table}, around, "section \"for each dataset " + alias + "\"", diagnostics);
  }

  void read_pattern(const Node& item, const std::string& what, ForEach& section) {
    std::string text = item.text();
    const auto error = [&](const std::string& message) {
      diagnostics_.error(item.position(), fmt::format("{}: \"datasets\": {}", what, message));
    };
    if (!item.is_scalar() || text.empty()) return error("expected a table's name or a pattern such as fct_%");
    bool exclude = false;
    if (text.starts_with("include ")) text.erase(0, 8);
    if (text.starts_with("exclude ")) {
      exclude = true;
      text.erase(0, 8);
    }
    if (text.find_first_of("\"'`") != std::string::npos) return error("write the name without quotes");
    if (std::ranges::count(text, '.') > 1) return error("a name has at most two parts: schema.table");
    auto& patterns = exclude ? section.exclude : section.include;
    if (patterns.size() >= kMostPatterns) return error(fmt::format("there are more than {}", kMostPatterns));
    patterns.push_back(std::move(text));
  }

  static std::function<const std::string*(const std::vector<std::string>&, const std::string&)> filter_of(
      const Filters& filters) {
    return [&filters](const std::vector<std::string>& table, const std::string& name) -> const std::string* {
      const auto found = filters.find(joined(table) + '\n' + name);
      return found == filters.end() ? nullptr : &found->second.where;
    };
  }

  void report_unused() {
    for (const auto& [id, filter] : filters_) {
      if (!filter.used)
        diagnostics_.error(filter.position, fmt::format("filter \"{}\" is used by no checks", filter.name));
    }
    for (const auto& [id, configurations] : configurations_) {
      if (!configurations.used) diagnostics_.error(configurations.position, "there are no checks for this table");
    }
  }

  void read_filter(const Node& key, const Node& value) {
    const auto header = read_header(key, kFilter);
    if (!header) return;
    if (header->filter.empty()) {
      return diagnostics_.error(key.position(), "a filter needs a name in brackets: \"filter <table> [name]\"");
    }
    config::MapReader reader(value, diagnostics_, "filter \"" + header->filter + "\"");
    const Node* where = reader.child("where");
    reader.finish();
    Filter& filter = filters_[joined(header->table) + '\n' + header->filter];
    filter.name = header->filter;
    filter.position = key.position();
    if (where == nullptr || !where->is_scalar() || where->text().find_first_not_of(" \t\r\n") == std::string::npos) {
      return reader.error(where == nullptr ? value : *where, "\"where\": expected a SQL condition");
    }
    if (const std::string mistake = condition_mistake(where->text()); !mistake.empty()) {
      reader.error(*where, "\"where\": " + mistake);
    }
    filter.where = where->text();
    filter.where.erase(filter.where.find_last_not_of(" \t\r\n") + 1);
  }

  void read_checks(const Node& key, const Node& value) {
    const auto header = read_header(key, kChecks);
    if (!header) return;
    Dataset dataset;
    dataset.table = header->table;
    dataset.filter = header->filter;
    dataset.position = key.position();
    if (!header->filter.empty()) {
      const auto filter = filters_.find(joined(header->table) + '\n' + header->filter);
      if (filter == filters_.end()) return undeclared(key, *header);
      filter->second.used = true;
      dataset.where = filter->second.where;
    }
    Surroundings around;
    around.variables = variables_;
    around.filter = [this](const std::vector<std::string>& table, const std::string& name) -> const std::string* {
      const auto found = filters_.find(joined(table) + '\n' + name);
      if (found == filters_.end()) return nullptr;
      found->second.used = true;
      return &found->second.where;
    };
    const auto configurations = configurations_.find(joined(header->table));
    if (configurations != configurations_.end()) {
      configurations->second.used = true;
      around.columns = configurations->second.columns;
      // What a filter leaves is mostly new anyway, and its rows cannot be told from the others' by counters.
      if (dataset.filter.empty()) dataset.incremental = configurations->second.incremental;
    }
    dataset.checks = read_list(value, dataset.table, around, fmt::format("section \"{}\"", key.text()), diagnostics_);
    datasets_.push_back(std::move(dataset));
  }

  /// The checks of a list; an item "attributes" is for those that follow, and a check's own go before.
  static std::vector<Check> read_list(const Node& value, const std::vector<std::string>& table,
                                      const Surroundings& around, const std::string& what, Diagnostics& diagnostics) {
    std::vector<Check> checks;
    if (!value.is_sequence()) {
      diagnostics.error(value.position(), fmt::format("{}: expected a list of checks, each after \"- \", found {}",
                                                      what, value.kind_name()));
      return checks;
    }
    std::map<std::string, std::string> attributes;
    for (const Node& item : value.items()) {
      if (item.is_mapping() && item.entries().size() == 1 && item.entries()[0].first.text() == "attributes") {
        attributes = parse_attributes(item.entries()[0].second, what, diagnostics);
        continue;
      }
      for (Check& check : parse_check(item, table, around, diagnostics)) {
        check.attributes.insert(attributes.begin(), attributes.end());
        checks.push_back(std::move(check));
      }
    }
    if (value.items().empty()) diagnostics.error(value.position(), what + ": no checks");
    return checks;
  }

  void undeclared(const Node& key, const Header& header) {
    std::vector<std::string> names;
    for (const auto& [id, filter] : filters_) {
      if (id.starts_with(joined(header.table) + '\n')) names.push_back(filter.name);
    }
    diagnostics_.error(
        key.position(),
        fmt::format("filter \"{}\" of this table is not declared in this file{}; add \"filter <table> [{}]:\"",
                    header.filter, config::did_you_mean(header.filter, names), header.filter));
  }

  Variables variables_;
  Diagnostics& diagnostics_;
  Filters filters_;                                       // by table and name
  std::map<std::string, Configurations> configurations_;  // by table
  std::vector<Dataset> datasets_;
};

}  // namespace

std::string condition_mistake(std::string_view sql) {
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    const std::string_view pair = sql.substr(i, 2);
    if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' && c != '\r')
      return "a control character is not allowed";
    if (quote != '\0') {
      if (c == quote) quote = '\0';  // a doubled quote closes and opens again
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c == ';') return "a semicolon is not allowed: it must be a single condition";
    if (c == '$') return "a dollar sign is not allowed outside quotes";
    if (c == '\\') return "a backslash is not allowed outside quotes";
    if (pair == "--" || pair == "/*") return "a SQL comment is not allowed";
    depth += c == '(' ? 1 : 0;
    depth -= c == ')' ? 1 : 0;
    if (depth < 0) return "a parenthesis closes that was not opened";
  }
  if (quote != '\0') return fmt::format("a quote {} is not closed", quote);
  return depth == 0 ? "" : "a parenthesis is not closed";
}

std::vector<Dataset> parse_check_file(const Node& root, Diagnostics& diagnostics, const Variables& variables) {
  if (!is_contract(root)) return FileParser(variables, diagnostics).run(root);
  const std::size_t errors = diagnostics.errors().size();
  const Node checks = contract_to_checks(root, diagnostics);
  if (diagnostics.errors().size() != errors) return {};
  return FileParser(variables, diagnostics).run(checks);
}

std::vector<Dataset> merge_datasets(std::vector<Dataset> datasets, Diagnostics& diagnostics) {
  std::vector<Dataset> merged;
  for (Dataset& dataset : datasets) {
    const auto same = std::ranges::find(merged, dataset.label(), &Dataset::label);
    if (same == merged.end() || dataset.for_each) {
      merged.push_back(std::move(dataset));
    } else if (same->where != dataset.where || same->table != dataset.table) {
      diagnostics.error(
          dataset.position,
          fmt::format("\"{}\" has another condition or table here than at {}; give the filter another name",
                      dataset.label(), same->position.to_string()));
    } else {
      if (!same->incremental) same->incremental = std::move(dataset.incremental);
      std::ranges::move(dataset.checks, std::back_inserter(same->checks));
    }
  }
  for (const Dataset& dataset : merged) {
    std::map<std::string_view, const Check*> names;
    for (const Check& check : dataset.checks) {
      const auto [first, added] = names.emplace(check.name, &check);
      if (added) continue;
      diagnostics.error(check.position,
                        fmt::format("check \"{}\" of {} is already at {}; give one of them another name:", check.name,
                                    dataset.label(), first->second->position.to_string()));
    }
  }
  return merged;
}

}  // namespace weir::quality
