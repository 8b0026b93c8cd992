#include <algorithm>
#include <fmt/format.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <map>
#include <set>

#include "schemas/model.h"

namespace weir::schemas {
namespace {

namespace pb = google::protobuf;
using core::ErrorKind;

/// Keeps the first mistake; libprotobuf counts lines and columns from 0.
class Mistakes final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (first.empty()) first = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  std::string first;
};

/// The parser calls itself for each message within a message, and for each block of an option.
bool too_deep(std::string_view text) {
  std::size_t open = 0;
  for (const char c : text) {
    if (c == '{' && ++open > kMostLevels) return true;
    if (c == '}' && open > 0) --open;
  }
  return false;
}

std::string_view scalar_name(pb::FieldDescriptorProto::Type type) {
  switch (type) {
    case pb::FieldDescriptorProto::TYPE_DOUBLE: return "double";
    case pb::FieldDescriptorProto::TYPE_FLOAT: return "float";
    case pb::FieldDescriptorProto::TYPE_INT64: return "int64";
    case pb::FieldDescriptorProto::TYPE_UINT64: return "uint64";
    case pb::FieldDescriptorProto::TYPE_INT32: return "int32";
    case pb::FieldDescriptorProto::TYPE_FIXED64: return "fixed64";
    case pb::FieldDescriptorProto::TYPE_FIXED32: return "fixed32";
    case pb::FieldDescriptorProto::TYPE_BOOL: return "bool";
    case pb::FieldDescriptorProto::TYPE_STRING: return "string";
    case pb::FieldDescriptorProto::TYPE_GROUP: return "group";
    case pb::FieldDescriptorProto::TYPE_BYTES: return "bytes";
    case pb::FieldDescriptorProto::TYPE_UINT32: return "uint32";
    case pb::FieldDescriptorProto::TYPE_SFIXED32: return "sfixed32";
    case pb::FieldDescriptorProto::TYPE_SFIXED64: return "sfixed64";
    case pb::FieldDescriptorProto::TYPE_SINT32: return "sint32";
    case pb::FieldDescriptorProto::TYPE_SINT64: return "sint64";
    default: return "";
  }
}

/// A parsed file as a model. Types of other files stay as they are written: only the file's own names are resolved,
/// from the inner scope to the outer (https://protobuf.dev/programming-guides/proto3/#name-resolution).
class Builder {
 public:
  explicit Builder(const pb::FileDescriptorProto& file) : file_(file) {
    for (const auto& message : file.message_type()) note_names(message, full(file.package(), message.name()));
    for (const auto& each : file.enum_type()) enums_.insert(full(file.package(), each.name()));
  }

  core::Result<Model> build() {
    for (const std::string& import : file_.dependency()) model_.imports.push_back(import);
    for (const auto& message : file_.message_type()) add(message, full(file_.package(), message.name()));
    for (const auto& each : file_.enum_type()) add(each, full(file_.package(), each.name()));
    if (count_ > kMostFields)
      return core::fail(ErrorKind::limit, fmt::format("the schema has more than {} fields", kMostFields));
    if (!twice_.empty()) return core::fail(ErrorKind::invalid, "not a Protobuf schema: " + twice_);
    if (file_.message_type_size() > 0) model_.record = full(file_.package(), file_.message_type(0).name());
    return std::move(model_);
  }

 private:
  /// The parser leaves it to a later step of the compiler to see what is given twice.
  void note_twice(bool first, const std::string& what) {
    if (!first && twice_.empty()) twice_ = what + " is given twice";
  }

  static std::string full(const std::string& scope, const std::string& name) {
    return scope.empty() ? name : scope + "." + name;
  }

  void note_names(const pb::DescriptorProto& message, const std::string& name) {
    messages_.insert(name);
    for (const auto& inner : message.nested_type()) {
      if (inner.options().map_entry()) {
        entries_[full(name, inner.name())] = &inner;
      } else {
        note_names(inner, full(name, inner.name()));
      }
    }
    for (const auto& each : message.enum_type()) enums_.insert(full(name, each.name()));
  }

