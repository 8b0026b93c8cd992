#include "quality/check_parser.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>

#include "config/reader.h"
#include "quality/expression.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;

struct MetricWord {
  std::string_view word;
  MetricKind kind;
  bool may_change;  // as in "change for …"
};

/// Every metric a check can be about. A new one is a line here, and its expressions in planner.cpp and judge.cpp.
constexpr std::array kMetrics = {
    MetricWord{"row_count", MetricKind::row_count, true},
    MetricWord{"freshness", MetricKind::freshness, false},
    MetricWord{"missing_count", MetricKind::missing_count, true},
    MetricWord{"missing_percent", MetricKind::missing_percent, true},
    MetricWord{"min", MetricKind::min, true},
    MetricWord{"max", MetricKind::max, true},
    MetricWord{"avg", MetricKind::avg, true},
    MetricWord{"distribution_difference", MetricKind::distribution, false},
};

/// What SodaCL has and Weir does not yet: told apart from a misspelling.
constexpr std::array<std::string_view, 24> kUnsupportedMetrics = {
    "duplicate_count", "duplicate_percent", "invalid_count", "invalid_percent", "sum",      "stddev",
    "stddev_pop",      "stddev_samp",       "variance",      "var_pop",         "var_samp", "percentile",
    "avg_length",      "min_length",        "max_length",    "schema",          "failed",   "values",
    "anomaly",         "reference",         "cross",         "reconciliation",  "group",    "discover"};
constexpr std::array<std::string_view, 21> kUnsupportedSettings = {
    "filter",           "attributes",      "identity",
    "samples limit",    "samples columns", "collect failed rows",
    "valid values",     "invalid values",  "missing values",
    "missing regex",    "missing format",  "valid regex",
    "valid format",     "valid length",    "valid min length",
    "valid max length", "valid min",       "valid max",
    "condition",        "sample",          "sql"};

class CheckParser {
 public:
  CheckParser(const Node& line, const Node& settings, Diagnostics& diagnostics)
      : line_(line), settings_(settings), diagnostics_(diagnostics), what_("check \"" + line.text() + "\"") {}

  std::optional<Check> run() {
    const std::size_t errors = diagnostics_.errors().size();
    Check check;
    check.position = line_.position();
    if (!known_beginning()) return std::nullopt;
    const auto expression = parse_expression(line_.text());
    if (!expression) {
      error(expression.error().offset, expression.error().message);
      return std::nullopt;
    }
    check.change = expression->change;
    check.expected = expression->condition;
    if (!read_metric(*expression, check)) return std::nullopt;
    read_settings(*expression, check);
    if (diagnostics_.errors().size() == errors) judge_thresholds(*expression, check);
    if (check.name.empty()) check.name = as_written();
    if (diagnostics_.errors().size() != errors) return std::nullopt;
    return check;
  }

 private:
  /// A label should be found where it was written: with its spaces in order, and otherwise untouched.
  std::string as_written() const {
    std::string text = one_line(line_.text());
    for (const std::string_view key : {"warn", "fail"}) {
      const Node* zone = settings_.find(key);
      if (zone != nullptr) text += fmt::format(" {} {}", key, one_line(zone->text()));
    }
    return text;
  }

