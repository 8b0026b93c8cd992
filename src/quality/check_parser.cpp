#include "quality/check_parser.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/reader.h"
#include "quality/expression.h"
#include "quality/registry.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;

/// What SodaCL has and Weir does not yet: told apart from a misspelling.
constexpr std::array<std::string_view, 21> kUnsupportedMetrics = {
    "duplicate_count", "duplicate_percent", "invalid_count", "invalid_percent", "sum",
    "stddev",          "stddev_pop",        "stddev_samp",   "variance",        "var_pop",
    "var_samp",        "percentile",        "avg_length",    "min_length",      "max_length",
    "anomaly",         "reference",         "cross",         "reconciliation",  "group",
    "discover"};

/// Settings that belong to some checks and stand under another: whose they are, "" for nobody's.
struct Belonging {
  std::string_view key;
  std::string_view owner;
};
constexpr std::array kBelongings = {
    Belonging{"method", "distribution_difference"},
    Belonging{"distribution reference file", "distribution_difference"},
    Belonging{"filter", ""},
    Belonging{"attributes", ""},
    Belonging{"identity", ""},
    Belonging{"samples limit", ""},
    Belonging{"samples columns", ""},
    Belonging{"collect failed rows", ""},
    Belonging{"valid values", ""},
    Belonging{"invalid values", ""},
    Belonging{"missing values", ""},
    Belonging{"missing regex", ""},
    Belonging{"missing format", ""},
    Belonging{"valid regex", ""},
    Belonging{"valid format", ""},
    Belonging{"valid length", ""},
    Belonging{"valid min length", ""},
    Belonging{"valid max length", ""},
    Belonging{"condition", ""},
    Belonging{"sample", ""},
    Belonging{"sql", ""},
};

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

class CheckParser {
 public:
  CheckParser(const Node& line, const Node& settings, const std::vector<std::string>& table, Diagnostics& diagnostics,
              const FilterLookup& filter)
      : line_(line),
        settings_(settings),
        table_(table),
        diagnostics_(diagnostics),
        filter_(filter),
        what_("check \"" + line.text() + "\"") {}

  std::optional<Check> run() {
    const std::size_t errors = diagnostics_.errors().size();
    check_.position = line_.position();
    if (!known_beginning()) return std::nullopt;
    if (!settings_.is_mapping() && !settings_.is_null()) {
      error(settings_, "expected settings such as name: under the check, found " + std::string(settings_.kind_name()));
      return std::nullopt;
    }
    config::MapReader reader(settings_, diagnostics_, what_);
    ProbeContext context{line_, settings_, reader, expression_, check_, table_, diagnostics_, what_, filter_};
    check_.name = context.setting("name");
    const auto form =
        std::ranges::find_if(line_forms(), [this](const LineForm& each) { return each.matches(line_, settings_); });
    const bool read = form != line_forms().end() ? read_line_form(*form, context) : read_metric(context);
    if (!read) return std::nullopt;
    report_foreign_settings(reader);
    reader.finish();
    if (check_.name.empty()) check_.name = as_written();
    if (diagnostics_.errors().size() != errors || check_.probe == nullptr) return std::nullopt;
    return std::move(check_);
  }

 private:
  /// A label should be found where it was written: with its spaces in order, and otherwise untouched.
  std::string as_written() const {
    std::string text = one_line(line_.text());
    for (const std::string_view key : {"warn", "fail"}) {
      const Node* zone = settings_.find(key);
      if (zone != nullptr && zone->is_scalar()) text += fmt::format(" {} {}", key, one_line(zone->text()));
    }
    return text;
  }

  void error(std::size_t offset, const std::string& message) {
    diagnostics_.error(position_in(line_, offset), what_ + ": " + message);
  }
  void error(const Node& node, const std::string& message) {
    diagnostics_.error(node.position(), what_ + ": " + message);
  }

  bool known_beginning() {
    const std::string& text = line_.text();
    if (text.find("${") == std::string::npos) return true;
    error(text.find("${"), "variables are not supported; write the value itself");
    return false;
  }

  static bool has_metric(std::string_view word) {
    return std::ranges::find(metric_forms(), word, &MetricForm::word) != metric_forms().end();
  }

  static std::string supported() {
    std::string words;
    for (const MetricForm& known : metric_forms()) words.append(words.empty() ? "" : ", ").append(known.word);
    for (const LineForm& known : line_forms()) words.append(", ").append(known.name);
    return "supported are " + words + ", and \"change … for\" before most of them";
  }

  bool read_line_form(const LineForm& form, ProbeContext& context) {
    const std::size_t errors = diagnostics_.errors().size();
    if (form.thresholds != LineForm::Thresholds::own) {
      check_.warn_when = context.zone("warn");
      check_.fail_when = context.zone("fail");
    }
    check_.probe = form.parse(context);
    if (check_.probe == nullptr || diagnostics_.errors().size() != errors) return false;
    if (form.thresholds != LineForm::Thresholds::own) {
      judge_thresholds(form.thresholds == LineForm::Thresholds::required);
    }
    return true;
  }