  std::string resolve(const std::string& written, std::string scope) const {
    if (written.starts_with('.')) return written.substr(1);
    while (true) {
      const std::string name = full(scope, written);
      if (messages_.contains(name) || enums_.contains(name) || entries_.contains(name)) return name;
      if (scope.empty()) return written;
      const std::size_t dot = scope.rfind('.');
      scope = dot == scope.npos ? "" : scope.substr(0, dot);
    }
  }

  /// Named types of the same package are shown without it.
  std::string shown(const std::string& name) const {
    const std::string prefix = file_.package() + ".";
    return !file_.package().empty() && name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  }

  std::string type_of(const pb::FieldDescriptorProto& field, const std::string& scope, std::string& part) const {
    if (field.type_name().empty()) return part = scalar_name(field.type());
    const std::string name = resolve(field.type_name(), scope);
    if (const auto entry = entries_.find(name); entry != entries_.end() && entry->second->field_size() == 2) {
      std::string key;
      std::string value;
      type_of(entry->second->field(0), name, key);
      const std::string text = type_of(entry->second->field(1), name, value);
      part = fmt::format("map<{}, {}>", key, value);
      return fmt::format("map of {} to {}", key, text);
    }
    part = enums_.contains(name) ? "enum" : name;
    return shown(name);
  }

  void add(const pb::DescriptorProto& message, const std::string& name) {
    if (count_ > kMostFields) return;
    Type type{.name = name};
    std::set<int> numbers;
    note_twice(types_.insert(name).second, name);
    for (const auto& each : message.field()) {
      ++count_;
      note_twice(numbers.insert(each.number()).second, fmt::format("number {} in {}", each.number(), name));
      Field field{.name = each.name(), .type = {}, .number = each.number()};
      std::string part;
      field.type = type_of(each, name, part);
      const bool repeated = each.label() == pb::FieldDescriptorProto::LABEL_REPEATED;
      if (repeated && !part.starts_with("map<")) {
        field.type = "list of " + field.type;
        part = "repeated " + part;
      }
      field.parts = {part};
      field.required = each.label() == pb::FieldDescriptorProto::LABEL_REQUIRED;
      field.has_default = !field.required;
      // The group of one that proto3's `optional` makes is none of the writer's.
      if (each.has_oneof_index() && !each.proto3_optional() && each.oneof_index() < message.oneof_decl_size())
        field.oneof = message.oneof_decl(each.oneof_index()).name();
      type.fields.push_back(std::move(field));
    }
    model_.types.push_back(std::move(type));
    for (const auto& inner : message.nested_type()) {
      if (!inner.options().map_entry()) add(inner, full(name, inner.name()));
    }
    for (const auto& each : message.enum_type()) add(each, full(name, each.name()));
  }

  void add(const pb::EnumDescriptorProto& each, const std::string& name) {
    Type type{.name = name, .enumeration = true};
    note_twice(types_.insert(name).second, name);
    for (const auto& value : each.value()) {
      if (++count_ > kMostFields) break;
      type.symbols.push_back(value.name());
      type.numbers.push_back(value.number());
    }
    type.has_default = true;
    model_.types.push_back(std::move(type));
  }

  const pb::FileDescriptorProto& file_;
  std::set<std::string> messages_;
  std::set<std::string> enums_;
  std::map<std::string, const pb::DescriptorProto*> entries_;  // of maps
  Model model_{.format = Format::protobuf};
  std::set<std::string> types_;  // messages and enums added
  std::string twice_;
  std::size_t count_ = 0;
};

}  // namespace

core::Result<Model> parse_protobuf(std::string_view text) {
  if (too_deep(text)) return core::fail(ErrorKind::limit, "the schema is nested more than 64 levels deep");
  const pb::LogSilencer quiet;  // of files without `syntax`, which are proto2's
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  Mistakes mistakes;
  pb::io::Tokenizer tokenizer(&stream, &mistakes);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&mistakes);
  pb::FileDescriptorProto file;
  if (!parser.Parse(&tokenizer, &file) || !mistakes.first.empty()) {
    return core::fail(ErrorKind::invalid,
                      "not a Protobuf schema: " + (mistakes.first.empty() ? "it cannot be read" : mistakes.first));
  }
  return Builder(file).build();
}

}  // namespace weir::schemas
