#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace weir::schemas {

enum class Format { avro, protobuf, json };

/// "AVRO", "PROTOBUF", "JSON", as registries write them.
std::string_view to_string(Format format);
/// "" is AVRO, as in registries' answers. Nothing for a format that is not known.
std::optional<Format> format_named(std::string_view type);

/// Between the types that an element of an array or map may have, in Field::parts.
inline constexpr std::string_view kAlternative = " | ";

/// A field of a record, message or object.
struct Field {
  std::string name;
  std::string type;                     // for a person: "long", "array of Item", "null or string"
  std::vector<std::string> parts = {};  // the types it may have, each in the format's own words; one but for unions
  bool has_default = false;
  bool required = false;  // JSON: named in `required`; Protobuf: proto2's; Avro: without a default
  std::vector<std::string> aliases = {};
  int number = 0;          // Protobuf's
  std::string oneof = {};  // Protobuf: the group it is in
};

/// A record, message or object, or an enumeration.
struct Type {
  std::string name;  // full name; of JSON's nested objects the path from the root
  bool enumeration = false;
  std::vector<Field> fields = {};
  std::vector<std::string> symbols = {};  // of an enumeration, in order
  std::vector<int> numbers = {};          // Protobuf: of the symbols
  std::vector<std::string> aliases = {};
  bool has_default = false;  // of an Avro enumeration: unknown symbols have a meaning
  bool closed = false;       // JSON: additionalProperties is false
};

/// A schema as far as its fields go: what a diff is made of.
struct Model {
  Format format = Format::avro;
  std::string record = {};                // full name of the root type, "" where it has none
  std::vector<Type> types = {};           // the root first, each once
  std::vector<std::string> imports = {};  // names of other schemas that it refers to, as it writes them
  std::vector<std::string> unknown = {};  // types that are defined nowhere

  const Type* find(std::string_view name) const;
};

/// Another schema that one refers to.
struct Referenced {
  std::string name;  // as it is referred to
  std::string text;
};

/// Bounds of one schema.
inline constexpr std::size_t kLargestSchema = 4U << 20U;
inline constexpr std::size_t kMostLevels = 64;
inline constexpr std::size_t kMostFields = 20'000;
inline constexpr std::size_t kMostAlternatives = 1'000;  // types of one field

/// Reads a schema. `references` are what it refers to, those that others need first; types of theirs are known and are
/// not part of the model. Errors: not a schema of the format (invalid, with the place where there is one), larger or
/// deeper than the bounds (limit).
core::Result<Model> parse(Format format, std::string_view text, std::span<const Referenced> references = {});

// One format each, in a file of its own.
core::Result<Model> parse_avro(std::string_view text, std::span<const Referenced> references);
core::Result<Model> parse_protobuf(std::string_view text);
core::Result<Model> parse_json_schema(std::string_view text);

}  // namespace weir::schemas
