#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/http_endpoint.h"
#include "collectors/jwt.h"
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"

namespace re2 {
class RE2;
}

namespace weir::collectors {

/// How what stands in an answer becomes a number.
enum class JsonUnit {
  plain,         // a number, a text that is one, true or false
  milliseconds,  // such a number, in seconds
  timestamp,     // seconds since 1970 of an ISO 8601 text, or of seconds, milliseconds or microseconds since then
  age,           // seconds from such a time until now, never negative; none of a time that lies ahead
  length,        // how many members or elements
};

/// Of items with the same labels; `first` is the first one's.
enum class JsonAggregate { none, count, sum, max, min, first };

/// Where a text comes from: a JSON Pointer into the item ("/type"; "" is the item itself), the name or index that the
/// n-th * of `items` stood for ("*1"), or a text with {names}. What is done with it, in this order: another where it is
/// empty, the part that a regular expression finds, texts replaced, one word for another.
struct JsonValue {
  std::string from;
  std::string otherwise;
  std::shared_ptr<const re2::RE2> match;  // anywhere in the text; without a match the text is empty
  std::string to = "\\1";
  std::vector<std::pair<std::string, std::string>> replace;  // by texts with {names}
  std::map<std::string, std::string> map;                    // "*" is any other
  std::optional<std::string> join;                           // between the texts of a list
  std::string of;                                            // what a request before remembered of the text
};

/// The text of every item under another, for `of` in this cycle's later requests: names of identifiers.
struct JsonMemory {
  std::string name;
  std::string key;  // JSON Pointers
  std::string value;
};

struct JsonLabel {
  std::string name;
  JsonValue value;
};

/// The item counts when what the pointer or the {name} gives is one of the texts; "*" is any that is not empty.
struct JsonCondition {
  std::string from;
  std::vector<std::string> values;
};

/// What data lies in or passes through: texts with {names}.
struct JsonNode {
  std::string kind;
  std::string place;
  std::string name;
};

/// A way of data that every item tells; none where a node has no name.
struct JsonEdge {
  JsonNode from;
  JsonNode to;
  std::vector<JsonCondition> where;
};

/// One item becomes several: each part of a text, as a {name}.
struct JsonSplit {
  std::string name;
  std::string value;  // JSON Pointer
  std::string by;
};

struct JsonMetric {
  std::string name;
  std::string help;
  core::MetricType type = core::MetricType::gauge;
  std::string value;  // JSON Pointer into the item; "" is the item itself; or a {name}
  JsonUnit unit = JsonUnit::plain;
  double scale = 1;
  bool planned = false;               // of an age: the time may lie ahead, and until then it is 0
  std::map<std::string, double> map;  // texts to numbers; "*" is any other
  std::vector<std::string> states;    // 1 with the label state for the one it is in, 0 for the others
  // Counted instead: how often the value was seen to go from one of these to one of those.
  std::vector<std::string> changes_from;
  std::vector<std::string> changes_to;
  std::vector<JsonLabel> labels;  // besides the request's
  JsonAggregate aggregate = JsonAggregate::none;
  std::vector<JsonCondition> where;
};

/// Tells once when a value has come to be one of `to`; of each item with a key of its own, else of each with its
/// labels.
struct JsonEvent {
  std::string kind;
  std::string value;  // JSON Pointer, or a {name}
  std::string key;    // JSON Pointer
  std::string time;   // JSON Pointer to when it was: what is older than an hour when the collector starts is not told
  std::vector<std::string> to;
  std::string message;  // with {names}
  std::vector<JsonCondition> where;
};

/// How the next page of an answer is asked for; at most one of these.
struct JsonPages {
  std::string cursor;        // JSON Pointer to a token, which goes into the query as `parameter`
  std::string next;          // JSON Pointer to the next URL or path
  std::string parameter;     // of the cursor or the offset: in the query, or a JSON Pointer into the body
  std::int64_t size = 0;     // offset: so many items a page
  bool numbered = false;     // the page's number instead of the offset
  std::int64_t first = 1;    // the first page's number
  bool link_header = false;  // RFC 8288, rel="next"
};

struct JsonRequest {
  std::string method = "GET";
  std::string path;                 // behind the URL; with {label} of the request around it, and {variable}
  std::string body;                 // with the same
  std::string items;                // JSON Pointer whose * stand for every member or element; "" is the answer itself
  std::vector<std::string> errors;  // JSON Pointers to what says that the answer is an error, as in GraphQL
  std::vector<int> optional;        // statuses that are no mistake
  bool absent_is_empty = false;     // an answer without `items` has none; else it is a mistake
  JsonSplit split;
  JsonMemory remember;
  std::vector<JsonLabel> lets;  // {names} that are no labels
  std::vector<JsonLabel> labels;
  std::vector<JsonMetric> metrics;
  std::vector<JsonEvent> events;
  std::vector<JsonEdge> edges;
  std::vector<JsonCondition> where;  // items that count
  JsonPages pages;
  std::vector<JsonRequest> each;  // made for every item
};

/// A token that is signed with a key of one's own.
struct JwtSettings {
  core::Secret private_key;  // PEM
  JwtClaims claims;
};

/// OAuth 2.0 client credentials (RFC 6749, 4.4), or a signed assertion for them (RFC 7523); or a service's own login
/// that gives a token for a user's name and password, as Airflow 3 has.
struct OauthSettings {
  enum class Credentials { basic, form, json };
  std::string token_url;
  std::string client_id;
  core::Secret client_secret;
  std::string scope;
  Credentials credentials = Credentials::basic;  // basic authentication, or in the body
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<JwtSettings> assertion;
  bool of_user = false;  // client_id and client_secret are a user's name and password, in JSON
};

struct HttpJsonSettings {
  std::string name;
  HttpEndpoint endpoint;  // its URL without a slash at the end
  core::Duration interval = std::chrono::seconds(30);
  std::vector<std::pair<std::string, core::Secret>> headers;
  std::optional<OauthSettings> oauth;
  std::optional<JwtSettings> jwt;                             // is the bearer token itself
  std::string seen_by;                                        // of edges: the preset, or "http_json"
  std::vector<std::pair<std::string, std::string>> labels;    // of every series
  std::map<std::string, std::string, std::less<>> variables;  // for {name} in paths and bodies
  std::vector<JsonRequest> requests;
  std::size_t request_limit = 200;  // a cycle, pages included
  std::size_t sample_limit = 20'000;
  std::size_t body_size_limit = 8U << 20U;
};

/// Reads one entry of `http_json:` (see src/README.md).
HttpJsonSettings parse_http_json(const config::Node& node, config::Diagnostics& diagnostics);

/// The names of the presets that ship, and one's text (YAML).
std::vector<std::string> http_json_presets();
std::string_view http_json_preset(std::string_view name);

/// The collector "http_json/<name>": asks an interface that answers JSON, and makes samples and events of what it says.
/// Bounded in requests, samples, bytes and depth; a page that was seen already ends the paging as a fault. A service
/// that answers 429 or 503 with Retry-After is left alone for that long, an hour at most. What one request cannot give
/// is a fault with the labels that are known, and the others go on. Where the service's clock is more than a minute
/// off, ages are not told, nor is that of a time that lies ahead: both are faults, since what is dated wrongly would
/// look fresh.
class HttpJsonCollector final : public core::Collector {
 public:
  /// `http` outlives the collector.
  HttpJsonCollector(HttpJsonSettings settings, net::HttpClient& http);
  ~HttpJsonCollector() override;

  std::string_view name() const override;
  core::Duration interval() const override;
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::collectors
