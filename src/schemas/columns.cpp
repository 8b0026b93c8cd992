#include "schemas/columns.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <string_view>
#include <utility>

namespace weir::schemas {
namespace {

enum class Family { unknown, whole, number, boolean, text, bytes, date, time, structure };

std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '-' || c == ' ') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

/// The first entry whose text the type begins with; longer words stand before shorter ones.
constexpr std::array<std::pair<std::string_view, Family>, 38> kFamilies{{
    {"timestamp", Family::time},     {"localtimestamp", Family::time}, {"datetime", Family::time},
    {"timemillis", Family::unknown}, {"timemicros", Family::unknown},  {"time", Family::unknown},
    {"date", Family::date},          {"tinyint(1)", Family::boolean},  {"interval", Family::unknown},
    {"int", Family::whole},          {"bigint", Family::whole},        {"smallint", Family::whole},
    {"tinyint", Family::whole},      {"mediumint", Family::whole},     {"serial", Family::whole},
    {"bigserial", Family::whole},    {"long", Family::whole},          {"uint", Family::whole},
    {"sint", Family::whole},         {"fixed32", Family::whole},       {"fixed64", Family::whole},
    {"sfixed", Family::whole},       {"decimal", Family::number},      {"numeric", Family::number},
    {"number", Family::number},      {"float", Family::number},        {"double", Family::number},
    {"real", Family::number},        {"bool", Family::boolean},        {"string", Family::text},
    {"varchar", Family::text},       {"char", Family::text},           {"text", Family::text},
    {"bytes", Family::bytes},        {"bytea", Family::bytes},         {"array", Family::structure},
    {"map", Family::structure},      {"object", Family::structure},
}};

Family family_of(std::string_view type) {
  const std::string text = folded(type);
  for (const auto& [word, family] : kFamilies) {
    if (text.starts_with(word)) return family;
  }
  return Family::unknown;
}

/// What a field may be beside null; unknown where it may be several things.
Family family_of(const Field& field) {
  Family family = Family::unknown;
  for (const std::string& part : field.parts) {
    if (part == "null") continue;
    // A logical type says more than what it is made of: "long timestamp-millis".
    const std::size_t space = part.find(' ');
    const bool logical = space != part.npos && !part.starts_with("array ") && !part.starts_with("map ");
    const Family found = family_of(logical ? std::string_view(part).substr(space + 1) : std::string_view(part));
    if (family != Family::unknown && family != found) return Family::unknown;
    family = found;
  }
  return family;
}

/// Whether a column of that family can hold the field's values as they are.
bool holds(Family field, Family column) {
  if (field == column || field == Family::unknown || column == Family::unknown) return true;
  switch (field) {
    case Family::whole: return column == Family::number || column == Family::time;  // epoch times become timestamps
    case Family::number: return false;
    case Family::boolean: return column == Family::whole;
    case Family::text: return column == Family::date || column == Family::time;  // ISO 8601
    case Family::date: return column == Family::time;
    case Family::time: return column == Family::date;
    case Family::structure: return column == Family::text;  // JSON
    default: return false;
  }
}

}  // namespace

std::vector<std::string> column_differences(const Model& model, std::span<const core::Column> columns,
                                            const std::set<std::string>& ignored) {
  std::vector<std::string> found;
  const Type* root = model.find(model.record);
  if (root == nullptr && !model.types.empty()) root = &model.types.front();
  if (root == nullptr || root->enumeration) return {"the schema has no fields to compare with columns"};
  std::map<std::string, const core::Column*> by_name;
  for (const core::Column& column : columns) by_name[folded(column.name)] = &column;
  std::set<std::string> fields;
  for (const Field& field : root->fields) {
    fields.insert(folded(field.name));
    const auto column = by_name.find(folded(field.name));
    if (column == by_name.end()) {
      if (!ignored.contains(field.name)) found.push_back(fmt::format("field {} has no column", field.name));
    } else if (!holds(family_of(field), family_of(column->second->type))) {
      found.push_back(fmt::format("field {} is {} and its column is {}", field.name, field.type, column->second->type));
    }
  }
  for (const core::Column& column : columns) {
    if (!fields.contains(folded(column.name)) && !ignored.contains(column.name))
      found.push_back(fmt::format("column {} has no field", column.name));
  }
  return found;
}

}  // namespace weir::schemas
