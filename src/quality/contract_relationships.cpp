#include <fmt/format.h>

#include "quality/contract_parts.h"

// The relationships of a table or property: foreign keys.
namespace weir::quality::contract {
namespace {

using config::MapReader;
using config::Node;

struct Target {
  std::string table;
  std::vector<std::string> columns;
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

class RelationshipReader {
 public:
  RelationshipReader(const Node& node, const Scope& scope)
      : node_(node), reader_(node, scope.diagnostics, "relationship"), scope_(scope) {}

  void run() {
    allow(reader_, {"id", "customProperties", "description"});
    const std::string type = text_of(reader_, "type");
    if (!type.empty() && type != "foreignKey") {
      reader_.error("type", fmt::format("\"{}\" cannot be checked; only foreignKey can", type));
    }
    Target from{"", {scope_.column}};
    if (scope_.column.empty()) {
      from = read("from");
    } else if (reader_.has("from")) {
      reader_.error("from", "is implied: the property that the relationship stands under");
    }
    const Target to = read("to");
    reader_.finish();
    if (from.columns.empty() || to.columns.empty()) return;
    if (from.columns.size() != to.columns.size()) {
      return reader_.error("to",
                           fmt::format("has {} columns where \"from\" has {}", to.columns.size(), from.columns.size()));
    }
    const std::string table = check_table(to.table);
    const std::string check =
        fmt::format("values in ({}) must exist in {} ({})", joined(from.columns), table, joined(to.columns));
    scope_.checks.add_block(check, {}, node_.position());
  }

 private:
  static std::string joined(const std::vector<std::string>& columns) {
    std::string text;
    for (const std::string& column : columns) text.append(text.empty() ? "" : ", ").append(check_name(column));
    return text;
  }

  Target read(std::string_view key) {
    Target target;
    if (!reader_.has(key)) {
      reader_.missing(key);
      return target;
    }
    for (const Node* item : reader_.list(key)) {
      const auto part = item->is_scalar() ? resolve(item->text()) : std::nullopt;
      if (!part) {
        reader_.error(*item, fmt::format("\"{}\": expected table.column or schema/<id>/properties/<id>, both in this "
                                         "contract or named as in the database",
                                         key));
        return {};
      }
      if (!target.columns.empty() && part->first != target.table) {
        reader_.error(*item, fmt::format("\"{}\": all columns must be of one table", key));
        return {};
      }
      target.table = part->first;
      target.columns.push_back(part->second);
    }
    return target;
  }

  /// The physical names of table and column.
  std::optional<std::pair<std::string, std::string>> resolve(const std::string& reference) const {
    if (reference.find('#') != std::string::npos) return std::nullopt;  // of another contract
    std::string table;
    std::string column;
    if (reference.find('/') != std::string::npos) {
      std::vector<std::string> parts = split(reference, '/');
      if (!parts.empty() && parts.front().empty()) parts.erase(parts.begin());
      if (parts.size() != 4 || parts[0] != "schema" || parts[2] != "properties") return std::nullopt;
      if (scope_.names.find(parts[1]) == nullptr) return std::nullopt;
      table = parts[1];
      column = parts[3];
    } else {
      const std::size_t dot = reference.rfind('.');
      if (dot == std::string::npos || dot == 0 || dot + 1 == reference.size()) return std::nullopt;
      table = reference.substr(0, dot);
      column = reference.substr(dot + 1);
    }
    const Names::Table* known = scope_.names.find(table);
    if (known == nullptr && scope_.names.find(split(table, '.').front()) != nullptr)
      return std::nullopt;  // inside a column
    if (known == nullptr) return std::pair{table, column};
    return std::pair{known->physical, Names::column(*known, column)};
  }

  const Node& node_;
  MapReader reader_;
  const Scope& scope_;
};

}  // namespace

void read_relationships(MapReader& owner, const Scope& scope) {
  for (const Node* relationship : owner.list("relationships")) RelationshipReader(*relationship, scope).run();
}

}  // namespace weir::quality::contract
