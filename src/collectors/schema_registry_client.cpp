#include "collectors/schema_registry_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "collectors/http_answer.h"
#include "core/percent.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using nlohmann::json;

constexpr std::size_t kLongestMessage = 500;
constexpr std::size_t kMostKept = 32U << 20U;  // bytes of schemas
constexpr std::size_t kMostFailuresInARow = 3;
constexpr std::size_t kMostFetched = 64U << 20U;  // bytes of answers that are at hand
constexpr core::Duration kKeptFor = std::chrono::hours(1);
constexpr std::size_t kOverhead = 200;  // of each, besides its text

/// On one line and not too long: registries quote whole schemas.
std::string shorten(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  if (text.size() <= kLongestMessage) return text;
  std::size_t end = kLongestMessage;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not within a character
  return text.substr(0, end) + "…";
}

std::string text_of(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json parse(const std::string& body) { return json::parse(body, nullptr, false); }

core::Error failure(ErrorKind kind, std::string message, std::string where) {
  return core::fail(kind, std::move(message), std::move(where)).error();
}

/// What a status other than 2xx means.
core::Error refused(const net::HttpResponse& response, const std::string& where) {
  const int status = response.status;
  std::string said = shorten(text_of(parse(response.body), "message"));
  if (!said.empty()) said = ": " + said;
  if (status == 401 || status == 403) {
    return failure(
        ErrorKind::denied,
        fmt::format("the registry refuses access (HTTP {}); check basic_auth or bearer_token{}", status, said), where);
  }
  if (status == 404) return failure(ErrorKind::not_found, fmt::format("not found (HTTP 404){}", said), where);
  if (status == 422) return failure(ErrorKind::invalid, fmt::format("not accepted (HTTP 422){}", said), where);
  if (status >= 300 && status < 400) {
    return failure(ErrorKind::protocol, fmt::format("redirected (HTTP {}); give the registry's own URL", status),
                   where);
  }
  const ErrorKind kind = status >= 500 || status == 429 ? ErrorKind::unavailable : ErrorKind::protocol;
  return failure(kind, fmt::format("the registry answered HTTP {}{}", status, said), where);
}

std::unexpected<core::Error> unexpected_body(const std::string& body, std::string_view wanted,
                                             const std::string& where) {
  const bool markup = body.starts_with('<');
  return core::fail(ErrorKind::protocol,
                    fmt::format("the answer is {}, not {}; is this the URL of a schema registry?",
                                markup ? "a web page" : "incomplete or of another kind", wanted),
                    where);
}

bool is_outage(const core::Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout || error.kind == ErrorKind::denied;
}

/// The URL of Apicurio's own copy of the interface. It answers NONE for a subject without a rule of its own, with or
/// without defaultToGlobal, and setting NONE removes the rule: NONE says nothing there (seen with 2.6.13).
bool is_apicurio(const std::string& url) { return url.find("/apis/ccompat/") != std::string::npos; }

}  // namespace

std::size_t Schema::fingerprint() const {
  std::string all = fmt::format("{} {}\n{}", id, type, text);
  for (const SchemaReference& reference : references)
    all += fmt::format("\n{} {} {}", reference.name, reference.subject, reference.version);
  return std::hash<std::string>()(all);
}

core::Result<void> SchemaRegistryClient::begin_cycle(core::Time now, std::chrono::steady_clock::time_point deadline,
                                                     std::stop_token stop) {
  now_ = now;
  begun_ = std::chrono::steady_clock::now();
  deadline_ = deadline;
  stop_ = std::move(stop);
  requests_ = 0;
  planning_ = false;
  planned_.clear();
  drop_fetched();
  if (now - kept_since_ >= kKeptFor) {
    kept_.clear();
    kept_bytes_ = 0;
    kept_since_ = now;
  }
  if (not_before_ && now_ >= *not_before_) not_before_.reset();
  return may_ask();
}

core::Result<void> SchemaRegistryClient::may_ask() const {
  if (!not_before_) return {};
  return core::fail(ErrorKind::unavailable,
                    "the registry asked to be left alone until " + core::format_rfc3339(*not_before_), endpoint_.url);
}

core::Result<std::string> SchemaRegistryClient::get(const std::string& path) { return send({}, path); }

net::HttpRequest SchemaRegistryClient::whole(net::HttpRequest request, const std::string& path) const {
  net::HttpRequest made = request_to(endpoint_, endpoint_.url + path, deadline_);
  made.method = request.method;
  made.headers = std::move(request.headers);
  made.headers.emplace_back("Accept", "application/vnd.schemaregistry.v1+json, application/json");
  made.body = std::move(request.body);
  return made;
}

core::Result<std::string> SchemaRegistryClient::read(const std::string& where,
                                                     core::Result<net::HttpResponse> response) {
  if (!response) {
    core::Error error = std::move(response.error());
    error.where = where;
    return std::unexpected(std::move(error));
  }
  const auto gone = std::chrono::duration_cast<core::Duration>(std::chrono::steady_clock::now() - begun_);
  const bool refused = response->status == 429 || response->status == 503;
  if (const auto wait = refused ? asked_to_wait(*response, now_ + gone) : std::nullopt)
    not_before_ = now_ + gone + *wait;
  if (response->status < 200 || response->status > 299) return std::unexpected(collectors::refused(*response, where));
  return std::move(response->body);
}

