#include "quality/contract.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>

#include "quality/contract_parts.h"
#include "quality/logical_type.h"

namespace weir::quality {
namespace {

using config::Diagnostics;
using config::MapReader;
using config::Node;
using contract::Extras;
using contract::Names;
using contract::Scope;
using contract::TableChecks;

std::string scalar(const Node& node, std::string_view key) {
  const Node* value = node.is_mapping() ? node.find(key) : nullptr;
  return value != nullptr && value->is_scalar() ? value->text() : "";
}

const std::vector<Node>& items(const Node& node, std::string_view key) {
  static const std::vector<Node> kNo;
  const Node* list = node.is_mapping() ? node.find(key) : nullptr;
  return list != nullptr && list->is_sequence() ? list->items() : kNo;
}

std::string first_of(std::string one, std::string other) { return one.empty() ? other : one; }

/// A table without a schema of its own is in that of the servers.
Names names_of(const Node& root, const std::string& schema) {
  Names names;
  for (const Node& object : items(root, "schema")) {
    Names::Table table;
    table.name = scalar(object, "name");
    table.id = scalar(object, "id");
    table.physical = first_of(scalar(object, "physicalName"), table.name);
    if (!schema.empty() && !table.physical.empty() && table.physical.find('.') == std::string::npos) {
      table.physical = contract::check_name(schema) + "." + contract::check_name(table.physical);
    }
    for (const Node& property : items(object, "properties")) {
      const std::string physical = first_of(scalar(property, "physicalName"), scalar(property, "name"));
      table.columns.emplace_back(scalar(property, "name"), physical);
      if (const std::string id = scalar(property, "id"); !id.empty()) table.column_ids.emplace_back(id, physical);
    }
    names.tables.push_back(std::move(table));
  }
  return names;
}

/// What the columns of a table must be, gathered for one schema check.
struct Columns {
  std::vector<Node> required;
  std::vector<Node::Entry> types;
  std::vector<Node::Entry> logical_types;
  struct Key {
    std::string column;
    long position = 0;
    config::Position place;
  };
  std::vector<Key> primary_key;
};

class ObjectReader {
 public:
  ObjectReader(const Node& node, const Names& names, const Names::Table& table, TableChecks& checks,
               Diagnostics& diagnostics)
      : node_(node),
        reader_(node, diagnostics, fmt::format("schema \"{}\"", table.name)),
        scope_{diagnostics, names, table, checks} {}

  void run() {
    contract::allow(reader_, {"id", "name", "physicalName", "physicalType", "description", "businessName", "tags",
                              "authoritativeDefinitions", "customProperties", "dataGranularityDescription",
                              "deprecated", "synonyms", "context"});
    if (scope_.table.name.empty()) reader_.missing("name");
    const std::string logical = contract::text_of(reader_, "logicalType");
    if (!logical.empty() && logical != "object") {
      reader_.error("logicalType", "only an \"object\" can be checked: a table or view");
    }
    if (const Node* properties = list("properties")) {
      for (const Node& property : properties->items()) read_property(property);
    }
    add_schema_check();
    add_primary_key();
    contract::read_relationships(reader_, scope_);
    contract::read_rules(reader_, scope_);
    reader_.finish();
  }

 private:
  const Node* list(std::string_view key) {
    const Node* node = reader_.child(key);
    if (node == nullptr || node->is_null()) return nullptr;
    if (node->is_sequence()) return node;
    reader_.error(*node, fmt::format("\"{}\": expected a list, found {}", key, node->kind_name()));
    return nullptr;
  }

