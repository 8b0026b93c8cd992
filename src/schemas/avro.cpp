#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>

#include "schemas/model.h"

namespace weir::schemas {
namespace {

using core::ErrorKind;
using nlohmann::json;

const std::set<std::string, std::less<>> kPrimitives{"null",  "boolean", "int",   "long",
                                                     "float", "double",  "bytes", "string"};

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A type in the words of a person, and in those that promotion is judged by.
struct Shown {
  std::string text;
  std::vector<std::string> parts;
};

Shown single(std::string text) { return {text, {text}}; }

std::string short_name(const std::string& name) { return name.substr(name.rfind('.') + 1); }

/// Walks Avro's JSON (https://avro.apache.org/docs/1.11.1/specification/). Names are resolved in the namespace they
/// stand in; a type of a reference is known by its full name.
class Reader {
 public:
  core::Result<Shown> read(const json& node, const std::string& space, std::size_t level) {
    if (level > kMostLevels) return core::fail(ErrorKind::limit, "the schema is nested more than 64 levels deep");
    if (node.is_string()) return named(node.get<std::string>(), space);
    if (node.is_array()) return read_union(node, space, level);
    if (node.is_object()) return read_object(node, space, level);
    return core::fail(ErrorKind::invalid, fmt::format("a type is text, a list or an object, not {}", node.type_name()));
  }

  void end_of_references() {
    known_ = defined_;
    wanted_.clear();
    model_.types.clear();
  }
  Model finish(std::string record) && {
    model_.record = std::move(record);
    for (const std::string& name : wanted_) {
      if (!defined_.contains(name)) model_.unknown.push_back(name);
      if (!defined_.contains(name) || known_.contains(name)) model_.imports.push_back(name);
    }
    return std::move(model_);
  }

 private:
  core::Result<Shown> named(const std::string& name, const std::string& space) {
    if (kPrimitives.contains(name)) return single(name);
    if (name.empty()) return core::fail(ErrorKind::invalid, "a type has an empty name");
    std::string full = name.find('.') == name.npos && !space.empty() ? space + "." + name : name;
    if (!defined_.contains(full) && defined_.contains(name)) full = name;
    wanted_.insert(full);
    return Shown{short_name(full), {full}};
  }

  core::Result<Shown> read_union(const json& node, const std::string& space, std::size_t level) {
    Shown shown;
    for (const json& branch : node) {
      if (branch.is_array()) return core::fail(ErrorKind::invalid, "a union stands directly within a union");
      auto one = read(branch, space, level + 1);
      if (!one) return one;
      shown.text += (shown.text.empty() ? "" : " or ") + one->text;
      std::ranges::move(one->parts, std::back_inserter(shown.parts));
      if (shown.parts.size() > kMostAlternatives)
        return core::fail(ErrorKind::limit, fmt::format("a union has more than {} types", kMostAlternatives));
    }
    if (shown.parts.empty()) return core::fail(ErrorKind::invalid, "a union has no types");
    return shown;
  }

  core::Result<Shown> read_object(const json& node, const std::string& space, std::size_t level) {
    const auto type = node.find("type");
    if (type == node.end()) return core::fail(ErrorKind::invalid, "an object without \"type\"");
    if (!type->is_string()) return read(*type, space, level + 1);
    const std::string kind = type->get<std::string>();
    if (kind == "array" || kind == "map") {
      const auto inner = node.find(kind == "array" ? "items" : "values");
      if (inner == node.end()) {
        return core::fail(ErrorKind::invalid,
                          fmt::format("an {} without \"{}\"", kind, kind == "array" ? "items" : "values"));
      }
      auto of = read(*inner, space, level + 1);
      if (!of) return of;
      return Shown{fmt::format("{} of {}", kind, of->text),
                   {fmt::format("{} of {}", kind, fmt::join(of->parts, kAlternative))}};
    }
    if (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed") {
      return definition(node, kind, space, level);
    }
    auto shown = named(kind, space);
    if (const std::string logical = text_of(node, "logicalType"); shown && !logical.empty()) {
      shown->text = logical;
      if (logical == "decimal") shown->text += decimal(node);
      shown->parts = {fmt::format("{} {}", kind, shown->text)};
    }
    return shown;
  }

  static std::string decimal(const json& node) {
    const auto number = [&](const char* key) {
      const auto found = node.find(key);
      return found != node.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
    };
    return fmt::format("({}, {})", number("precision"), number("scale"));
  }

