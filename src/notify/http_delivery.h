#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.h"
#include "core/secret.h"
#include "net/http_client.h"
#include "notify/notifier.h"

namespace weir::notify {

/// Where an integration posts to.
struct HttpTarget {
  std::string name;  // for messages, instead of the URL: `receiver "team", slack_configs[0]`
  core::Secret url;
  std::optional<std::pair<std::string, core::Secret>> basic_auth = {};
  core::Secret bearer = {};
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  bool operator==(const HttpTarget&) const = default;
};

/// Reads the URL under `url_key` (or `<url_key>_file`), which must be there, and Alertmanager's `http_config`:
/// basic_auth, authorization, bearer_token, tls_config.
HttpTarget parse_http_target(config::MapReader& reader, std::string_view url_key);

/// Posts JSON. Success is a 2xx answer. Network errors, 5xx, 408, 425 and 429 are retryable, any other status is not.
/// No error shows the URL or a credential, even where the answer repeats it.
std::expected<net::HttpResponse, DeliveryError> post_json(net::HttpClient& http, const HttpTarget& target,
                                                          std::string body,
                                                          std::vector<std::pair<std::string, std::string>> headers,
                                                          const DeliveryContext& context);

/// `text` without the target's URL, its path, query and credentials, on one line, at most 200 bytes.
std::string shown(std::string_view text, const HttpTarget& target);

/// The value of a Retry-After header, seconds or a date (RFC 9110, 10.2.3); none when it is neither. At most a day.
std::optional<core::Duration> parse_retry_after(std::string_view value, core::Time now);

}  // namespace weir::notify
