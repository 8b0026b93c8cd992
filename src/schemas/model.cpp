#include "schemas/model.h"

#include <algorithm>

namespace weir::schemas {

std::string_view to_string(Format format) {
  switch (format) {
    case Format::avro: return "AVRO";
    case Format::protobuf: return "PROTOBUF";
    case Format::json: return "JSON";
  }
  return "";
}

std::optional<Format> format_named(std::string_view type) {
  if (type.empty() || type == "AVRO") return Format::avro;
  if (type == "PROTOBUF") return Format::protobuf;
  if (type == "JSON") return Format::json;
  return std::nullopt;
}

const Type* Model::find(std::string_view name) const {
  const auto found = std::ranges::find(types, name, &Type::name);
  return found == types.end() ? nullptr : &*found;
}

core::Result<Model> parse(Format format, std::string_view text, std::span<const Referenced> references) {
  if (text.size() > kLargestSchema) return core::fail(core::ErrorKind::limit, "the schema is larger than 4 MiB");
  switch (format) {
    case Format::avro: return parse_avro(text, references);
    case Format::protobuf: return parse_protobuf(text);
    case Format::json: return parse_json_schema(text);
  }
  return core::fail(core::ErrorKind::internal, "no such format");
}

}  // namespace weir::schemas