core::Result<std::string> SchemaRegistryClient::send(net::HttpRequest request, const std::string& path) {
  const std::string key = request.method + " " + path + "\n" + request.body;
  if (const auto found = fetched_.find(key); found != fetched_.end()) return found->second;
  const std::string where = request.method + " " + endpoint_.url + path;
  if (planning_) {
    request.url = path;
    planned_.emplace(key, std::move(request));
    return core::fail(ErrorKind::unavailable, "not asked for yet", where);
  }
  if (auto may = may_ask(); !may) return std::unexpected(may.error());
  ++requests_;
  return read(where, http_.send(whole(std::move(request), path), stop_));
}

bool SchemaRegistryClient::fetch(std::size_t parallel, std::size_t most) {
  const auto planned = std::exchange(planned_, {});
  std::size_t asked = 0;
  std::size_t row = 0;  // of failures
  auto next = planned.begin();
  while (next != planned.end() && asked < most && fetched_bytes_ < kMostFetched) {
    // Few at first: a registry that is away is not to be waited for by all.
    const std::size_t slice = std::min(asked == 0 ? parallel : 4 * parallel, most - asked);
    std::vector<std::string> keys;
    std::vector<net::HttpRequest> requests;
    for (; next != planned.end() && keys.size() < slice; ++next) {
      keys.push_back(next->first);
      requests.push_back(whole(next->second, next->second.url));
    }
    asked += keys.size();
    requests_ += keys.size();
    auto results = http_.send_all(requests, parallel, stop_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      // What the cycle's end cut off is not the registry's failure: it is asked for in the next.
      if (!results[i] && std::chrono::steady_clock::now() >= deadline_) continue;
      const std::string where = requests[i].method + " " + requests[i].url;
      Answer answer = read(where, std::move(results[i]));
      row = !answer && is_outage(answer.error()) ? row + 1 : 0;
      fetched_bytes_ += keys[i].size() + (answer ? answer->size() : 0) + kOverhead;
      fetched_.insert_or_assign(keys[i], std::move(answer));
    }
    if (row >= kMostFailuresInARow || not_before_) return false;
  }
  return asked > 0;
}

void SchemaRegistryClient::drop_fetched() {
  fetched_.clear();
  fetched_bytes_ = 0;
}

void SchemaRegistryClient::forget(const std::string& subject) {
  const auto first = kept_.lower_bound({subject, 0});
  auto last = first;
  for (; last != kept_.end() && last->first.first == subject; ++last) kept_bytes_ -= last->second.bytes;
  kept_.erase(first, last);
}

core::Result<std::vector<std::string>> SchemaRegistryClient::names(const std::string& path) {
  const auto body = get(path);
  if (!body) return std::unexpected(body.error());
  const json answer = parse(*body);
  if (!answer.is_array() || !std::ranges::all_of(answer, [](const json& item) { return item.is_string(); })) {
    return unexpected_body(*body, "a list of subjects", "GET " + endpoint_.url + path);
  }
  return answer.get<std::vector<std::string>>();
}

core::Result<std::vector<std::string>> SchemaRegistryClient::subjects() { return names("/subjects"); }

core::Result<std::optional<std::vector<std::string>>> SchemaRegistryClient::all_subjects() {
  auto found = names("/subjects?deleted=true");
  if (found) return std::move(*found);
  const ErrorKind kind = found.error().kind;
  if (kind == ErrorKind::not_found || kind == ErrorKind::invalid || kind == ErrorKind::protocol) return std::nullopt;
  return std::unexpected(found.error());
}

core::Result<std::vector<int>> SchemaRegistryClient::versions(const std::string& subject, bool deleted) {
  const std::string path =
      "/subjects/" + core::percent_encoded(subject) + "/versions" + (deleted ? "?deleted=true" : "");
  const auto body = get(path);
  if (!body) return std::unexpected(body.error());
  const json answer = parse(*body);
  const auto is_version = [](const json& item) {
    return item.is_number_integer() && item.get<std::int64_t>() > 0 && item.get<std::int64_t>() <= INT32_MAX;
  };
  if (!answer.is_array() || !std::ranges::all_of(answer, is_version)) {
    return unexpected_body(*body, "a list of versions", "GET " + endpoint_.url + path);
  }
  auto numbers = answer.get<std::vector<int>>();
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  return numbers;
}

core::Result<Schema> SchemaRegistryClient::schema(const std::string& subject, int version) {
  const auto kept = kept_.find({subject, version});
  if (kept != kept_.end()) return kept->second.schema;
  auto schema = schema_anew(subject, version);
  if (!schema) return schema;
  const std::size_t bytes = schema->text.size() + subject.size() + kOverhead * (1 + schema->references.size());
  if (kept_bytes_ + bytes > kMostKept) {  // rather all at once than a list of what was used when
    kept_.clear();
    kept_bytes_ = 0;
  }
  kept_bytes_ += bytes;
  kept_.emplace(std::pair(subject, version), Kept{*schema, bytes});
  return schema;
}

