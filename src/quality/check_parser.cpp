#include "quality/check_parser.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/reader.h"
#include "quality/expression.h"
#include "quality/group_by.h"
#include "quality/registry.h"
#include "quality/sample.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::Node;

/// What SodaCL has and Weir does not, with what to write instead: told apart from a misspelling.
struct Absent {
  std::string_view beginning;
  std::string_view instead;
};
constexpr std::array kAbsent = {
    Absent{"freshness using", "write freshness(column) < 1h30m"},
    Absent{"anomaly score for", "write \"anomaly detection for …\""},
    Absent{"group evolution", "it is part of Soda Cloud"},
    Absent{"reconciliation", "it is part of Soda Library; for row counts there is \"row_count same as\""},
};

/// Settings that belong to some checks and stand under another: whose they are.
struct Belonging {
  std::string_view key;
  std::string_view owner;
};
constexpr std::string_view kOfValues = "checks about the values of a column";
constexpr std::array kBelongings = {
    Belonging{"method", "distribution_difference"},
    Belonging{"distribution reference file", "distribution_difference"},
    Belonging{"bucket", "late_count and late_percent"},
    Belonging{"lateness", "late_count and late_percent"},
    Belonging{"query", "group by"},
    Belonging{"fields", "group by"},
    Belonging{"group_limit", "group by"},
    Belonging{"fail condition", "failed rows"},
    Belonging{"fail query", "failed rows"},
    Belonging{"filter", "checks about numbers of a table"},
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
  CheckParser(const Node& line, const Node& settings, const std::vector<std::string>& table, const Surroundings& around,
              const MakeProbe& make, Diagnostics& diagnostics)
      : line_(line),
        settings_(settings),
        table_(table),
        around_(around),
        make_(make),
        diagnostics_(diagnostics),
        what_("check \"" + line.text() + "\"") {}

  std::optional<Check> run() {
    const std::size_t errors = diagnostics_.errors().size();
    check_.position = line_.position();
    if (absent()) return std::nullopt;
    if (!settings_.is_mapping() && !settings_.is_null()) {
      error(settings_, "expected settings such as name: under the check, found " + std::string(settings_.kind_name()));
      return std::nullopt;
    }
    config::MapReader reader(settings_, diagnostics_, what_);
    ProbeContext context{line_, settings_, reader, expression_, check_, table_, diagnostics_, what_, around_};
    read_common(context);
    const auto form = std::ranges::find_if(
        line_forms(), [this](const LineForm& each) { return !make_ && each.matches(line_, settings_); });
    const bool read = form != line_forms().end() ? read_line_form(*form, context) : read_metric(context);
    if (!read) return std::nullopt;
    check_.samples = parse_samples(context);
    report_foreign_settings(reader);
    reader.finish();
    if (check_.name.empty()) check_.name = as_written();
    if (diagnostics_.errors().size() != errors || check_.probe == nullptr) return std::nullopt;
    return std::move(check_);
  }

 private:
  void read_common(ProbeContext& context) {
    check_.name = context.setting("name");
    check_.given_identity = context.setting("identity");
    if (const Node* attributes = context.reader.child("attributes")) {
      check_.attributes = parse_attributes(*attributes, what_, diagnostics_);
    }
  }

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

  bool absent() {
    const std::string text = one_line(line_.text());
    const auto known =
        std::ranges::find_if(kAbsent, [&](const Absent& each) { return text.starts_with(each.beginning); });
    if (known == kAbsent.end()) return false;
    error(0, fmt::format("\"{}\" is not supported; {}", known->beginning, known->instead));
    return true;
  }

  static std::string supported() {
    std::string words;
    for (const MetricForm& known : metric_forms()) words.append(words.empty() ? "" : ", ").append(known.word);
    for (const LineForm& known : line_forms()) words.append(", ").append(known.name);
    return "supported are " + words + ", group by, and \"change … for\" before most of them";
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
    auto expression = parse_expression(line_.text());
    if (!expression) {
      error(expression.error().offset, expression.error().message);
      auto metric = parse_metric(line_.text());
      if (metric) expression_ = std::move(*metric);
      if (metric && !make_ && !is_known(expression_.metric)) unknown_metric();
      return false;
    }
    expression_ = std::move(*expression);
    check_.change = expression_.change;
    check_.expected = expression_.condition;
    check_.warn_when = context.zone("warn");
    check_.fail_when = context.zone("fail");
    const auto known = std::ranges::find(metric_forms(), expression_.metric, &MetricForm::word);
    if (!make_ && known == metric_forms().end()) {
      unknown_metric();
      return false;
    }
    check_.probe = make_ ? make_(context) : known->parse(context);
    if (diagnostics_.errors().size() != errors || check_.probe == nullptr) return true;  // the settings are read on
    if (check_.change && !check_.probe->may_change()) {
      error(0, fmt::format("\"change for\" cannot be used with {}", expression_.metric));
    }
    judge_thresholds(true);
    return true;
  }

  static bool is_known(std::string_view metric) {
    return std::ranges::find(metric_forms(), metric, &MetricForm::word) != metric_forms().end();
  }

  void unknown_metric() {
    std::vector<std::string> words;
    for (const MetricForm& each : metric_forms()) words.emplace_back(each.word);
    error(expression_.metric_offset, fmt::format("unknown metric \"{}\"{}; {}", expression_.metric,
                                                 config::did_you_mean(expression_.metric, words), supported()));
  }

  void report_foreign_settings(config::MapReader& reader) {
    const auto report = [&](std::string_view key, std::string_view owner) {
      if (reader.asked(key)) return;
      const Node* node = reader.child(key);
      if (node != nullptr) error(*node, fmt::format("\"{}\" belongs to {}", key, owner));
    };
    for (const Belonging& each : kBelongings) report(each.key, each.owner);
    for (const std::string& key : validity_keys()) report(key, kOfValues);
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
      return error(expression_.condition_offset, word + " is no duration; write a number");
    }
    const bool beyond = condition.low < 0 || condition.low > 100 || condition.high < 0 || condition.high > 100;
    if (unit == Unit::percent && !check_.change && beyond) {
      return error(expression_.condition_offset, fmt::format("{} is always from 0 to 100", word));
    }
    if (condition.unit != Unit::percent) return;
    if (check_.change && !check_.change->percent) {
      // "change for row_count < 50%" can mean but one thing; with a percentage it could be points.
      if (unit != Unit::percent) {
        check_.change->percent = true;
        return;
      }
      return error(expression_.condition_offset, "for a relative change write \"change … percent for\"");
    }
    if (!check_.change && unit != Unit::percent) {
      error(expression_.condition_offset, fmt::format("{} is no percentage; write the number alone", word));
    }
  }

  const Node& line_;
  const Node& settings_;
  const std::vector<std::string>& table_;
  const Surroundings& around_;
  const MakeProbe& make_;
  Diagnostics& diagnostics_;
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

