#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "schemas/model.h"

namespace weir::schemas {
namespace {

using core::ErrorKind;
using nlohmann::json;

constexpr std::size_t kLongestValue = 40;

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json& object, const char* key) {
  const json* found = member(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

/// A value of an `enum`: text as it is, else its JSON, not too long.
std::string value_text(const json& value) {
  if (value.is_structured()) return value.is_array() ? "a list" : "an object";
  std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kLongestValue) text.resize(kLongestValue);
  return text;
}

/// Walks properties, items and definitions of a JSON Schema (any draft: what they share). Objects within objects are
/// types named by their path; definitions are types named by theirs.
class Reader {
 public:
  core::Result<Model> read(const json& root) {
    model_.record = text_of(root, "title");
    if (auto done = object(root, "", 0); !done) return std::unexpected(done.error());
    for (const char* key : {"definitions", "$defs"}) {
      const json* definitions = member(root, key);
      if (definitions == nullptr || !definitions->is_object()) continue;
      for (const auto& [name, node] : definitions->items()) {
        auto done = define(node, name);
        if (!done) return std::unexpected(done.error());
      }
    }
    return std::move(model_);
  }

 private:
  core::Result<void> define(const json& node, const std::string& name) {
    if (member(node, "enum") != nullptr && member(node, "properties") == nullptr) return enumeration(node, name);
    if (member(node, "properties") != nullptr) return object(node, name, 1);
    return {};
  }

  core::Result<void> object(const json& node, const std::string& path, std::size_t level) {
    if (level > kMostLevels) return core::fail(ErrorKind::limit, "the schema is nested more than 64 levels deep");
    if (const json* name = member(node, "$ref"); name != nullptr && name->is_string() && level == 0)
      note_reference(name->get<std::string>());
    const std::size_t index = model_.types.size();
    model_.types.push_back({.name = own_name(path)});
    if (const json* more = member(node, "additionalProperties"); more != nullptr && more->is_boolean())
      model_.types[index].closed = !more->get<bool>();
    std::set<std::string> required;
    if (const json* names = member(node, "required"); names != nullptr && names->is_array()) {
      for (const json& name : *names) {
        if (name.is_string()) required.insert(name.get<std::string>());
      }
    }
    const json* properties = member(node, "properties");
    if (properties == nullptr) return {};
    if (!properties->is_object()) return core::fail(ErrorKind::invalid, "\"properties\" is not an object");
    for (const auto& [name, property] : properties->items()) {
      if (++count_ > kMostFields)
        return core::fail(ErrorKind::limit, fmt::format("the schema has more than {} fields", kMostFields));
      Field field{.name = name, .type = {}};
      field.required = required.contains(name);
      field.has_default = member(property, "default") != nullptr;
      const std::string inner = path.empty() ? name : path + "." + name;
      if (auto done = describe(property, inner, level + 1, field); !done) return done;
      model_.types[index].fields.push_back(std::move(field));
    }
    return {};
  }

  core::Result<void> enumeration(const json& node, const std::string& path) {
    Type type{.name = own_name(path), .enumeration = true};
    const json& values = node.at("enum");
    if (!values.is_array()) return core::fail(ErrorKind::invalid, "\"enum\" is not a list");
    for (const json& value : values) {
      if (++count_ > kMostFields)
        return core::fail(ErrorKind::limit, fmt::format("the schema has more than {} fields", kMostFields));
      type.symbols.push_back(value_text(value));
    }
    model_.types.push_back(std::move(type));
    return {};
  }

  /// Paths are not always different: a property may be called "a.b", a definition as a property is.
  std::string own_name(const std::string& path) {
    const std::size_t count = ++names_[path];
    return count == 1 ? path : fmt::format("{} ({})", path, count);
  }

  std::string note_reference(const std::string& target) {
    if (!target.starts_with('#')) {
      const std::string file = target.substr(0, target.find('#'));
      if (std::ranges::find(model_.imports, file) == model_.imports.end()) model_.imports.push_back(file);
    }
    return target.substr(target.find_last_of("/#") + 1);
  }

  /// Sets type and parts; adds what is within as types of their own.
  core::Result<void> describe(const json& node, const std::string& path, std::size_t level, Field& field) {
    if (level > kMostLevels) return core::fail(ErrorKind::limit, "the schema is nested more than 64 levels deep");
    if (node.is_boolean()) return one(field, node.get<bool>() ? "anything" : "nothing");
    if (!node.is_object()) return core::fail(ErrorKind::invalid, fmt::format("{} is no schema", path));
    if (const json* target = member(node, "$ref"); target != nullptr && target->is_string()) {
      const auto written = target->get<std::string>();
      const std::string name = note_reference(written);
      return one(field, name.empty() ? written : name);
    }
    for (const char* key : {"oneOf", "anyOf"}) {
      if (const json* choices = member(node, key); choices != nullptr && choices->is_array())
        return alternatives(*choices, path, level, field);
    }
    if (member(node, "enum") != nullptr) {
      if (auto done = enumeration(node, path); !done) return done;
      const std::string type = text_of(node, "type");
      return one(field, type.empty() ? "enum" : type);
    }
    if (member(node, "const") != nullptr) return one(field, "constant " + value_text(node.at("const")));
    const json* type = member(node, "type");
    if (type != nullptr && type->is_array()) {
      for (const json& each : *type) {
        if (!each.is_string()) return core::fail(ErrorKind::invalid, fmt::format("the type of {} is no text", path));
        if (auto done = named(node, each.get<std::string>(), path, level, field); !done) return done;
      }
      return {};
    }
    if (type != nullptr && !type->is_string())
      return core::fail(ErrorKind::invalid, fmt::format("the type of {} is neither text nor a list", path));
    std::string name = type == nullptr ? "" : type->get<std::string>();
    if (name.empty()) name = member(node, "properties") != nullptr ? "object" : "anything";
    return named(node, name, path, level, field);
  }

  core::Result<void> alternatives(const json& choices, const std::string& path, std::size_t level, Field& field) {
    std::size_t number = 0;
    for (const json& choice : choices) {
      const std::string inner = ++number == 1 ? path : fmt::format("{} (choice {})", path, number);
      if (auto done = describe(choice, inner, level + 1, field); !done) return done;
    }
    return {};
  }

  core::Result<void> named(const json& node, const std::string& type, const std::string& path, std::size_t level,
                           Field& field) {
    if (type == "object" && member(node, "properties") != nullptr) {
      if (auto done = object(node, path, level + 1); !done) return done;
    }
    const json* items = type == "array" ? member(node, "items") : nullptr;
    if (items != nullptr && items->is_object()) {
      Field element{.name = {}, .type = {}};
      if (auto done = describe(*items, path + "[]", level + 1, element); !done) return done;
      return one(field, fmt::format("array of {}", fmt::join(element.parts, kAlternative)), "array of " + element.type);
    }
    const std::string format = text_of(node, "format");
    return one(field, type, format.empty() || type != "string" ? type : format);
  }

  static core::Result<void> one(Field& field, const std::string& part, const std::string& shown = {}) {
    if (field.parts.size() >= kMostAlternatives)
      return core::fail(ErrorKind::limit,
                        fmt::format("{} may be of more than {} types", field.name, kMostAlternatives));
    field.type += (field.type.empty() ? "" : " or ") + (shown.empty() ? part : shown);
    field.parts.push_back(part);
    return {};
  }

  Model model_{.format = Format::json};
  std::map<std::string, std::size_t> names_;  // of types, how often each was wanted
  std::size_t count_ = 0;
};

}  // namespace

core::Result<Model> parse_json_schema(std::string_view text) {
  const json node = json::parse(text, nullptr, false);
  if (node.is_discarded()) return core::fail(ErrorKind::invalid, "the schema is not JSON");
  if (!node.is_object() && !node.is_boolean())
    return core::fail(ErrorKind::invalid, "a JSON Schema is an object, not " + std::string(node.type_name()));
  return Reader().read(node);
}

}  // namespace weir::schemas