  void read_property(const Node& node) {
    const std::string name = scalar(node, "name");
    MapReader reader(node, scope_.diagnostics, fmt::format("property \"{}\" of \"{}\"", name, scope_.table.name));
    contract::allow(reader, {"id",
                             "name",
                             "physicalName",
                             "description",
                             "businessName",
                             "tags",
                             "deprecated",
                             "authoritativeDefinitions",
                             "customProperties",
                             "synonyms",
                             "partitioned",
                             "partitionKeyPosition",
                             "classification",
                             "encryptedName",
                             "transformSourceObjects",
                             "transformLogic",
                             "transformDescription",
                             "examples",
                             "criticalDataElement",
                             "semanticType"});
    if (!node.is_mapping()) return;
    if (name.empty()) return reader.missing("name");
    Scope scope{scope_.diagnostics, scope_.names, scope_.table, scope_.checks};
    scope.column = first_of(scalar(node, "physicalName"), name);
    read_types(node, reader, scope);
    read_constraints(node, reader, scope);
    if (const Node* options = reader.child("logicalTypeOptions")) contract::read_options(*options, scope);
    read_enum(reader, scope);
    for (const std::string_view nested : {"properties", "items", "map"}) {
      if (const Node* inner = reader.child(nested)) {
        reader.error(*inner,
                     fmt::format("\"{}\": what is inside a column cannot be checked; write a rule of type sql for "
                                 "it under \"quality\"",
                                 nested));
      }
    }
    contract::read_relationships(reader, scope);
    contract::read_rules(reader, scope);
    reader.finish();
  }

  void read_types(const Node& node, MapReader& reader, Scope& scope) {
    columns_.required.push_back(Node::scalar(scope.column, node.position(), true));
    scope.physical = contract::text_of(reader, "physicalType");
    scope.logical = contract::text_of(reader, "logicalType");
    const auto words = logical_types();
    const bool known = std::ranges::find(words, scope.logical) != words.end();
    if (!scope.logical.empty() && !known) {
      const std::vector<std::string> all(words.begin(), words.end());
      reader.error("logicalType", fmt::format("\"{}\" is none of {}{}", scope.logical, fmt::join(all, ", "),
                                              config::did_you_mean(scope.logical, all)));
    }
    const auto type = [&](std::string_view key, const std::string& value) {
      return Node::Entry{Node::scalar(scope.column, node.position(), true),
                         Node::scalar(value, reader.child(key)->position(), true)};
    };
    if (!scope.physical.empty()) {
      columns_.types.push_back(type("physicalType", scope.physical));
    } else if (known) {
      columns_.logical_types.push_back(type("logicalType", scope.logical));
    }
  }

  void read_constraints(const Node& node, MapReader& reader, const Scope& scope) {
    const std::string column = contract::check_name(scope.column);
    if (contract::flag_of(reader, "required")) {
      scope.checks.add(fmt::format("missing_count({})", column), contract::kNone, named(scope.column + " is required"),
                       node.find("required")->position());
    }
    if (contract::flag_of(reader, "unique")) {
      scope.checks.add(fmt::format("duplicate_count({})", column), contract::kNone, named(scope.column + " is unique"),
                       node.find("unique")->position());
    }
    const long position = static_cast<long>(reader.integer("primaryKeyPosition", -1, -1, 1000));
    if (contract::flag_of(reader, "primaryKey")) {
      columns_.primary_key.push_back({scope.column, position, node.find("primaryKey")->position()});
    }
  }

  /// Version 3.2: the values that the column may have.
  static void read_enum(MapReader& reader, const Scope& scope) {
    const Node* node = reader.child("enum");
    if (node == nullptr) return;
    std::vector<Node> values;
    for (const Node* item : reader.list("enum")) {
      const Node* value = item->is_mapping() ? item->find("value") : item;
      if (value == nullptr || !value->is_scalar()) {
        reader.error(*item, "\"enum\": expected a list of values, each a mapping with \"value\"");
        return;
      }
      values.push_back(Node::scalar(value->text(), value->position(), value->quoted()));
    }
    if (values.empty()) return reader.error(*node, "\"enum\": no values");
    Extras extras = named(scope.column + " is one of its values");
    extras.settings.emplace_back(Node::scalar("valid values", node->position()),
                                 Node::sequence(std::move(values), node->position()));
    scope.checks.add(fmt::format("invalid_count({})", contract::check_name(scope.column)), contract::kNone,
                     std::move(extras), node->position());
  }

  static Extras named(std::string name) {
    Extras extras;
    extras.name = std::move(name);
    return extras;
  }

  void add_schema_check() {
    if (columns_.required.empty()) return;
    const config::Position& position = node_.position();
    std::vector<Node::Entry> demands;
    const auto demand = [&](const char* key, Node value) {
      demands.emplace_back(Node::scalar(key, position), std::move(value));
    };
    demand("when required column missing", Node::sequence(std::move(columns_.required), position));
    if (!columns_.types.empty()) demand("when wrong column type", Node::mapping(std::move(columns_.types), position));
    if (!columns_.logical_types.empty()) {
      demand("when wrong logical type", Node::mapping(std::move(columns_.logical_types), position));
    }
    Extras extras = named("columns are those of the contract");
    extras.settings.emplace_back(Node::scalar("fail", position), Node::mapping(std::move(demands), position));
    scope_.checks.add_block("schema", std::move(extras), position);
    scope_.checks.bring_forward();
  }