  static std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
      const bool space = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
      if (!space) line += c;
      if (space && !line.empty() && line.back() != ' ') line += ' ';
    }
    if (line.ends_with(' ')) line.pop_back();
    return line;
  }

  void error(std::size_t offset, const std::string& message) {
    diagnostics_.error(position_in(line_, offset), what_ + ": " + message);
  }
  void error(const Node& node, const std::string& message) {
    diagnostics_.error(node.position(), what_ + ": " + message);
  }

  /// Forms that are no metric checks at all are named before the grammar stumbles over them.
  bool known_beginning() {
    const std::string& text = line_.text();
    if (text.find("${") != std::string::npos) {
      error(text.find("${"), "variables are not supported; write the value itself");
      return false;
    }
    const std::string_view word = std::string_view(text).substr(0, text.find_first_of(" (:<=>"));
    if (std::ranges::find(kUnsupportedMetrics, word) != kUnsupportedMetrics.end()) {
      error(0, fmt::format("\"{}\" is not supported; {}", word, supported()));
      return false;
    }
    if (text.starts_with("row_count same as")) {
      error(0, "comparing the row counts of two tables is not supported; " + supported());
      return false;
    }
    return true;
  }

  static std::string supported() {
    std::string words;
    for (const MetricWord& known : kMetrics) words.append(words.empty() ? "" : ", ").append(known.word);
    return "supported are " + words + ", and \"change … for\" before most of them";
  }

  bool read_metric(const Expression& expression, Check& check) {
    const auto known = std::ranges::find(kMetrics, expression.metric, &MetricWord::word);
    if (known == kMetrics.end()) {
      std::vector<std::string> words;
      for (const MetricWord& each : kMetrics) words.emplace_back(each.word);
      const std::string hint = config::did_you_mean(expression.metric, words);
      const bool later = std::ranges::find(kUnsupportedMetrics, expression.metric) != kUnsupportedMetrics.end();
      error(expression.metric_offset,
            later ? fmt::format("\"{}\" is not supported; {}", expression.metric, supported())
                  : fmt::format("unknown metric \"{}\"{}; {}", expression.metric, hint, supported()));
      return false;
    }
    check.metric.kind = known->kind;
    if (expression.change && !known->may_change) {
      error(0, fmt::format("\"change for\" cannot be used with {}", expression.metric));
      return false;
    }
    const bool distribution = check.metric.kind == MetricKind::distribution;
    const std::size_t least = check.metric.kind == MetricKind::row_count ? 0 : 1;
    const std::size_t most = distribution ? 2 : least;
    const std::size_t given = expression.arguments.size();
    if (given > most && check.metric.kind == MetricKind::freshness) {
      error(expression.arguments[1].offset,
            "a variable instead of the present time is not supported; write freshness(column)");
    } else if (given < least || given > most) {
      error(expression.metric_offset,
            least == 0 ? std::string("row_count takes no column; write just row_count")
                       : fmt::format("{0} is about one column; write {0}(column)", expression.metric));
    }
    if (given >= 1 && least >= 1) check.metric.column = expression.arguments[0].text;
    return given >= least && given <= most;
  }

  void read_settings(const Expression& expression, Check& check) {
    const bool distribution = check.metric.kind == MetricKind::distribution;
    if (!settings_.is_mapping() && !settings_.is_null()) {
      return error(settings_,
                   "expected settings such as name: under the check, found " + std::string(settings_.kind_name()));
    }
    config::MapReader reader(settings_, diagnostics_, what_);
    check.name = setting(reader, "name");
    check.warn_when = zone(reader, "warn");
    check.fail_when = zone(reader, "fail");
    if (distribution) read_reference(expression, reader, check);
    for (const std::string_view unsupported : kUnsupportedSettings) {
      if (const Node* node = reader.child(unsupported)) {
        error(*node, fmt::format("\"{}\" is not supported; supported are name, warn and fail", unsupported));
      }
    }
    if (!distribution) {
      for (const std::string_view key : {"method", "distribution reference file"}) {
        if (const Node* node = reader.child(key))
          error(*node, fmt::format("\"{}\" belongs to distribution_difference", key));
      }
    }
    reader.finish();
  }

  std::string setting(config::MapReader& reader, std::string_view key) {
    const Node* node = reader.child(key);
    if (node == nullptr) return {};
    const bool control = std::ranges::any_of(node->text(), [](unsigned char c) { return c < ' '; });
    if (!node->is_scalar() || node->text().empty() || node->text().size() > 500 || control) {
      error(*node, fmt::format("\"{}\": expected one line of text", key));
      return {};
    }
    return node->text();
  }

  std::optional<Condition> zone(config::MapReader& reader, std::string_view key) {
    const Node* node = reader.child(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_scalar()) {
      error(*node, fmt::format("\"{}\": expected a condition such as \"when < 10\", found {}", key, node->kind_name()));
      return std::nullopt;
    }
    const auto condition = parse_zone(node->text());
    if (condition) return *condition;
    diagnostics_.error(position_in(*node, condition.error().offset),
                       fmt::format("{}: \"{}\": {}", what_, key, condition.error().message));
    return std::nullopt;
  }

  void read_reference(const Expression& expression, config::MapReader& reader, Check& check) {
    const std::string name = expression.arguments.size() > 1 ? expression.arguments[1].text : "";
    if (const Node* method = reader.child("method"); method == nullptr || method->text() != "psi") {
      error(method == nullptr ? line_ : *method, "write \"method: psi\"; other methods are not supported");
    }
    const std::string file = setting(reader, "distribution reference file");
    if (file.empty()) {
      if (!reader.has("distribution reference file")) error(line_, "key \"distribution reference file\" is missing");
      return;
    }
    const std::filesystem::path path = std::filesystem::path(line_.position().file).parent_path() / file;
    const std::string full = path.lexically_normal().string();
    const auto content = config::read_file(full);
    if (!content)
      return reader.error("distribution reference file", fmt::format("\"{}\" {}", full, content.error().message));
    const std::size_t errors = diagnostics_.errors().size();
    const Node root = config::parse_yaml(*content, full, diagnostics_);
    if (diagnostics_.errors().size() != errors) return;
    check.metric.reference =
        std::make_shared<const Reference>(parse_reference(root, name, check.metric.column, diagnostics_));
  }

  void judge_thresholds(const Expression& expression, const Check& check) {
    if (check.expected && (check.warn_when || check.fail_when)) {
      return error(expression.condition_offset, "give either a threshold here or warn: and fail:, not both");
    }
    if (!check.expected && !check.warn_when && !check.fail_when) {
      return error(expression.condition_offset,
                   check.metric.kind == MetricKind::freshness
                       ? "a threshold is missing, such as < 1h30m"
                       : "a threshold is missing, such as > 0, or warn: and fail: under the check");
    }
    for (const auto& condition : {check.expected, check.warn_when, check.fail_when}) {
      if (condition) judge_unit(expression, check, *condition);
    }
    if (check.warn_when && check.fail_when && check.warn_when->within(*check.fail_when)) {
      error(*settings_.find("warn"), fmt::format("\"warn\" would never be seen: whatever is {} is {} too, and fails",
                                                 check.warn_when->to_string(), check.fail_when->to_string()));
    }
    if (check.metric.kind != MetricKind::freshness) return;
    using Op = Condition::Op;
    const auto is = [](const std::optional<Condition>& condition, Op strict, Op loose) {
      return !condition || condition->op == strict || condition->op == loose;
    };
    if (!is(check.expected, Op::less, Op::less_equal)) {
      error(expression.condition_offset, "freshness is expected to be below a bound: freshness(column) < 1h30m");
    }
    if (!is(check.warn_when, Op::greater, Op::greater_equal) || !is(check.fail_when, Op::greater, Op::greater_equal)) {
      error(expression.condition_offset, "freshness warns and fails above a bound: \"when > 1h30m\"");
    }
  }

  void judge_unit(const Expression& expression, const Check& check, const Condition& condition) {
    const bool duration = check.metric.kind == MetricKind::freshness;
    if (duration && condition.unit != Unit::duration) {
      return error(expression.condition_offset, "freshness is compared with a duration, such as 1h30m or 2d");
    }
    if (!duration && condition.unit == Unit::duration) {
      return error(expression.condition_offset, "a duration is for freshness only");
    }
    const bool beyond = condition.low < 0 || condition.low > 100 || condition.high < 0 || condition.high > 100;
    if (check.metric.kind == MetricKind::missing_percent && !check.change && beyond) {
      return error(expression.condition_offset, fmt::format("{} is always from 0 to 100", expression.metric));
    }
    if (condition.unit != Unit::percent) return;
    if (check.change && !check.change->percent) {
      return error(expression.condition_offset, "for a relative change write \"change … percent for\"");
    }
    if (!check.change && check.metric.kind != MetricKind::missing_percent) {
      error(expression.condition_offset, fmt::format("{} is no percentage; write the number alone", expression.metric));
    }
  }

  const Node& line_;
  const Node& settings_;
  Diagnostics& diagnostics_;
  const std::string what_;
};

}  // namespace

config::Position position_in(const Node& scalar, std::size_t offset) {
  config::Position position = scalar.position();
  const bool one_line = scalar.text().find('\n') == std::string::npos;
  if (position.column > 0 && one_line && !scalar.derived()) position.column += static_cast<int>(offset) + (scalar.quoted() ? 1 : 0);
  return position;
}

std::optional<Check> parse_check(const Node& item, Diagnostics& diagnostics) {
  static const Node kNothing;
  if (item.is_scalar()) return CheckParser(item, kNothing, diagnostics).run();
  if (item.is_mapping() && item.entries().size() == 1) {
    return CheckParser(item.entries()[0].first, item.entries()[0].second, diagnostics).run();
  }
  if (item.is_mapping() && item.entries().size() > 1) {
    diagnostics.error(
        item.entries()[1].first.position(),
        fmt::format("\"{}\" stands beside the check \"{}\"; indent it further to make it a setting of the check",
                    item.entries()[1].first.text(), item.entries()[0].first.text()));
    return std::nullopt;
  }
  diagnostics.error(item.position(),
                    "expected a check such as \"row_count > 0\", found " + std::string(item.kind_name()));
  return std::nullopt;
}

}  // namespace weir::quality
