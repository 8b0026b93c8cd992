#include "app/demo_registry.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace weir::app {
namespace {

using nlohmann::json;

DemoRegistry::Answer failure(int status, int code, const std::string& message) {
  return {status, json{{"error_code", code}, {"message", message}}.dump()};
}

std::vector<std::string> split_path(std::string_view path) {
  path = path.substr(0, path.find('?'));
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

const json* field_named(const json& schema, const std::string& name) {
  for (const json& field : schema.at("fields")) {
    if (field.at("name") == name) return &field;
  }
  return nullptr;
}

/// Avro's rule for BACKWARD: a reader with the new schema must find, in data written with the old
/// one, every field that has no default, with the same type.
json backward_problems(const json& older, const json& newer) {
  json problems = json::array();
  for (const json& field : newer.at("fields")) {
    const std::string name = field.at("name");
    const json* before = field_named(older, name);
    if (before == nullptr && !field.contains("default")) {
      problems.push_back("READER_FIELD_MISSING_DEFAULT_VALUE: " + name);
    } else if (before != nullptr && before->at("type") != field.at("type")) {
      problems.push_back("TYPE_MISMATCH: " + name);
    }
  }
  return problems;
}

}  // namespace

void DemoRegistry::add_version(const std::string& subject, const std::string& schema) {
  const std::lock_guard lock(mutex_);
  subjects_[subject].push_back(schema);
}

DemoRegistry::Answer DemoRegistry::handle(std::string_view method, std::string_view path,
                                          const std::string& body) const {
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> parts = split_path(path);
  const std::size_t depth = parts.size();
  if (method == "GET" && depth == 1 && parts[0] == "subjects") {
    json names = json::array();
    for (const auto& [subject, versions] : subjects_) names.push_back(subject);
    return {200, names.dump()};
  }
  if (method == "GET" && depth >= 1 && depth <= 2 && parts[0] == "config")
    return {200, R"({"compatibilityLevel":"BACKWARD"})"};
  if (method == "GET" && depth >= 3 && depth <= 4 && parts[0] == "subjects" && parts[2] == "versions") {
    return version(parts);
  }
  if (method == "POST" && depth == 5 && parts[0] == "compatibility") return compatibility(parts, body);
  return failure(404, 404, "HTTP 404 Not Found");
}

DemoRegistry::Answer DemoRegistry::version(const std::vector<std::string>& path) const {
  const auto found = subjects_.find(path[1]);
  if (found == subjects_.end()) return failure(404, 40401, "Subject '" + path[1] + "' not found.");
  const auto& versions = found->second;
  if (path.size() == 3) {
    json numbers = json::array();
    for (std::size_t i = 1; i <= versions.size(); ++i) numbers.push_back(i);
    return {200, numbers.dump()};
  }
  std::size_t number = versions.size();
  const std::string& wanted = path[3];
  if (wanted != "latest") std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (number == 0 || number > versions.size()) return failure(404, 40402, "Version " + wanted + " not found.");
  return {200,
          json{{"subject", path[1]}, {"version", number}, {"id", number}, {"schema", versions[number - 1]}}.dump()};
}

DemoRegistry::Answer DemoRegistry::compatibility(const std::vector<std::string>& path, const std::string& body) const {
  const auto found = subjects_.find(path[2]);
  if (found == subjects_.end()) return failure(404, 40401, "Subject '" + path[2] + "' not found.");
  std::size_t number = found->second.size();
  if (path[4] != "latest") std::from_chars(path[4].data(), path[4].data() + path[4].size(), number);
  if (number == 0 || number > found->second.size()) return failure(404, 40402, "Version not found.");
  try {
    const json candidate = json::parse(json::parse(body).at("schema").get<std::string>());
    const json problems = backward_problems(json::parse(found->second[number - 1]), candidate);
    return {200, json{{"is_compatible", problems.empty()}, {"messages", problems}}.dump()};
  } catch (const json::exception& error) {
    return failure(422, 42201, std::string("Invalid schema: ") + error.what());
  }
}

}  // namespace weir::app
