#include "rules/unit_test_file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <re2/re2.h>

#include "config/reader.h"
#include "rules/loader.h"

namespace weir::rules {
namespace {

constexpr core::Duration kLongest = std::chrono::hours(24 * 365 * 100);

/// A number as YAML 1.1 of Go's yaml.v2 takes it into a float64.
std::optional<double> yaml_number(const config::Node& node) {
  if (node.is_null()) return 0;
  if (!node.is_scalar() || node.quoted()) return std::nullopt;
  std::string text = node.text();
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  static const std::map<std::string, double> kNamed{{".inf", kInf},
                                                    {".Inf", kInf},
                                                    {".INF", kInf},
                                                    {"+.inf", kInf},
                                                    {"+.Inf", kInf},
                                                    {"+.INF", kInf},
                                                    {"-.inf", -kInf},
                                                    {"-.Inf", -kInf},
                                                    {"-.INF", -kInf},
                                                    {".nan", std::numeric_limits<double>::quiet_NaN()},
                                                    {".NaN", std::numeric_limits<double>::quiet_NaN()},
                                                    {".NAN", std::numeric_limits<double>::quiet_NaN()}};
  if (const auto named = kNamed.find(text); named != kNamed.end()) return named->second;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  std::optional<double> value;
  std::string plain = text;
  std::erase(plain, '_');
  for (const auto& [prefix, base] :
       {std::pair("0x", 16), std::pair("0X", 16), std::pair("0b", 2), std::pair("0o", 8)}) {
    std::uint64_t whole = 0;
    if (!plain.starts_with(prefix)) continue;
    const auto [stop, failed] = std::from_chars(plain.data() + 2, plain.data() + plain.size(), whole, base);
    if (failed == std::errc() && stop == plain.data() + plain.size()) value = static_cast<double>(whole);
  }
  static const re2::RE2 kFloat(R"((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
  if (!value && re2::RE2::FullMatch(plain, kFloat)) value = parse_go_number(plain);
  if (value && negative) value = -*value;
  return value;
}

class FileReader {
 public:
  FileReader(const std::string& text, const std::string& file) : text_(text), place_(text) { result_.file = file; }

  std::expected<UnitTestFile, config::Diagnostics> run() {
    const config::Node root = config::parse_yaml(text_, result_.file, diagnostics_);
    if (!diagnostics_.ok()) return std::unexpected(diagnostics_);
    config::MapReader reader(root, diagnostics_, "unit tests");
    std::vector<const config::Node*> patterns = list(reader, "rule_files");
    result_.evaluation_interval = duration(reader, "evaluation_interval");
    if (result_.evaluation_interval == core::Duration::zero()) result_.evaluation_interval = std::chrono::minutes(1);
    const auto order = group_order(reader);
    result_.fuzzy_compare = reader.boolean("fuzzy_compare", false);
    for (const config::Node* test : list(reader, "tests")) result_.tests.push_back(read_test(*test));
    reader.finish();
    find_rules(patterns);
    // Without a test promtool reads no rules.
    if (diagnostics_.ok() && !result_.tests.empty()) load_rules(order);
    if (!diagnostics_.ok()) return std::unexpected(diagnostics_);
    return std::move(result_);
  }

 private:
  // The getters of MapReader expand environment variables and take one value for a list; promtool does neither.
  static std::string text(config::MapReader& reader, std::string_view key) {
    const config::Node* node = reader.child(key);
    if (node == nullptr || node->is_scalar() || node->is_null()) return node == nullptr ? "" : node->text();
    reader.error(*node, fmt::format("\"{}\": expected text, found {}", key, node->kind_name()));
    return {};
  }

  static std::vector<const config::Node*> list(config::MapReader& reader, std::string_view key) {
    const config::Node* node = reader.child(key);
    if (node == nullptr || node->is_null() || node->is_sequence()) return reader.list(key);
    reader.error(*node, fmt::format("\"{}\": expected a list, found {}", key, node->kind_name()));
    return {};
  }

  static std::vector<std::pair<const config::Node*, const config::Node*>> entries(config::MapReader& reader,
                                                                                  std::string_view key) {
    std::vector<std::pair<const config::Node*, const config::Node*>> found;
    const config::Node* node = reader.child(key);
    if (node == nullptr || node->is_null()) return found;
    if (!node->is_mapping())
      reader.error(*node, fmt::format("\"{}\": expected a mapping, found {}", key, node->kind_name()));
    for (const auto& [name, value] : node->entries()) {
      if (value.is_scalar() || value.is_null()) {
        found.emplace_back(&name, &value);
      } else {
        reader.error(value,
                     fmt::format("\"{}\": \"{}\": expected text, found {}", key, name.text(), value.kind_name()));
      }
    }
    return found;
  }

  static core::Duration duration(config::MapReader& reader, std::string_view key) {
    const std::string written = text(reader, key);
    const config::Node* node = reader.child(key);
    if (node == nullptr || !node->is_scalar()) return {};
    const auto parsed = core::parse_duration(written);
    if (!parsed) {
      reader.error(*node, fmt::format("\"{}\": {}", key, parsed.error().message));
    } else if (*parsed > kLongest) {
      reader.error(*node, fmt::format("\"{}\": is longer than 100y", key));
    }
    return parsed && *parsed <= kLongest ? *parsed : core::Duration::zero();
  }

  std::map<std::string, std::size_t> group_order(config::MapReader& reader) {
    std::map<std::string, std::size_t> order;
    for (const config::Node* name : list(reader, "group_eval_order")) {
      if (!order.emplace(name->text(), order.size()).second)
        reader.error(*name, fmt::format("\"group_eval_order\": group \"{}\" is given twice", name->text()));
    }
    return order;
  }

  void find_rules(const std::vector<const config::Node*>& patterns) {
    for (const config::Node* pattern : patterns) {
      if (!pattern->is_scalar()) {
        diagnostics_.error(pattern->position(),
                           fmt::format("\"rule_files\": expected text, found {}", pattern->kind_name()));
        continue;
      }
      const std::string& text = pattern->text();
      const std::vector<std::string> files =
          text.empty() ? std::vector<std::string>() : expand_glob(text, result_.file);
      if (files.empty())
        result_.notes.push_back({pattern->position(), fmt::format("no rule file matches \"{}\"", pattern->text())});
      for (const std::string& file : files) {
        if (std::ranges::find(result_.rule_files, file) == result_.rule_files.end()) result_.rule_files.push_back(file);
      }
    }
  }

  void load_rules(const std::map<std::string, std::size_t>& order) {
    result_.groups = load(result_.rule_files, diagnostics_, std::chrono::minutes(1), Dialect::prometheus);
    // Groups that are not listed come with the first one; among equals promtool's order is random, here it is the
    // files'.
    const auto place = [&](const Group& group) {
      const auto listed = order.find(group.name);
      return listed == order.end() ? 0 : listed->second;
    };
    std::ranges::stable_sort(result_.groups, {}, place);
  }

  UnitTest read_test(const config::Node& node) {
    config::MapReader reader(node, diagnostics_, "test");
    UnitTest test;
    test.position = node.position();
    test.name = text(reader, "name");
    test.interval = duration(reader, "interval");
    if (test.interval == core::Duration::zero()) test.interval = result_.evaluation_interval;
    test.input = read_input_series(reader.child("input_series"), place_, diagnostics_, budget_);
    std::ranges::copy(test.input.notes, std::back_inserter(result_.notes));
    for (const config::Node* item : list(reader, "alert_rule_test")) test.alerts.push_back(read_alert_check(*item));
    for (const config::Node* item : list(reader, "promql_expr_test"))
      test.expressions.push_back(read_expression_check(*item));
    core::LabelsBuilder labels;
    for (const auto& [name, value] : entries(reader, "external_labels")) labels.set(name->text(), value->text());
    test.external_labels = labels.build();
    test.external_url = text(reader, "external_url");
    reader.finish();
    return test;
  }

  AlertCheck read_alert_check(const config::Node& node) {
    config::MapReader reader(node, diagnostics_, "alert_rule_test");
    AlertCheck check;
    check.position = node.position();
    check.eval_time = duration(reader, "eval_time");
    check.alertname = text(reader, "alertname");
    for (const config::Node* item : list(reader, "exp_alerts")) {
      config::MapReader alert(*item, diagnostics_, "exp_alerts");
      ExpectedAlert expected;
      expected.position = item->position();
      for (const auto& [name, value] : entries(alert, "exp_labels")) expected.labels[name->text()] = value->text();
      for (const auto& [name, value] : entries(alert, "exp_annotations"))
        expected.annotations[name->text()] = value->text();
      expected.labels["alertname"] = check.alertname;
      alert.finish();
      check.expected.push_back(std::move(expected));
    }
    reader.finish();
    return check;
  }

  ExpressionCheck read_expression_check(const config::Node& node) {
    config::MapReader reader(node, diagnostics_, "promql_expr_test");
    ExpressionCheck check;
    check.position = node.position();
    check.expression = text(reader, "expr");
    check.eval_time = duration(reader, "eval_time");
    for (const config::Node* item : list(reader, "exp_samples")) {
      config::MapReader sample(*item, diagnostics_, "exp_samples");
      ExpectedSample expected;
      expected.position = item->position();
      expected.labels = text(sample, "labels");
      if (const config::Node* value = sample.child("value")) {
        const auto number = yaml_number(*value);
        if (!number) sample.error(*value, fmt::format("\"value\": \"{}\" is not a number", value->text()));
        expected.value = number.value_or(0);
      }
      if (const config::Node* histogram = sample.child("histogram"))
        sample.error(*histogram, "\"histogram\": native histograms are not supported");
      sample.finish();
      check.expected.push_back(std::move(expected));
    }
    reader.finish();
    return check;
  }

  const std::string& text_;
  config::YamlPlace place_;
  config::Diagnostics diagnostics_;
  UnitTestFile result_;
  std::size_t budget_ = kMostFileValues;
};

}  // namespace

core::Duration UnitTest::last_eval_time() const {
  core::Duration last{0};
  for (const AlertCheck& check : alerts) last = std::max(last, check.eval_time);
  for (const ExpressionCheck& check : expressions) last = std::max(last, check.eval_time);
  return last;
}

std::expected<UnitTestFile, config::Diagnostics> parse_unit_tests(const std::string& text, const std::string& file) {
  return FileReader(text, file).run();
}

std::expected<UnitTestFile, config::Diagnostics> load_unit_tests(const std::string& file) {
  config::Diagnostics diagnostics;
  const auto text = read_text_file(file, diagnostics);
  if (!text) return std::unexpected(diagnostics);
  return parse_unit_tests(*text, file);
}

}  // namespace weir::rules