  core::Result<Shown> definition(const json& node, const std::string& kind, const std::string& outer,
                                 std::size_t level) {
    const std::string name = text_of(node, "name");
    if (name.empty()) return core::fail(ErrorKind::invalid, fmt::format("a {} without a name", kind));
    const std::size_t dot = name.rfind('.');
    const std::string given = node.contains("namespace") ? text_of(node, "namespace") : outer;
    const std::string space = dot == name.npos ? given : name.substr(0, dot);
    const std::string full = dot != name.npos || space.empty() ? name : space + "." + name;
    if (!defined_.insert(full).second) {
      return core::fail(ErrorKind::invalid, fmt::format("the name {} is defined twice", full));
    }
    Shown shown{short_name(full), {full}};
    if (kind == "fixed") {
      const auto size = node.find("size");
      if (size != node.end() && size->is_number_integer())
        shown.text += fmt::format(" (fixed, {} bytes)", size->get<std::int64_t>());
      shown.parts = {"fixed " + shown.text};
      return shown;
    }
    const std::size_t index = model_.types.size();
    model_.types.push_back({.name = full, .enumeration = kind == "enum"});
    model_.types[index].aliases = aliases(node, space);
    auto done = kind == "enum" ? symbols(node, index) : fields(node, index, space, level);
    if (!done) return std::unexpected(done.error());
    return shown;
  }

  static std::vector<std::string> aliases(const json& node, const std::string& space) {
    std::vector<std::string> names;
    const auto found = node.find("aliases");
    if (found == node.end() || !found->is_array()) return names;
    for (const json& alias : *found) {
      if (!alias.is_string()) continue;
      const auto name = alias.get<std::string>();
      names.push_back(name.find('.') == name.npos && !space.empty() ? space + "." + name : name);
    }
    return names;
  }

  core::Result<void> symbols(const json& node, std::size_t index) {
    const auto found = node.find("symbols");
    Type& type = model_.types[index];
    if (found == node.end() || !found->is_array())
      return core::fail(ErrorKind::invalid, fmt::format("the enum {} has no list of symbols", type.name));
    for (const json& symbol : *found) {
      if (!symbol.is_string())
        return core::fail(ErrorKind::invalid, fmt::format("a symbol of the enum {} is no text", type.name));
      type.symbols.push_back(symbol.get<std::string>());
      if (++count_ > kMostFields) return too_many();
    }
    type.has_default = node.contains("default");
    return {};
  }

  static std::unexpected<core::Error> too_many() {
    return core::fail(ErrorKind::limit, fmt::format("the schema has more than {} fields", kMostFields));
  }

  core::Result<void> fields(const json& node, std::size_t index, const std::string& space, std::size_t level) {
    const auto list = node.find("fields");
    if (list == node.end() || !list->is_array())
      return core::fail(ErrorKind::invalid,
                        fmt::format("the record {} has no list of fields", model_.types[index].name));
    std::set<std::string> names;
    for (const json& item : *list) {
      if (++count_ > kMostFields) return too_many();
      const std::string name = item.is_object() ? text_of(item, "name") : std::string();
      if (name.empty() || !item.contains("type")) {
        return core::fail(ErrorKind::invalid,
                          fmt::format("a field of the record {} lacks its name or type", model_.types[index].name));
      }
      if (!names.insert(name).second) {
        return core::fail(ErrorKind::invalid,
                          fmt::format("the record {} has the field {} twice", model_.types[index].name, name));
      }
      auto shown = read(item.at("type"), space, level + 1);
      if (!shown) {
        shown.error().message = fmt::format("field {}: {}", name, shown.error().message);
        return std::unexpected(shown.error());
      }
      Field field{.name = name, .type = std::move(shown->text), .parts = std::move(shown->parts)};
      field.has_default = item.contains("default");
      field.required = !field.has_default;
      field.aliases = aliases(item, "");
      model_.types[index].fields.push_back(std::move(field));
    }
    return {};
  }

  Model model_{.format = Format::avro};
  std::set<std::string> known_;    // of references
  std::set<std::string> defined_;  // so far, those included
  std::set<std::string> wanted_;   // referred to by name
  std::size_t count_ = 0;
};

core::Result<json> parse_text(std::string_view text) {
  json node = json::parse(text, nullptr, false);
  if (!node.is_discarded()) return node;
  // A schema of one primitive type may be written as its bare name.
  if (kPrimitives.contains(text)) return json(text);
  return core::fail(ErrorKind::invalid, "the schema is not JSON: Avro schemas are");
}

}  // namespace

core::Result<Model> parse_avro(std::string_view text, std::span<const Referenced> references) {
  Reader reader;
  for (const Referenced& reference : references) {
    const auto node = parse_text(reference.text);
    if (!node) return std::unexpected(node.error());
    if (auto read = reader.read(*node, "", 0); !read) {
      read.error().message = fmt::format("reference {}: {}", reference.name, read.error().message);
      return std::unexpected(read.error());
    }
  }
  reader.end_of_references();
  const auto node = parse_text(text);
  if (!node) return std::unexpected(node.error());
  const auto root = reader.read(*node, "", 0);
  if (!root) return std::unexpected(root.error());
  const bool is_named = node->is_object() && root->parts.size() == 1;
  return std::move(reader).finish(is_named ? root->parts.front() : std::string());
}

}  // namespace weir::schemas