core::Result<Schema> SchemaRegistryClient::schema_anew(const std::string& subject, int version) {
  const std::string path = fmt::format("/subjects/{}/versions/{}", core::percent_encoded(subject), version);
  const auto body = get(path);
  if (!body) return std::unexpected(body.error());
  const json answer = parse(*body);
  if (!answer.is_object() || !answer.contains("schema") || !answer["schema"].is_string()) {
    return unexpected_body(*body, "a schema", "GET " + endpoint_.url + path);
  }
  Schema schema{.text = text_of(answer, "schema"), .type = text_of(answer, "schemaType"), .references = {}};
  if (const auto id = answer.find("id"); id != answer.end() && id->is_number_integer())
    schema.id = id->get<std::int64_t>();
  // Newer Confluent registries say when, in milliseconds.
  if (const auto time = answer.find("ts"); time != answer.end() && time->is_number_unsigned())
    schema.registered = core::Time(std::chrono::milliseconds(time->get<std::int64_t>()));
  const auto references = answer.find("references");
  if (references == answer.end() || !references->is_array()) return schema;
  for (const json& reference : *references) {
    const bool numbered =
        reference.is_object() && reference.contains("version") && reference["version"].is_number_integer();
    if (!numbered) return unexpected_body(*body, "a schema with references", "GET " + endpoint_.url + path);
    schema.references.push_back(
        {text_of(reference, "name"), text_of(reference, "subject"), reference["version"].get<int>()});
  }
  return schema;
}

core::Result<std::string> SchemaRegistryClient::global_level() {
  const auto body = get("/config");
  if (!body) return std::unexpected(body.error());
  const std::string level = text_of(parse(*body), "compatibilityLevel");
  if (level.empty()) return unexpected_body(*body, "a compatibility level", "GET " + endpoint_.url + "/config");
  return level;
}

core::Result<std::optional<std::string>> SchemaRegistryClient::level(const std::string& subject) {
  const std::string path = "/config/" + core::percent_encoded(subject) + "?defaultToGlobal=true";
  const auto body = get(path);
  if (!body && body.error().kind == ErrorKind::not_found) return std::nullopt;
  if (!body) return std::unexpected(body.error());
  const json answer = parse(*body);
  if (!answer.is_object()) return unexpected_body(*body, "a compatibility level", "GET " + endpoint_.url + path);
  const std::string level = text_of(answer, "compatibilityLevel");
  if (level.empty() || (level == "NONE" && is_apicurio(endpoint_.url))) return std::nullopt;
  return level;
}

core::Result<std::vector<std::string>> SchemaRegistryClient::subjects_of(std::int32_t id) {
  const std::string path = fmt::format("/schemas/ids/{}/versions?deleted=true", id);
  const auto body = get(path);
  if (!body && body.error().kind == ErrorKind::not_found) return std::vector<std::string>();
  if (!body) return std::unexpected(body.error());
  const json answer = parse(*body);
  const auto is_pair = [](const json& item) { return item.is_object() && !text_of(item, "subject").empty(); };
  if (!answer.is_array() || !std::ranges::all_of(answer, is_pair)) {
    return unexpected_body(*body, "a list of subjects and versions", "GET " + endpoint_.url + path);
  }
  std::vector<std::string> subjects;  // none is Karapace's answer for an id that it does not know
  for (const json& item : answer) subjects.push_back(text_of(item, "subject"));
  std::ranges::sort(subjects);
  subjects.erase(std::ranges::unique(subjects).begin(), subjects.end());
  return subjects;
}

core::Result<CompatibilityAnswer> SchemaRegistryClient::check(const std::string& subject, int version,
                                                              const Schema& schema) {
  json question = {{"schema", schema.text}};
  if (!schema.type.empty()) question["schemaType"] = schema.type;
  for (const SchemaReference& reference : schema.references) {
    question["references"].push_back(
        {{"name", reference.name}, {"subject", reference.subject}, {"version", reference.version}});
  }
  net::HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/vnd.schemaregistry.v1+json"}};
  request.body = question.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::string path =
      fmt::format("/compatibility/subjects/{}/versions/{}?verbose=true", core::percent_encoded(subject), version);
  const auto body = send(std::move(request), path);
  if (!body) return std::unexpected(body.error());
  const json answer = parse(*body);
  if (!answer.is_object() || !answer.contains("is_compatible") || !answer["is_compatible"].is_boolean()) {
    return unexpected_body(*body, "a compatibility result", "POST " + endpoint_.url + path);
  }
  CompatibilityAnswer result{.compatible = answer["is_compatible"].get<bool>(), .message = {}};
  if (result.compatible) return result;
  std::string message = text_of(answer, "reason");  // Apicurio's; "messages" is Confluent's and Karapace's
  if (const auto messages = answer.find("messages"); messages != answer.end() && messages->is_array()) {
    for (const json& item : *messages) {
      if (item.is_string()) message += (message.empty() ? "" : "; ") + item.get<std::string>();
    }
  }
  result.message = shorten(std::move(message));
  return result;
}

}  // namespace weir::collectors
