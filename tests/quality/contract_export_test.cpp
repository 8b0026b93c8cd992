#include "quality/contract_export.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "quality/contract.h"

namespace weir::quality {
namespace {

using config::Node;

Node parse(const std::string& text) {
  config::Diagnostics diagnostics;
  Node root = config::parse_yaml(text, "checks.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string() << text;
  return root;
}

Node to_contract(const Node& checks) {
  config::Diagnostics diagnostics;
  // By way of text, as files go.
  Node contract = parse(config::to_yaml(checks_to_contract(checks, diagnostics)));
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_TRUE(is_contract(contract));
  return contract;
}

Node to_checks(const Node& contract) {
  config::Diagnostics diagnostics;
  Node checks = contract_to_checks(contract, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string() << config::to_yaml(contract);
  return parse(config::to_yaml(checks));
}

/// Each check with its section, sorted, without the schema check that a contract's properties make.
std::vector<std::string> lines(const Node& checks) {
  std::vector<std::string> all;
  for (const auto& [key, value] : checks.entries()) {
    if (!value.is_sequence()) {
      all.push_back(key.text() + "\n" + config::to_yaml(value));
      continue;
    }
    for (const Node& item : value.items()) {
      const std::string text = config::to_yaml(item);
      if (text.find("columns are those of the contract") == std::string::npos) all.push_back(key.text() + "\n" + text);
    }
  }
  std::ranges::sort(all);
  return all;
}

TEST(ContractExport, CountsAreLibraryRulesAndTheRestIsSoda) {
  const Node contract = to_contract(parse(
      "checks for sales.orders:\n- row_count between 10 and 20\n- missing_percent(id) < 5%:\n    name: ids\n- "
      "avg(amount) > 3\n"
      "- duplicate_count(a, b) = 0\n- invalid_count(country):\n    valid values: [DE, FR]\n    warn: when > 2\n"));
  EXPECT_EQ(config::to_yaml(contract),
            "apiVersion: v3.1.0\n"
            "kind: DataContract\n"
            "id: sales.orders\n"
            "version: 1.0.0\n"
            "status: draft\n"
            "schema:\n"
            "  - name: sales.orders\n"
            "    properties:\n"
            "      - name: id\n"
            "        quality:\n"
            "          - metric: nullValues\n"
            "            name: ids\n"
            "            mustBeLessThan: 5\n"
            "            unit: percent\n"
            "      - name: country\n"
            "        quality:\n"
            "          - metric: invalidValues\n"
            "            arguments:\n"
            "              validValues: [DE, FR]\n"
            "            severity: warning\n"
            "            mustBeLessOrEqualTo: 2\n"
            "    quality:\n"
            "      - metric: rowCount\n"
            "        mustBeBetween: [10, 20]\n"
            "      - type: custom\n"
            "        engine: soda\n"
            "        implementation:\n"
            "          - avg(amount) > 3\n"
            "      - metric: duplicateValues\n"
            "        arguments:\n"
            "          properties: [a, b]\n"
            "        mustBe: 0\n");
}

TEST(ContractExport, FiltersGoAsSectionsOfSoda) {
  const Node checks = parse(
      "filter orders [recent]:\n  where: day > now()\nchecks for orders [recent]:\n- row_count > 0\n- missing_count(a) "
      "= 0\n"
      "checks for orders:\n- row_count > 5\n");
  EXPECT_EQ(lines(to_checks(to_contract(checks))), lines(checks));
}

TEST(ContractExport, WhatBelongsToNoTableIsAnError) {
  config::Diagnostics diagnostics;
  checks_to_contract(parse("for each dataset D:\n  datasets: [a]\n  checks: [row_count > 0]\n"), diagnostics);
  EXPECT_NE(diagnostics.to_string().find("checks.yml:1:1: section \"for each dataset D\" belongs to no table"),
            std::string::npos);
  checks_to_contract(parse("[a]"), diagnostics);
  EXPECT_EQ(diagnostics.errors().size(), 2U);
}

/// Check files of the forms there are, at random.
class RandomChecks {
 public:
  explicit RandomChecks(unsigned seed) : random_(seed) {}

  Node file() {
    std::string text;
    for (const std::string table : {"orders", "sales.items", "\"odd Name\""}) {
      text += "checks for " + table + ":\n";
      for (int i = 1 + pick(6); i > 0; --i) text += check(i);
    }
    return parse(text);
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string one_of(std::initializer_list<const char*> words) {
    return *(words.begin() + pick(static_cast<int>(words.size())));
  }
  std::string number() { return one_of({"0", "5", "2.5", "-3", "100", "0.001"}); }

  std::string condition(const std::string& unit) {
    const std::string op = one_of({"=", "!=", "<", "<=", ">", ">=", "between", "not between"});
    if (op.ends_with("between")) return op + " 1" + unit + " and " + one_of({"2", "7.5"}) + unit;
    return op + " " + number() + unit;
  }

  std::string check(int nth) {
    const std::string column = one_of({"id", "amount", "\"odd col\"", "Name"});
    const std::string metric = one_of({"missing", "duplicate", "invalid", "row", "avg", "pair", "freshness", "failed"});
    const bool percent = pick(2) == 0;
    const std::string word = percent ? "_percent" : "_count";
    const std::string unit = percent ? "%" : "";
    if (metric == "failed")
      return "- failed rows:\n    name: f" + std::to_string(nth) + "\n    fail condition: a < 'x\\y'\n";
    if (metric == "freshness") return "- freshness(" + column + ") < 1d\n";
    if (metric == "avg") return "- avg(" + column + ") " + condition("") + "\n";
    std::string measure = metric + word + "(" + column + ")";
    if (metric == "pair") measure = "duplicate" + word + "(id, " + column + ")";
    if (metric == "row") return item("row_count", condition(""), nth, "");
    std::string settings;
    if (metric == "missing" && pick(2) == 0) settings = "    missing values: [N/A, '5', \"\"]\n";
    if (metric == "invalid")
      settings = one_of({"    valid values: [a, 'true']\n", "    valid regex: '^a: #'\n", "    valid min: 3\n",
                         "    valid format: email\n"});
    return item(measure, condition(unit), nth, settings);
  }

  std::string item(const std::string& measure, const std::string& wanted, int nth, std::string settings) {
    if (pick(2) == 0) settings = "    name: check " + std::to_string(nth) + "\n" + settings;
    const bool warns = pick(3) == 0;
    if (warns) settings += "    warn: when " + wanted + "\n";
    if (pick(5) == 0)
      settings += "    attributes:\n      dimension: " + one_of({"accuracy", "mine"}) + "\n      owner: sales\n";
    if (pick(6) == 0) settings += "    samples limit: 5\n";
    return "- " + measure + (warns ? "" : " " + wanted) + (settings.empty() ? "\n" : ":\n" + settings);
  }

  std::mt19937 random_;
};

/// The settings of a check have no order, nor have its attributes.
Node in_order(const Node& node) {
  if (node.is_sequence()) {
    std::vector<Node> items;
    for (const Node& item : node.items()) items.push_back(in_order(item));
    return Node::sequence(std::move(items), {});
  }
  if (!node.is_mapping()) return node;
  std::vector<Node::Entry> entries;
  for (const auto& [key, value] : node.entries()) entries.emplace_back(key, in_order(value));
  std::ranges::sort(entries, {}, [](const Node::Entry& entry) { return entry.first.text(); });
  return Node::mapping(std::move(entries), {});
}

TEST(ContractExport, AnyCheckFileComesBackAsItWas) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    const Node checks = RandomChecks(seed).file();
    const Node back = to_checks(to_contract(checks));
    ASSERT_EQ(lines(in_order(back)), lines(in_order(checks))) << "seed " << seed << "\n"
                                                              << config::to_yaml(to_contract(checks));
  }
}

TEST(ContractExport, AContractMeansTheSameAfterTheWayThereAndBack) {
  const Node contract = parse(
      "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n- name: orders\n"
      "  properties:\n  - {name: id, logicalType: integer, required: true, unique: true, logicalTypeOptions: {minimum: "
      "1}}\n"
      "  - {name: mail, physicalType: text, quality: [{metric: nullValues, mustBeLessThan: 3, unit: percent, severity: "
      "info}]}\n"
      "  quality:\n  - {type: sql, query: 'SELECT count(*) FROM {object}', mustBeGreaterThan: 0}\n"
      "slaProperties: [{property: freshness, value: 1, unit: d, element: orders.at}]\n");
  const Node once = to_checks(contract);
  const Node twice = to_checks(to_contract(once));
  EXPECT_EQ(lines(in_order(twice)), lines(in_order(once)));
}

}  // namespace
}  // namespace weir::quality
