#include "collectors/registry_client.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::collectors {
namespace {

using nlohmann::json;
constexpr std::size_t kShownReason = 400;

core::ErrorKind kind_of(int status) {
  if (status == 401 || status == 403) return core::ErrorKind::denied;
  if (status == 404) return core::ErrorKind::not_found;
  if (status == 408 || status == 429 || status >= 500) return core::ErrorKind::unavailable;
  return core::ErrorKind::protocol;
}

/// The registry's own message out of an error body, else the start of the body.
std::string message_in(const std::string& body) {
  const json parsed = json::parse(body, nullptr, false);
  if (parsed.is_object() && parsed.contains("message") && parsed["message"].is_string())
    return parsed["message"].get<std::string>();
  return body.substr(0, 120);
}

template <class Read>
auto reading(const core::Result<std::string>& body, const std::string& where, Read read)
    -> core::Result<decltype(read(json()))> {
  if (!body) return std::unexpected(body.error());
  try {
    return read(json::parse(*body));
  } catch (const json::exception&) {
    return core::fail(core::ErrorKind::protocol,
                      "the answer is not what a schema registry says (it begins \"" + body->substr(0, 60) +
                          "\"); does url lead to the registry's API?",
                      where);
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

core::Result<std::string> RegistryClient::send(net::HttpRequest request, const std::string& path,
                                               const core::CollectContext& context) const {
  const auto left = std::chrono::duration_cast<core::Duration>(context.deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return core::fail(core::ErrorKind::timeout, "the cycle's time is over", address_.url + path);
  request.url = address_.url + path;
  request.timeout = std::min(left, address_.timeout);
  request.headers.emplace_back("Accept", "application/vnd.schemaregistry.v1+json, application/json");
  if (!address_.username.empty()) request.basic_auth = {{address_.username, address_.password}};
  request.bearer = address_.bearer;
  request.ca_file = address_.ca_file;
  auto response = http_.send(request, context.stop);
  if (!response) return std::unexpected(response.error());
  if (response->status >= 200 && response->status < 300) return std::move(response->body);
  return core::fail(kind_of(response->status),
                    fmt::format("answered HTTP {}: {}", response->status, message_in(response->body)),
                    address_.url + path);
}

core::Result<std::string> RegistryClient::get(const std::string& path, const core::CollectContext& context) const {
  return send({}, path, context);
}

core::Result<std::vector<std::string>> RegistryClient::subjects(const core::CollectContext& context) const {
  return reading(get("/subjects", context), address_.url,
                 [](const json& value) { return value.get<std::vector<std::string>>(); });
}

core::Result<std::vector<int>> RegistryClient::versions(const std::string& subject,
                                                        const core::CollectContext& context) const {
  const std::string path = "/subjects/" + percent_encode(subject) + "/versions";
  return reading(get(path, context), address_.url + path, [](const json& value) {
    auto numbers = value.get<std::vector<int>>();
    std::ranges::sort(numbers);
    return numbers;
  });
}

core::Result<SchemaVersion> RegistryClient::version(const std::string& subject, int version,
                                                    const core::CollectContext& context) const {
  const std::string path = "/subjects/" + percent_encode(subject) + "/versions/" + std::to_string(version);
  return reading(get(path, context), address_.url + path, [](const json& value) {
    return SchemaVersion{.version = value.at("version").get<int>(),
                         .schema = value.at("schema").get<std::string>(),
                         .type = value.value("schemaType", "AVRO"),
                         .references = value.contains("references") ? value["references"].dump() : "[]"};
  });
}

core::Result<std::string> RegistryClient::level(const std::string& subject, const core::CollectContext& context) const {
  const auto read = [](const json& value) { return value.at("compatibilityLevel").get<std::string>(); };
  const std::string path = "/config/" + percent_encode(subject) + "?defaultToGlobal=true";
  auto own = reading(get(path, context), address_.url + path, read);
  // Not every registry knows defaultToGlobal; a subject without a level of its own is then 404.
  if (own || own.error().kind != core::ErrorKind::not_found) return own;
  return reading(get("/config", context), address_.url + "/config", read);
}

core::Result<Compatibility> RegistryClient::check(const std::string& subject, int against,
                                                  const SchemaVersion& candidate,
                                                  const core::CollectContext& context) const {
  const std::string path =
      fmt::format("/compatibility/subjects/{}/versions/{}?verbose=true", percent_encode(subject), against);
  json body = {{"schema", candidate.schema}, {"schemaType", candidate.type}};
  if (const json references = json::parse(candidate.references, nullptr, false);
      references.is_array() && !references.empty()) {
    body["references"] = references;
  }
  net::HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/vnd.schemaregistry.v1+json"}};
  request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return reading(send(request, path, context), address_.url + path, [](const json& value) {
    Compatibility result{.compatible = value.at("is_compatible").get<bool>(), .reason = {}};
    if (!value.contains("messages") || !value["messages"].is_array()) return result;
    for (const json& message : value["messages"]) {
      if (!result.reason.empty()) result.reason += "; ";
      result.reason += message.is_string() ? message.get<std::string>() : message.dump();
    }
    if (result.reason.size() > kShownReason) result.reason.resize(kShownReason);
    return result;
  });
}

}  // namespace weir::collectors
