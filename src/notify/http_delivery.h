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
#include "notify/oauth2.h"

namespace weir::notify {

/// Alertmanager's `http_config`: how a server is spoken to.
struct HttpConfig {
  std::optional<std::pair<std::string, core::Secret>> basic_auth = {};
  core::Secret bearer = {};
  core::Secret authorization = {};  // what follows `authorization_type`, where that is not Bearer
  std::string authorization_type = {};
  std::string credentials_file = {};  // that the password, token or authorization is read from anew for each request
  std::optional<OAuth2> oauth2 = {};
  TlsConfig tls = {};
  core::Secret proxy_url = {};
  bool operator==(const HttpConfig&) const = default;
};

/// basic_auth, authorization, bearer_token, oauth2, tls_config, proxy_url; what of it Weir does not apply is a mistake.
HttpConfig parse_http_config(const config::Node& node, config::MapReader& parent);

/// Where an integration posts to.
struct HttpTarget {
  std::string name;  // for messages, instead of the URL: `receiver "team", slack_configs[0]`
  core::Secret url;
  HttpConfig http = {};
  bool operator==(const HttpTarget&) const = default;
};

/// Reads the URL under `url_key` (or `<url_key>_file`), which must be there unless `otherwise` is given, and
/// `http_config`, which replaces `defaults`.
HttpTarget parse_http_target(config::MapReader& reader, std::string_view url_key, const HttpConfig& defaults = {},
                             const core::Secret& otherwise = {});

/// Notes a mistake under the key unless the URL begins with http:// or https:// and a host.
void check_http_url(config::MapReader& reader, std::string_view key, const std::string& url);

/// Posts JSON. Success is a 2xx answer. Network errors, 5xx, 408, 425 and 429 are retryable, any other status is not.
/// No error shows the URL or a credential, even where the answer repeats it. Credentials of files are read anew, a
/// token of oauth2 that is refused is fetched anew once.
std::expected<net::HttpResponse, DeliveryError> post_json(net::HttpClient& http, HttpTarget target, std::string body,
                                                          std::vector<std::pair<std::string, std::string>> headers,
                                                          const DeliveryContext& context);

/// `text` without the target's URL, its path, query and credentials, on one line, at most 200 bytes.
std::string shown(std::string_view text, const HttpTarget& target);

/// The value of a Retry-After header, seconds or a date (RFC 9110, 10.2.3); none when it is neither. At most a day.
std::optional<core::Duration> parse_retry_after(std::string_view value, core::Time now);

}  // namespace weir::notify
