#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "config/reader.h"

/// What the translation of data contracts (contract.h) is made of.
namespace weir::quality::contract {

/// A name as check texts take it: bare where it reads as one word, else in quotes. One that brings its own is kept.
std::string check_name(std::string_view name);
/// "sales.orders": the parts of a table's name, each as check_name gives it.
std::string check_table(std::string_view name);
/// The same for SQL; lower-case words that are not reserved stay bare, since not every engine quotes alike.
std::string sql_name(std::string_view name);
std::string sql_table(std::string_view name);

/// A scalar's text, "" when absent. Unlike MapReader::text() it leaves ${…} alone, which has its own meaning in checks.
std::string text_of(config::MapReader& reader, std::string_view key);
/// True for `true`.
bool flag_of(config::MapReader& reader, std::string_view key);
/// Keys that say nothing about the data.
void allow(config::MapReader& reader, std::initializer_list<std::string_view> keys);
/// The text of a finite number, nullopt with an error for another.
std::optional<std::string> number_text(const config::Node& node, config::MapReader& reader, std::string_view key);

/// What a check wants, as text: "= 0", "between 1 and 5"; and its opposite: "!= 0", "not between 1 and 5".
struct Threshold {
  std::string holds;
  std::string broken;
};
inline const Threshold kNone = {"= 0", "!= 0"};

/// What a check has besides its metric and threshold.
struct Extras {
  std::string name;
  bool warns = false;
  std::vector<config::Node::Entry> settings;  // valid min: 5
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// The checks of one table, as items of a "checks for" list.
class TableChecks {
 public:
  TableChecks(std::string table, config::Position position)
      : table_(std::move(table)), position_(std::move(position)) {}

  /// "missing_count(id)" with its threshold.
  void add(const std::string& measure, const Threshold& threshold, Extras extras, const config::Position& position);
  /// A check whose demand is all in its settings: "schema", "failed rows", "values in (a) must exist in t (b)".
  void add_block(const std::string& check, Extras extras, const config::Position& position);
  /// The last one added becomes the first.
  void bring_forward();
  /// One that is SodaCL already.
  void add_item(config::Node item) { items_.push_back(std::move(item)); }

  /// A whole section besides: "filter orders [recent]", "checks for orders [recent]".
  void add_section(config::Node::Entry section) { sections_.push_back(std::move(section)); }

  /// Of all checks that do not have their own.
  void set_attributes(std::vector<std::pair<std::string, std::string>> attributes) {
    attributes_ = std::move(attributes);
  }

  const std::string& table() const { return table_; }
  /// "checks for orders": [the items], if there are any, and the other sections.
  std::vector<config::Node::Entry> sections() &&;

 private:
  std::string unique_name(const std::string& name);
  void push(const std::string& check, Extras extras, const config::Position& position);
  config::Node with_attributes(const config::Node& checks) const;

  std::string table_;
  config::Position position_;
  std::set<std::string> names_;
  std::vector<std::pair<std::string, std::string>> attributes_;
  std::vector<config::Node> items_;
  std::vector<config::Node::Entry> sections_;
};

/// The names of a contract's tables and columns, for references between them.
struct Names {
  struct Table {
    std::string name;
    std::string id;
    std::string physical;
    std::vector<std::pair<std::string, std::string>> columns;  // name, then physical name
    std::vector<std::pair<std::string, std::string>> column_ids;
  };
  std::vector<Table> tables;

  const Table* find(std::string_view name_or_id) const;
  /// The physical name of a table's column by name or id; the name itself where the contract has none such.
  static std::string column(const Table& table, std::string_view name_or_id);
};

/// Where in the contract the translation is.
struct Scope {
  config::Diagnostics& diagnostics;
  const Names& names;
  const Names::Table& table;
  TableChecks& checks;
  std::string column = {};    // physical name, "" at the level of the table
  std::string logical = {};   // its logicalType
  std::string physical = {};  // its physicalType
};

/// The schema that all servers of a contract are said to have, "" when they differ or say none.
std::string schema_of_servers(const config::Node& root, config::Diagnostics& diagnostics);
/// What a contract as a whole says of its data: owner, domain, tags.
std::vector<std::pair<std::string, std::string>> attributes_of(const config::Node& root);

// Each reads one part and adds its checks.
void read_options(const config::Node& options, const Scope& scope);     // logicalTypeOptions
void read_rules(config::MapReader& owner, const Scope& scope);          // quality
void read_relationships(config::MapReader& owner, const Scope& scope);  // relationships
/// slaProperties; `tables` are those of the contract, by the order of its schema.
void read_service_levels(config::MapReader& root, const Names& names, std::vector<TableChecks>& tables);

}  // namespace weir::quality::contract