std::map<std::string, std::string> parse_attributes(const Node& node, const std::string& what,
                                                    Diagnostics& diagnostics) {
  std::map<std::string, std::string> attributes;
  if (!node.is_mapping()) {
    diagnostics.error(node.position(),
                      fmt::format("{}: \"attributes\": expected names and values such as owner: data-team, found {}",
                                  what, node.kind_name()));
    return attributes;
  }
  for (const auto& [key, value] : node.entries()) {
    std::string text = value.text();
    for (const Node& item : value.items()) text += (text.empty() ? "" : ", ") + item.text();
    const bool control = std::ranges::any_of(text, [](unsigned char c) { return c < ' '; });
    const bool lists = std::ranges::any_of(value.items(), [](const Node& item) { return !item.is_scalar(); });
    if (value.is_mapping() || value.is_null() || lists || control || text.size() > 500) {
      diagnostics.error(
          value.position(),
          fmt::format("{}: attribute \"{}\": expected a text, a number or a list of them", what, key.text()));
      continue;
    }
    attributes[key.text()] = text;
  }
  return attributes;
}

std::vector<Check> parse_check(const Node& item, const std::vector<std::string>& table, const Surroundings& around,
                               Diagnostics& diagnostics, const MakeProbe& make) {
  static const Node kNothing;
  const auto one = [&](const Node& line, const Node& settings) {
    if (!make && one_line(line.text()) == "group by") {
      return parse_group_by(line, settings, table, around, diagnostics);
    }
    std::vector<Check> checks;
    auto check = CheckParser(line, settings, table, around, make, diagnostics).run();
    if (check) checks.push_back(std::move(*check));
    return checks;
  };
  if (item.is_scalar()) return one(item, kNothing);
  if (item.is_mapping() && item.entries().size() == 1) return one(item.entries()[0].first, item.entries()[0].second);
  if (item.is_mapping() && item.entries().size() > 1) {
    diagnostics.error(
        item.entries()[1].first.position(),
        fmt::format("\"{}\" stands beside the check \"{}\"; indent it further to make it a setting of the check",
                    item.entries()[1].first.text(), item.entries()[0].first.text()));
    return {};
  }
  diagnostics.error(item.position(),
                    "expected a check such as \"row_count > 0\", found " + std::string(item.kind_name()));
  return {};
}

}  // namespace weir::quality
