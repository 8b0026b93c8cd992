#include "quality/contract.h"

#include <gtest/gtest.h>

namespace weir::quality {
namespace {

const std::string kHead = "kind: DataContract\napiVersion: v3.1.0\nid: orders\nversion: 1.0.0\nstatus: active\n";

class ContractTest : public testing::Test {
 protected:
  /// The checks of a contract as YAML.
  std::string checks(const std::string& body) {
    diagnostics_ = {};
    const config::Node root = config::parse_yaml(kHead + body, "c.odcs.yaml", diagnostics_);
    EXPECT_TRUE(is_contract(root));
    return config::to_yaml(contract_to_checks(root, diagnostics_));
  }
  /// The checks of one column's property, without the schema check that each contract has.
  std::string of_column(const std::string& lines) {
    const std::string all = checks("schema:\n- name: t\n  properties:\n  - name: c\n" + lines);
    const std::size_t schema = all.find("  - schema:");
    const std::size_t next = all.find("\n  - ", schema + 3);
    return all.substr(0, schema) + (next == std::string::npos ? "" : all.substr(next + 1));
  }
  std::string mistakes(const std::string& body) {
    checks(body);
    return diagnostics_.to_string();
  }
  std::string hints() const {
    std::string text;
    for (const config::Diagnostic& hint : diagnostics_.hints()) text += hint.to_string() + "\n";
    return text;
  }
  void expect_mistake(const std::string& body, const std::string& part) {
    EXPECT_NE(mistakes(body).find(part), std::string::npos) << body << "\n" << diagnostics_.to_string();
  }
  config::Diagnostics diagnostics_;
};

TEST_F(ContractTest, OnlyContractsAreContracts) {
  config::Diagnostics diagnostics;
  EXPECT_TRUE(is_contract(config::parse_yaml("kind: DataContract", "f", diagnostics)));
  EXPECT_FALSE(is_contract(config::parse_yaml("checks for t:\n- row_count > 0", "f", diagnostics)));
  EXPECT_FALSE(is_contract(config::parse_yaml("kind: Deployment\napiVersion: v1", "f", diagnostics)));
  EXPECT_FALSE(is_contract(config::parse_yaml("- kind: DataContract", "f", diagnostics)));
}

constexpr std::string_view kOneRule = "schema:\n- name: orders\n  properties:\n  - {name: id, required: true}\n";

TEST_F(ContractTest, TablesAreInTheSchemaOfTheServers) {
  const std::string rule(kOneRule);
  const auto with = [&](const std::string& servers) { return checks("servers:\n" + servers + rule); };
  EXPECT_TRUE(with("- {server: prod, type: postgres, schema: sales}\n").starts_with("checks for sales.orders:"));
  EXPECT_TRUE(with("- {server: a, schema: sales}\n- {server: b, schema: sales}\n- {server: c, type: kafka}\n")
                  .starts_with("checks for sales.orders:"));
  EXPECT_TRUE(with("- {server: a, schema: Odd name}\n").starts_with("checks for \"Odd name\".orders:"));
  EXPECT_TRUE(with("- {server: a, schema: sales}\n- {server: b, schema: dev}\n").starts_with("checks for orders:"));
  EXPECT_NE(hints().find("schemas differ (\"sales\", \"dev\")"), std::string::npos) << hints();
  EXPECT_TRUE(checks("servers: [{server: a, schema: sales}]\nschema:\n- name: o\n  physicalName: raw.o\n  properties:\n"
                     "  - {name: id}\n")
                  .starts_with("checks for raw.o:"))
      << "a name with its schema stays";
}

TEST_F(ContractTest, WhatTheContractSaysOfItselfIsInTheAttributesOfItsChecks) {
  const std::string rule(kOneRule);
  const std::string all = checks(
      "domain: sales\ntags: [finance, 'gold: 1']\nteam:\n  name: orders-team\n  members:\n  - {username: ann}\n  - "
      "{username: bob, role: Data Owner}\n" +
      rule);
  EXPECT_EQ(all.find("checks for orders:\n  - attributes:\n      owner: bob\n      domain: sales\n      tags: "), 0U)
      << all;
  EXPECT_NE(all.find("finance, gold: 1"), std::string::npos) << all;
  EXPECT_NE(checks("team: {name: orders-team}\n" + rule).find("owner: orders-team"), std::string::npos);
  EXPECT_NE(checks("team:\n- {username: ann, role: owner}\n" + rule).find("owner: ann"), std::string::npos)
      << "before 3.1";
  EXPECT_EQ(checks(rule).find("attributes"), std::string::npos);
}

TEST_F(ContractTest, ColumnsAndTypesAreOneSchemaCheck) {
  EXPECT_EQ(checks("schema:\n- name: orders\n  physicalName: sales.fct_orders\n  properties:\n"
                   "  - {name: id, physicalType: bigint}\n"
                   "  - {name: amount, physicalName: Amount €, logicalType: number}\n"
                   "  - {name: note}\n"),
            "checks for sales.fct_orders:\n"
            "  - schema:\n"
            "      name: columns are those of the contract\n"
            "      fail:\n"
            "        when required column missing:\n          - id\n          - \"Amount €\"\n          - note\n"
            "        when wrong column type:\n"
            "          id: bigint\n"
            "        when wrong logical type:\n"
            "          \"Amount €\": number\n");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
}

TEST_F(ContractTest, RequiredAndUniqueColumns) {
  EXPECT_EQ(of_column("    required: true\n    unique: true\n"),
            "checks for t:\n"
            "  - missing_count(c) = 0:\n"
            "      name: c is required\n"
            "  - duplicate_count(c) = 0:\n"
            "      name: c is unique\n");
}

TEST_F(ContractTest, APrimaryKeyIsInTheOrderOfItsPositions) {
  const std::string text = checks(
      "schema:\n- name: t\n  properties:\n"
      "  - {name: b, primaryKey: true, primaryKeyPosition: 2}\n  - {name: a, primaryKey: true, primaryKeyPosition: "
      "1}\n");
  EXPECT_NE(text.find("  - duplicate_count(a, b) = 0:\n      name: primary key (a, b) is unique\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  - missing_count(a) = 0:"), std::string::npos) << text;
  EXPECT_NE(text.find("  - missing_count(b) = 0:"), std::string::npos) << text;
}

TEST_F(ContractTest, OptionsOfTexts) {
  EXPECT_EQ(
      of_column("    logicalType: string\n    logicalTypeOptions: {minLength: 2, maxLength: 5, pattern: '^[A-Z]+$', "
                "format: uuid}\n"),
      "checks for t:\n"
      "  - invalid_count(c) = 0:\n"
      "      name: c minLength 2\n"
      "      valid min length: 2\n"
      "  - invalid_count(c) = 0:\n"
      "      name: c maxLength 5\n"
      "      valid max length: 5\n"
      "  - invalid_count(c) = 0:\n"
      "      name: c pattern ^[A-Z]+$\n"
      "      valid regex: ^[A-Z]+$\n"
      "  - invalid_count(c) = 0:\n"
      "      name: c format uuid\n"
      "      valid format: uuid\n");
}

TEST_F(ContractTest, OptionsOfNumbers) {
  EXPECT_EQ(
      of_column("    logicalType: integer\n    logicalTypeOptions: {minimum: 0, exclusiveMaximum: 10, multipleOf: 5, "
                "format: i64}\n"),
      "checks for t:\n"
      "  - invalid_count(c) = 0:\n"
      "      name: c minimum 0\n"
      "      valid min: 0\n"
      "  - failed rows:\n"
      "      name: c exclusiveMaximum 10\n"
      "      fail condition: c >= 10\n"
      "  - failed rows:\n"
      "      name: c multipleOf 5\n"
      "      fail condition: c % 5 <> 0\n"
      "  - failed rows:\n"
      "      name: c format i64\n"
      "      fail condition: c < -9223372036854775808 OR c > 9223372036854775807\n");
  EXPECT_NE(of_column("    logicalType: number\n    logicalTypeOptions: {multipleOf: 0.25}\n")
                .find("fail condition: c / 0.25 <> round(c / 0.25)"),
            std::string::npos);
}

TEST_F(ContractTest, OptionsOfTimes) {
  EXPECT_NE(of_column("    logicalType: date\n    logicalTypeOptions: {minimum: '2020-01-01'}\n")
                .find("fail condition: c < '2020-01-01'"),
            std::string::npos);
  // A quote in the contract stays within the literal.
  EXPECT_NE(of_column("    logicalType: date\n    logicalTypeOptions: {minimum: \"' OR 1=1 --\"}\n")
                .find("fail condition: c < ''' OR 1=1 --'"),
            std::string::npos);
  // A format is of texts only: a date has none.
  EXPECT_EQ(of_column("    logicalType: date\n    physicalType: date\n    logicalTypeOptions: {format: yyyy-MM-dd}\n"),
            "checks for t:\n");
  EXPECT_NE(
      of_column("    logicalType: date\n    physicalType: varchar(10)\n    logicalTypeOptions: {format: yyyy-MM-dd}\n")
          .find("valid regex: ^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
      std::string::npos);
}

TEST_F(ContractTest, LibraryRulesWithEveryOperator) {
  struct Case {
    std::string rule;
    std::string check;
  };
  for (const auto& [rule, check] : {
           Case{"metric: nullValues, mustBe: 0", "missing_count(c) = 0"},
           Case{"metric: nullValues, mustBeLessThan: 1, unit: percent", "missing_percent(c) < 1%"},
           Case{"metric: duplicateValues, mustBeLessOrEqualTo: 10", "duplicate_count(c) <= 10"},
           Case{"metric: duplicateValues, mustNotBe: 3, unit: rows", "duplicate_count(c) != 3"},
           Case{"metric: nullValues, mustBeGreaterThan: 1", "missing_count(c) > 1"},
           Case{"metric: nullValues, mustBeGreaterOrEqualTo: 1", "missing_count(c) >= 1"},
           Case{"metric: nullValues, mustBeBetween: [1, 5], unit: percent", "missing_percent(c) between 1% and 5%"},
           Case{"metric: nullValues, mustNotBeBetween: [1, 5.5]", "missing_count(c) not between 1 and 5.5"},
           Case{"type: library, rule: duplicateCount, mustBe: 0", "duplicate_count(c) = 0"},
       }) {
    EXPECT_EQ(of_column("    quality: [{" + rule + "}]\n"), "checks for t:\n  - " + check + "\n")
        << diagnostics_.to_string();
  }
}

TEST_F(ContractTest, LibraryArgumentsBecomeSettings) {
  EXPECT_EQ(
      of_column("    quality: [{metric: missingValues, mustBe: 0, arguments: {missingValues: [null, '', N/A]}}]\n"),
      "checks for t:\n  - missing_count(c) = 0:\n      missing values: [\"\", N/A]\n");
  EXPECT_EQ(of_column("    quality: [{metric: invalidValues, mustBeLessThan: 5, arguments: {validValues: [kg, '5'], "
                      "pattern: k}}]\n"),
            "checks for t:\n  - invalid_count(c) < 5:\n      valid values: [kg, \"5\"]\n      valid regex: k\n");
  EXPECT_EQ(checks("schema:\n- name: t\n  quality:\n  - metric: rowCount\n    mustBeBetween: [100, 120]\n"
                   "  - metric: duplicateValues\n    mustBe: 0\n    arguments: {properties: [a, b c]}\n"),
            "checks for t:\n  - row_count between 100 and 120\n  - duplicate_count(a, \"b c\") = 0\n");
}

TEST_F(ContractTest, AWarningIsTheOppositeAsAWarnZone) {
  EXPECT_EQ(of_column("    quality: [{name: few, metric: nullValues, mustBeLessThan: 5, severity: warning, dimension: "
                      "completeness,\n"
                      "      customProperties: [{property: owner, value: sales}]}]\n"),
            "checks for t:\n"
            "  - missing_count(c):\n"
            "      name: few\n"
            "      warn: when >= 5\n"
            "      attributes:\n"
            "        dimension: completeness\n"
            "        owner: sales\n");
  EXPECT_NE(of_column("    quality: [{metric: nullValues, mustBeBetween: [1, 2], severity: info}]\n")
                .find("warn: when not between 1 and 2"),
            std::string::npos);
}

TEST_F(ContractTest, QueriesGetTheNamesQuotedWhereTheyNeedIt) {
  EXPECT_EQ(checks("schema:\n- name: t\n  physicalName: sales.Orders\n  properties:\n  - name: order\n    quality:\n"
                   "    - type: sql\n      query: SELECT COUNT(*) FROM {object} WHERE {property} = 'x{2}'\n      "
                   "mustBe: true\n"),
            "checks for sales.Orders:\n"
            "  - schema:\n"
            "      name: columns are those of the contract\n"
            "      fail:\n"
            "        when required column missing: [order]\n"
            "  - query_of_order_1 = 1:\n"
            "      name: query_of_order_1\n"
            "      query_of_order_1 query: SELECT COUNT(*) FROM sales.\"Orders\" WHERE \"order\" = 'x{2}'\n");
}

TEST_F(ContractTest, SodaChecksStayAsTheyAre) {
  EXPECT_EQ(of_column("    quality:\n    - type: custom\n      engine: soda\n      implementation: |\n"
                      "        - row_count > 0\n        - avg(c) between 1 and 2:\n            name: mean\n"),
            "checks for t:\n  - row_count > 0\n  - avg(c) between 1 and 2:\n      name: mean\n");
  EXPECT_EQ(of_column("    quality:\n    - type: custom\n      engine: soda\n      implementation:\n"
                      "        type: duplicate_percent\n        columns: [a, b]\n        must_be_less_than: 1.0\n"),
            "checks for t:\n  - duplicate_percent(a, b) < 1.0%\n");
}

TEST_F(ContractTest, APlaceWithinABlockOfSodaIsItsLine) {
  diagnostics_ = {};
  const config::Node root = config::parse_yaml(
      kHead +
          "schema:\n- name: t\n  quality:\n  - type: custom\n    engine: soda\n    implementation: |\n"
          "      - row_count > 0\n      - bad check\n",
      "c.yml", diagnostics_);
  const config::Node tree = contract_to_checks(root, diagnostics_);
  EXPECT_EQ(tree.entries().at(0).second.items().at(1).position().to_string(), "c.yml:13");
}

TEST_F(ContractTest, ServiceLevelsAreFreshness) {
  const std::string schema =
      "schema:\n- name: tab1\n  physicalName: sales.tab1\n  properties: [{name: ts, physicalName: loaded_at}]\n- name: "
      "other\n";
  const std::string text = checks(schema +
                                  "slaProperties:\n- {property: latency, value: 4, unit: d, element: tab1.ts}\n"
                                  "- {property: freshness, value: P1DT12H, element: tab1.ts}\n"
                                  "- {property: frequency, value: 90, unit: min, element: sales.tab1.ts}\n");
  EXPECT_NE(text.find("- freshness(loaded_at) < 4d:\n"), std::string::npos) << text << diagnostics_.to_string();
  EXPECT_NE(text.find("- freshness(loaded_at) < 1d12h:\n"), std::string::npos) << text;
  EXPECT_NE(text.find("- freshness(loaded_at) < 1h30m:\n"), std::string::npos) << text;
  checks(schema + "slaProperties:\n- {property: endOfSupport, value: 2030-01-01}\n");
  EXPECT_TRUE(diagnostics_.ok());
  EXPECT_NE(hints().find("c.odcs.yaml:12:3: the service level \"endOfSupport\" is not checked"), std::string::npos)
      << hints();
}

TEST_F(ContractTest, ForeignKeysAreReferences) {
  const std::string text = checks(
      "schema:\n- name: orders\n  properties:\n  - {name: customer, physicalName: customer_id, relationships: [{to: "
      "customers.id}]}\n"
      "  relationships:\n  - {from: [orders.a, orders.customer], to: [schema/cust/properties/k, customers.id]}\n"
      "- name: customers\n  id: cust\n  physicalName: dim.customers\n  properties: [{name: id}, {name: key, id: k}]\n");
  EXPECT_NE(text.find("- values in (customer_id) must exist in dim.customers (id)\n"), std::string::npos)
      << text << diagnostics_.to_string();
  EXPECT_NE(text.find("- values in (a, customer_id) must exist in dim.customers (key, id)\n"), std::string::npos)
      << text;
}

TEST_F(ContractTest, RulesInWordsAreShown) {
  of_column("    quality: [{type: text, description: The address was verified}]\n");
  EXPECT_TRUE(diagnostics_.ok());
  EXPECT_EQ(hints(), "c.odcs.yaml:10:15: a rule in words is not checked: \"The address was verified\"\n");
}

TEST_F(ContractTest, NamesThatRepeatAreNumbered) {
  const std::string text = of_column(
      "    quality:\n    - {name: dup, metric: nullValues, mustBe: 0}\n    - {name: dup, metric: duplicateValues, "
      "mustBe: "
      "0}\n");
  EXPECT_NE(text.find("name: dup\n"), std::string::npos);
  EXPECT_NE(text.find("name: dup (2)\n"), std::string::npos);
}

TEST_F(ContractTest, TwoThatAreWrittenAlikeAreToldApart) {
  EXPECT_EQ(of_column("    quality:\n    - {metric: invalidValues, mustBe: 0, arguments: {pattern: a}}\n"
                      "    - {metric: invalidValues, mustBe: 0, arguments: {pattern: b}}\n"),
            "checks for t:\n  - invalid_count(c) = 0:\n      valid regex: a\n"
            "  - invalid_count(c) = 0:\n      name: invalid_count(c) = 0 (2)\n      valid regex: b\n");
}

TEST_F(ContractTest, ARuleOfAnotherEngineIsLeftToItAndTheRestIsChecked) {
  const std::string text = of_column(
      "    quality: [{type: custom, engine: dbt, implementation: {any: [1]}}, {metric: nullValues, mustBe: 0}]\n");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  EXPECT_NE(hints().find("a rule for engine \"dbt\" is left to that"), std::string::npos) << hints();
  EXPECT_NE(text.find("missing_count(c) = 0"), std::string::npos) << text;
}

TEST_F(ContractTest, MistakesAreNamedAtTheirPlaces) {
  const std::string column = "schema:\n- name: t\n  properties:\n  - name: c\n";
  expect_mistake(column + "    requierd: true\n",
                 "c.odcs.yaml:10:5: property \"c\" of \"t\": unknown key \"requierd\" (did you mean \"required\"?)");
  expect_mistake(column + "    required: maybe\n", ":10:15:");
  expect_mistake(column + "    logicalType: text\n", "\"text\" is none of string, date");
  expect_mistake(column + "    properties: [{name: x}]\n", "what is inside a column cannot be checked");
  expect_mistake(column + "    logicalTypeOptions: {minimum: 1}\n", "\"logicalType\"");
  expect_mistake(column + "    logicalType: string\n    logicalTypeOptions: {minimum: 1}\n", "unknown key \"minimum\"");
  expect_mistake(column + "    logicalType: string\n    logicalTypeOptions: {minLength: ten}\n",
                 "expected a number, found \"ten\"");
  expect_mistake(column + "    logicalType: string\n    logicalTypeOptions: {format: emial}\n",
                 "did you mean \"email\"");
  expect_mistake(column + "    logicalType: integer\n    logicalTypeOptions: {multipleOf: 0}\n", "must be above 0");
  expect_mistake(column + "    quality: [{metric: nullValues}]\n", "an operator is missing");
  expect_mistake(column + "    quality: [{metric: nullValues, mustBe: 0, mustBeLessThan: 3}]\n",
                 "give one operator only");
  expect_mistake(column + "    quality: [{metric: nullValues, mustBe: many}]\n", "expected a number");
  expect_mistake(column + "    quality: [{metric: nullValues, mustBeBetween: 3}]\n", "expected two numbers");
  expect_mistake(column + "    quality: [{metric: nulValues, mustBe: 0}]\n", "did you mean \"nullValues\"");
  expect_mistake(column + "    quality: [{metric: rowCount, mustBe: 0}]\n", "rowCount is about a table");
  expect_mistake(column + "    quality: [{metric: invalidValues, mustBe: 0}]\n", "needs arguments");
  expect_mistake(column + "    quality: [{metric: invalidValues, mustBe: 0, arguments: {patern: x}}]\n",
                 "unknown key \"patern\"");
  expect_mistake(column + "    quality: [{metric: nullValues, mustBe: 0, unit: apples}]\n", "neither rows nor percent");
  expect_mistake(column + "    quality: [{type: custom, engine: soda, implementation: '[a'}]\n", "implementation");
  expect_mistake("schema:\n- name: t\n  quality: [{type: sql, query: 'SELECT {property}', mustBe: 1}]\n",
                 "has no meaning for a whole table");
  expect_mistake("schema:\n- name: t\n  relationships: [{to: a.b}]\n", "key \"from\" is missing");
  expect_mistake("schema:\n- name: t\n  relationships: [{from: t.a, to: 'http://x/y.yaml#a.b'}]\n",
                 "expected table.column");
  expect_mistake("schema:\n- name: t\nslaProperties: [{property: latency, value: 4, element: t.c}]\n",
                 "\"unit\": is missing");
  expect_mistake("schema:\n- name: t\nslaProperties: [{property: latency, value: 4, unit: d, element: u.c}]\n",
                 "has no table \"u\"");
  expect_mistake("schema:\n- name: t\nslaProperties: [{property: latence, value: 4, unit: d, element: t.c}]\n",
                 "did you mean \"latency\"");
  expect_mistake("schema: t\n", "expected a list of tables");
  expect_mistake("", "key \"schema\" is missing");
  expect_mistake("schema:\n- name: t\n", "it demands nothing");
}

TEST_F(ContractTest, OddShapesAreMistakesAndNoMore) {
  for (const std::string body :
       {"schema: [3]\n", "schema: [null]\n", "schema: [[a]]\n", "schema:\n- name: [a]\n",
        "schema:\n- name: t\n  properties: {a: b}\n", "schema:\n- name: t\n  properties: [x]\n",
        "schema:\n- name: t\n  properties: [{name: {a: b}}]\n", "schema:\n- name: t\n  quality: [x]\n",
        "schema:\n- name: t\n  quality: [{metric: [a], mustBe: {}}]\n",
        "schema:\n- name: t\n  properties: [{name: c, enum: [{}]}]\n",
        "schema:\n- name: t\n  properties: [{name: c, enum: []}]\n", "schema:\n- name: t\nslaProperties: [x]\n",
        "schema:\n- name: t\nslaProperties: [{property: latency, value: [a], element: t}]\n"}) {
    EXPECT_NE(mistakes(body), "") << body;
  }
}

}  // namespace
}  // namespace weir::quality
