#pragma once

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "net/http_client.h"

namespace weir::collectors {

using nlohmann::json;

/// A registry in memory behind the HTTP interface. A schema's text is a number; one is compatible with another that
/// is not greater, unless the level is NONE. `answers` replaces the answer to a "METHOD path".
class FakeRegistry final : public net::HttpClient {
 public:
  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token stop) override {
    if (stop.stop_requested()) return core::fail(core::ErrorKind::cancelled, "stopped");
    EXPECT_TRUE(request.url.starts_with(base)) << request.url;
    const std::string path = request.url.substr(base.size());
    const std::string key = request.method + " " + path;
    requests.push_back(key);
    last = request;
    if (request.method == "POST") last_question = request.body;
    if (down) return core::fail(core::ErrorKind::unavailable, "connection refused", "http://registry:8081");
    if (const auto found = answers.find(key); found != answers.end()) return found->second;
    with_deleted_ = path.find("deleted=true") != std::string::npos;
    return answer(split(path.substr(0, path.find('?'))), request.body);
  }

  static net::HttpResponse reply(int status, std::string body) {
    return {.status = status, .headers = {}, .body = std::move(body)};
  }
  std::size_t count(std::string_view prefix) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(requests, [&](const auto& key) { return key.starts_with(prefix); }));
  }

  std::string base = "http://registry:8081";
  std::map<std::string, std::map<int, std::string>> subjects;
  std::map<std::string, std::string> levels;
  std::string global = "BACKWARD";
  std::string schema_type;
  int id = 1;  // of every schema
  std::optional<core::Time> registered;
  bool down = false;
  bool apicurio = false;  // NONE for subjects without a level, and "reason"
  bool karapace = false;  // no messages
  /// Those of a "subject/version"; types and deleted versions likewise.
  std::map<std::string, json> references;
  std::map<std::string, std::vector<int>> deleted;     // versions of a subject, softly
  std::set<std::pair<std::string, int>> incompatible;  // subject and version that nothing may follow
  std::map<int, std::vector<std::string>> ids;         // subjects of an id
  std::map<std::string, core::Result<net::HttpResponse>> answers;
  std::vector<std::string> requests;
  net::HttpRequest last;
  std::string last_question;

 private:
  bool with_deleted_ = false;

  static std::vector<std::string> split(std::string path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/', 1), path.size());
      parts.push_back(decode(path.substr(1, end - 1)));
      path.erase(0, end);
    }
    return parts;
  }
  static std::string decode(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  net::HttpResponse answer(const std::vector<std::string>& path, const std::string& body) {
    if (path[0] == "subjects" && path.size() == 1) {
      json names = json::array();
      for (const auto& [name, versions] : subjects) names.push_back(name);
      for (const auto& [name, versions] : deleted) {
        if (with_deleted_ && !versions.empty() && !subjects.contains(name)) names.push_back(name);
      }
      return reply(200, names.dump());
    }
    if (path[0] == "config" && path.size() == 1) return reply(200, json{{"compatibilityLevel", global}}.dump());
    if (path[0] == "config") {
      const auto level = levels.find(path[1]);
      if (level != levels.end()) return reply(200, json{{"compatibilityLevel", level->second}}.dump());
      if (apicurio) return reply(200, R"({"compatibilityLevel":"NONE"})");
      return reply(404,
                   R"({"error_code":40408,"message":"Subject does not have subject-level compatibility configured"})");
    }
    if (path[0] == "schemas") {
      const auto found = ids.find(std::stoi(path[2]));
      if (found == ids.end()) return reply(404, R"({"error_code":40403,"message":"Schema not found"})");
      json pairs = json::array();
      for (const std::string& name : found->second) pairs.push_back({{"subject", name}, {"version", 1}});
      return reply(200, pairs.dump());
    }
    const std::string& name = path[path[0] == "compatibility" ? 2 : 1];
    const auto known = subjects.find(name);
    const std::map<int, std::string> versions = known == subjects.end() ? std::map<int, std::string>() : known->second;
    if (path.size() == 3) {
      if (versions.empty()) return reply(404, R"({"error_code":40401,"message":"Subject not found."})");
      json numbers = json::array();
      for (const auto& [number, text] : versions) numbers.push_back(number);
      if (with_deleted_) {
        for (const int number : deleted[name]) numbers.push_back(number);
      }
      return reply(200, numbers.dump());
    }
    const auto found = versions.find(std::stoi(path.back()));
    if (found == versions.end()) return reply(404, R"({"error_code":40402,"message":"Version not found."})");
    if (path[0] == "subjects") return version(path[1], found->first, found->second);
    return compatibility(path[2], found->first, found->second, json::parse(body));
  }
  net::HttpResponse version(const std::string& subject, int number, const std::string& text) const {
    json answer = {{"subject", subject}, {"version", number}, {"id", id}, {"schema", text}};
    if (registered) answer["ts"] = registered->time_since_epoch().count();
    if (!schema_type.empty()) answer["schemaType"] = schema_type;
    const auto found = references.find(fmt::format("{}/{}", subject, number));
    answer["references"] = found == references.end() ? json::array() : found->second;
    return reply(200, answer.dump());
  }
  net::HttpResponse compatibility(const std::string& subject, int version, const std::string& older,
                                  const json& question) const {
    const std::string newer = question.at("schema");
    if (newer.starts_with("broken")) return reply(422, R"({"error_code":42201,"message":"Invalid schema"})");
    const auto own = levels.find(subject);
    const std::string level = own == levels.end() ? global : own->second;
    const auto number = [](const std::string& text) { return std::isdigit(text[0]) != 0 ? std::stoi(text) : 0; };
    const bool compatible =
        level == "NONE" || (number(newer) <= number(older) && !incompatible.contains({subject, version}));
    if (karapace) return reply(200, json{{"is_compatible", compatible}}.dump());
    if (apicurio)
      return reply(
          200,
          json{{"is_compatible", compatible}, {"reason", compatible ? json(nullptr) : json("n at /fields/1")}}.dump());
    json messages = json::array();
    if (!compatible) messages = {"READER_FIELD_MISSING_DEFAULT_VALUE: n", "{oldSchema: …}"};
    return reply(200, json{{"is_compatible", compatible}, {"messages", messages}}.dump());
  }
};

}  // namespace weir::collectors