  bool read_metric(ProbeContext& context) {
    const std::size_t errors = diagnostics_.errors().size();
    if (!known_word()) return false;
    auto expression = parse_expression(line_.text());
    if (!expression) {
      error(expression.error().offset, expression.error().message);
      return false;
    }
    expression_ = std::move(*expression);
    check_.change = expression_.change;
    check_.expected = expression_.condition;
    const auto known = std::ranges::find(metric_forms(), expression_.metric, &MetricForm::word);
    if (known == metric_forms().end()) {
      unknown_metric();
      return false;
    }
    check_.warn_when = context.zone("warn");
    check_.fail_when = context.zone("fail");
    check_.probe = known->parse(context);
    if (diagnostics_.errors().size() != errors || check_.probe == nullptr) return true;  // the settings are read on
    if (check_.change && !check_.probe->may_change()) {
      error(0, fmt::format("\"change for\" cannot be used with {}", expression_.metric));
    }
    judge_thresholds(true);
    return true;
  }

  /// Forms that are no metric checks at all are named before the grammar stumbles over them.
  bool known_word() {
    const std::string& text = line_.text();
    const std::string_view word = std::string_view(text).substr(0, text.find_first_of(" (:<=>"));
    if (!has_metric(word) && std::ranges::find(kUnsupportedMetrics, word) != kUnsupportedMetrics.end()) {
      error(0, fmt::format("\"{}\" is not supported; {}", word, supported()));
      return false;
    }
    return true;
  }

  void unknown_metric() {
    const bool later = std::ranges::find(kUnsupportedMetrics, expression_.metric) != kUnsupportedMetrics.end();
    std::vector<std::string> words;
    for (const MetricForm& each : metric_forms()) words.emplace_back(each.word);
    const std::string hint = config::did_you_mean(expression_.metric, words);
    error(expression_.metric_offset,
          later ? fmt::format("\"{}\" is not supported; {}", expression_.metric, supported())
                : fmt::format("unknown metric \"{}\"{}; {}", expression_.metric, hint, supported()));
  }

  void report_foreign_settings(config::MapReader& reader) {
    for (const Belonging& each : kBelongings) {
      if (reader.asked(each.key)) continue;
      const Node* node = reader.child(each.key);
      if (node == nullptr) continue;
      error(*node, each.owner.empty()
                       ? fmt::format("\"{}\" is not supported; supported are name, warn and fail", each.key)
                       : fmt::format("\"{}\" belongs to {}", each.key, each.owner));
    }
  }

  void judge_thresholds(bool required) {
    if (check_.expected && (check_.warn_when || check_.fail_when)) {
      return error(expression_.condition_offset, "give either a threshold here or warn: and fail:, not both");
    }
    if (required && !check_.expected && !check_.warn_when && !check_.fail_when) {
      return error(expression_.condition_offset,
                   check_.probe->unit() == Unit::duration
                       ? "a threshold is missing, such as < 1h30m"
                       : "a threshold is missing, such as > 0, or warn: and fail: under the check");
    }
    for (const auto& condition : {check_.expected, check_.warn_when, check_.fail_when}) {
      if (condition) judge_unit(*condition);
    }
    if (check_.warn_when && check_.fail_when && check_.warn_when->within(*check_.fail_when)) {
      error(*settings_.find("warn"), fmt::format("\"warn\" would never be seen: whatever is {} is {} too, and fails",
                                                 check_.warn_when->to_string(), check_.fail_when->to_string()));
    }
  }

  void judge_unit(const Condition& condition) {
    const Unit unit = check_.probe->unit();
    const std::string word = expression_.metric.empty() ? check_.probe->text() : expression_.metric;
    if (unit == Unit::duration && condition.unit != Unit::duration) {
      return error(expression_.condition_offset, word + " is compared with a duration, such as 1h30m or 2d");
    }
    if (unit != Unit::duration && condition.unit == Unit::duration) {
      return error(expression_.condition_offset, "a duration is for freshness only");
    }
    const bool beyond = condition.low < 0 || condition.low > 100 || condition.high < 0 || condition.high > 100;
    if (unit == Unit::percent && !check_.change && beyond) {
      return error(expression_.condition_offset, fmt::format("{} is always from 0 to 100", word));
    }
    if (condition.unit != Unit::percent) return;
    if (check_.change && !check_.change->percent) {
      return error(expression_.condition_offset, "for a relative change write \"change … percent for\"");
    }
    if (!check_.change && unit != Unit::percent) {
      error(expression_.condition_offset, fmt::format("{} is no percentage; write the number alone", word));
    }
  }

  const Node& line_;
  const Node& settings_;
  const std::vector<std::string>& table_;
  Diagnostics& diagnostics_;
  const FilterLookup& filter_;
  const std::string what_;
  Expression expression_;
  Check check_;
};

}  // namespace

config::Position position_in(const Node& scalar, std::size_t offset) {
  config::Position position = scalar.position();
  const bool one_line = scalar.text().find('\n') == std::string::npos;
  if (position.column > 0 && one_line && !scalar.derived())
    position.column += static_cast<int>(offset) + (scalar.quoted() ? 1 : 0);
  return position;
}

std::optional<Check> parse_check(const Node& item, const std::vector<std::string>& table, Diagnostics& diagnostics,
                                 const FilterLookup& filter) {
  static const Node kNothing;
  if (item.is_scalar()) return CheckParser(item, kNothing, table, diagnostics, filter).run();
  if (item.is_mapping() && item.entries().size() == 1) {
    return CheckParser(item.entries()[0].first, item.entries()[0].second, table, diagnostics, filter).run();
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