  void add_primary_key() {
    std::vector<Columns::Key>& key = columns_.primary_key;
    if (key.empty()) return;
    std::ranges::stable_sort(key, {}, &Columns::Key::position);
    std::vector<std::string> columns;
    for (const Columns::Key& part : key) {
      const std::string column = contract::check_name(part.column);
      columns.push_back(column);
      scope_.checks.add(fmt::format("missing_count({})", column), contract::kNone,
                        named(part.column + " is in the primary key, so never null"), part.place);
    }
    scope_.checks.add(fmt::format("duplicate_count({})", fmt::join(columns, ", ")), contract::kNone,
                      named(fmt::format("primary key ({}) is unique", fmt::join(columns, ", "))), key.front().place);
  }

  const Node& node_;
  MapReader reader_;
  Scope scope_;
  Columns columns_;
};

void check_version(MapReader& reader) {
  const std::string version = contract::text_of(reader, "apiVersion");
  if (version.empty()) return reader.missing("apiVersion", "key \"apiVersion\" is missing: apiVersion: v3.1.0");
  if (version.starts_with("v3.") || version.starts_with("3.")) return;
  reader.error("apiVersion", fmt::format("\"{}\" cannot be read; supported are v3.0 to v3.2 of the standard", version));
}

/// Sections with the same heading become one.
Node sections_of(std::vector<TableChecks> tables, const Node& root) {
  std::vector<Node::Entry> merged;
  for (TableChecks& table : tables) {
    for (Node::Entry& section : std::move(table).sections()) {
      const auto same = std::ranges::find_if(
          merged, [&](const Node::Entry& other) { return other.first.text() == section.first.text(); });
      if (same == merged.end()) {
        merged.push_back(std::move(section));
      } else if (same->second.is_sequence() && section.second.is_sequence()) {
        std::vector<Node> items = same->second.items();
        std::ranges::copy(section.second.items(), std::back_inserter(items));
        same->second = Node::sequence(std::move(items), same->second.position());
      }
    }
  }
  return Node::mapping(std::move(merged), root.position());
}

}  // namespace

bool is_contract(const Node& root) {
  if (!root.is_mapping()) return false;
  return scalar(root, "kind") == "DataContract" ||
         (root.find("apiVersion") != nullptr && root.find("schema") != nullptr);
}

Node contract_to_checks(const Node& root, Diagnostics& diagnostics) {
  MapReader reader(root, diagnostics, "contract");
  contract::allow(reader, {"version", "kind", "id", "name", "tenant", "tags", "status", "servers", "dataProduct",
                           "description", "domain", "support", "price", "team", "roles", "authoritativeDefinitions",
                           "customProperties", "contractCreatedTs", "context"});
  check_version(reader);
  const Names names = names_of(root, contract::schema_of_servers(root, diagnostics));
  const auto attributes = contract::attributes_of(root);
  std::vector<TableChecks> tables;
  const Node* schema = reader.child("schema");
  if (schema != nullptr && !schema->is_sequence()) {
    reader.error(*schema, fmt::format("\"schema\": expected a list of tables, found {}", schema->kind_name()));
  } else if (schema == nullptr) {
    reader.missing("schema", "key \"schema\" is missing: the tables that the contract is about");
  } else {
    tables.reserve(schema->items().size());
    for (std::size_t i = 0; i < schema->items().size(); ++i) {
      const Node& object = schema->items()[i];
      const Names::Table& table = names.tables[i];
      tables.emplace_back(contract::check_table(table.physical), object.position());
      tables.back().set_attributes(attributes);
      ObjectReader(object, names, table, tables.back(), diagnostics).run();
    }
  }
  contract::read_service_levels(reader, names, tables);
  reader.finish();
  Node sections = sections_of(std::move(tables), root);
  if (sections.entries().empty() && diagnostics.ok())
    diagnostics.error(root.position(), "contract: it demands nothing that can be checked");
  return sections;
}

}  // namespace weir::quality
