#include "quality/check_file.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

#include "config/reader.h"
#include "quality/check_parser.h"
#include "quality/expression.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;

constexpr std::string_view kChecks = "checks for";
constexpr std::string_view kFilter = "filter";

/// Sections SodaCL has and Weir does not yet.
constexpr std::array<std::string_view, 11> kUnsupportedSections = {
    "for each dataset",  "for each table",  "for each column", "configurations for",   "variables", "profile columns",
    "discover datasets", "discover tables", "sample datasets", "automated monitoring", "checks"};

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
  explicit FileParser(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  std::vector<Dataset> run(const Node& root) {
    if (!root.is_mapping()) {
      diagnostics_.error(root.position(),
                         fmt::format("expected sections such as \"checks for <table>:\", found {}", root.kind_name()));
      return {};
    }
    // Filters first: a section may name one that stands below it.
    for (const auto& [key, value] : root.entries()) {
      if (begins_with_words(key.text(), kFilter)) read_filter(key, value);
    }
    for (const auto& [key, value] : root.entries()) {
      if (begins_with_words(key.text(), kChecks)) {
        read_checks(key, value);
      } else if (!begins_with_words(key.text(), kFilter)) {
        unknown_section(key);
      }
    }
    for (const auto& [id, filter] : filters_) {
      if (!filter.used)
        diagnostics_.error(filter.position, fmt::format("filter \"{}\" is used by no checks", filter.name));
    }
    return std::move(datasets_);
  }

 private:
  struct Filter {
    std::string name;
    std::string where;
    config::Position position;
    bool used = false;
  };

  void unknown_section(const Node& key) {
    for (const std::string_view known : kUnsupportedSections) {
      if (!begins_with_words(key.text(), known)) continue;
      return diagnostics_.error(
          key.position(),
          fmt::format("\"{}\" is not supported; supported are \"checks for <table>\" and \"filter <table> [name]\"",
                      known));
    }
    diagnostics_.error(
        key.position(),
        fmt::format("unknown section \"{}\"; expected \"checks for <table>\" or \"filter <table> [name]\"",
                    key.text()));
  }

  std::optional<Header> read_header(const Node& key, std::string_view beginning) {
    const std::size_t variable = key.text().find("${");
    if (variable != std::string::npos) {
      diagnostics_.error(position_in(key, variable), "variables are not supported; write the value itself");
      return std::nullopt;
    }
    auto header = parse_header(key.text(), beginning);
    if (header) return std::move(*header);
    diagnostics_.error(position_in(key, header.error().offset),
                       fmt::format("section \"{}\": {}", key.text(), header.error().message));
    return std::nullopt;
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
    if (!value.is_sequence()) {
      return diagnostics_.error(value.position(),
                                fmt::format("section \"{}\": expected a list of checks, each after \"- \", found {}",
                                            key.text(), value.kind_name()));
    }
    const FilterLookup filter = [this](const auto& table, const std::string& name) -> const std::string* {
      const auto found = filters_.find(joined(table) + '\n' + name);
      if (found == filters_.end()) return nullptr;
      found->second.used = true;
      return &found->second.where;
    };
    for (const Node& item : value.items()) {
      if (auto check = parse_check(item, dataset.table, diagnostics_, filter))
        dataset.checks.push_back(std::move(*check));
    }
    if (value.items().empty())
      diagnostics_.error(value.position(), fmt::format("section \"{}\": no checks", key.text()));
    datasets_.push_back(std::move(dataset));
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

  Diagnostics& diagnostics_;
  std::map<std::string, Filter> filters_;  // by table and name
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
    if (c == '$') return "a dollar sign is not allowed: neither variables nor dollar-quoted text are supported";
    if (c == '\\') return "a backslash is not allowed outside quotes";
    if (pair == "--" || pair == "/*") return "a SQL comment is not allowed";
    depth += c == '(' ? 1 : 0;
    depth -= c == ')' ? 1 : 0;
    if (depth < 0) return "a parenthesis closes that was not opened";
  }
  if (quote != '\0') return fmt::format("a quote {} is not closed", quote);
  return depth == 0 ? "" : "a parenthesis is not closed";
}

std::vector<Dataset> parse_check_file(const Node& root, Diagnostics& diagnostics) {
  return FileParser(diagnostics).run(root);
}

std::vector<Dataset> merge_datasets(std::vector<Dataset> datasets, Diagnostics& diagnostics) {
  std::vector<Dataset> merged;
  for (Dataset& dataset : datasets) {
    const auto same = std::ranges::find(merged, dataset.label(), &Dataset::label);
    if (same == merged.end()) {
      merged.push_back(std::move(dataset));
    } else if (same->where != dataset.where || same->table != dataset.table) {
      diagnostics.error(
          dataset.position,
          fmt::format("\"{}\" has another condition or table here than at {}; give the filter another name",
                      dataset.label(), same->position.to_string()));
    } else {
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
