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
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"

namespace weir::collectors {

/// How what stands in an answer becomes a number.
enum class JsonUnit {
  plain,         // a number, a text that is one, true or false
  milliseconds,  // such a number, in seconds
  timestamp,     // seconds since 1970 of an ISO 8601 text, or of seconds, milliseconds or microseconds since then
  age,           // seconds from such a time until now, never negative
  length,        // how many members or elements
};

enum class JsonAggregate { none, count, sum, max, min };

/// A label's name and where its value comes from: a JSON Pointer into the item ("/type"), the name or index that the
/// n-th * of `items` stood for ("*1"), or a text.
struct JsonLabel {
  std::string name;
  std::string from;
};

/// The item counts when what the pointer leads to is one of the texts.
struct JsonCondition {
  std::string pointer;
  std::vector<std::string> values;
};

struct JsonMetric {
  std::string name;
  std::string help;
  core::MetricType type = core::MetricType::gauge;
  std::string value;  // JSON Pointer into the item; "" is the item itself
  JsonUnit unit = JsonUnit::plain;
  double scale = 1;
  std::map<std::string, double> map;  // texts to numbers; "*" is any other
  std::vector<std::string> states;    // 1 with the label state for the one it is in, 0 for the others
  std::vector<JsonLabel> labels;      // besides the request's
  JsonAggregate aggregate = JsonAggregate::none;
  std::vector<JsonCondition> where;
};

/// Tells once when a value has come to be one of `to`.
struct JsonEvent {
  std::string kind;
  std::string value;
  std::vector<std::string> to;
  std::string message;  // with {label} and {/pointer}
};

/// How the next page of an answer is asked for; at most one of these.
struct JsonPages {
  std::string cursor;        // JSON Pointer to a token, which goes into the query as `parameter`
  std::string next;          // JSON Pointer to the next URL or path
  std::string parameter;     // of the cursor or the offset
  std::int64_t size = 0;     // offset: so many items a page
  bool link_header = false;  // RFC 8288, rel="next"
};

struct JsonRequest {
  std::string method = "GET";
  std::string path;       // behind the URL; with {label} of the request around it, and {variable}
  std::string body;       // with the same
  std::string items;      // JSON Pointer whose * stand for every member or element; "" is the answer itself
  bool optional = false;  // 404 is no mistake
  std::vector<JsonLabel> labels;
  std::vector<JsonMetric> metrics;
  std::vector<JsonEvent> events;
  std::vector<JsonCondition> where;  // items that count
  JsonPages pages;
  std::vector<JsonRequest> each;  // made for every item
};

/// OAuth 2.0 client credentials (RFC 6749, 4.4).
struct OauthSettings {
  std::string token_url;
  std::string client_id;
  core::Secret client_secret;
  std::string scope;
  bool in_body = false;  // the credentials, else as basic authentication
};

struct HttpJsonSettings {
  std::string name;
  HttpEndpoint endpoint;  // its URL without a slash at the end
  core::Duration interval = std::chrono::seconds(30);
  std::vector<std::pair<std::string, core::Secret>> headers;
  std::optional<OauthSettings> oauth;
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
/// is a fault with the labels that are known, and the others go on.
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
