#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/reader.h"
#include "core/error.h"
#include "core/secret.h"
#include "net/http_client.h"

namespace weir::notify {

/// How a server of HTTPS is verified and a client shows itself: Alertmanager's `tls_config`.
struct TlsConfig {
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  std::string server_name = {};  // that the certificate must have, instead of the URL's host
  bool insecure_skip_verify = false;
  bool operator==(const TlsConfig&) const = default;
};

TlsConfig parse_tls_config(const config::Node& node, const config::MapReader& parent, config::Diagnostics& diagnostics);
void apply(const TlsConfig& tls, net::HttpRequest& request);

/// A token and how long it is good for. Safe to use from several threads.
class OAuth2Token;

/// Alertmanager's `oauth2`: client credentials (RFC 6749, 4.4) for a bearer token.
struct OAuth2 {
  std::string token_url;
  std::string client_id;
  core::Secret client_secret;
  std::string scopes;  // separated by spaces
  std::vector<std::pair<std::string, std::string>> parameters;
  TlsConfig tls;
  core::Secret proxy_url;
  std::shared_ptr<OAuth2Token> token;  // shared by all that were made of this entry

  bool operator==(const OAuth2& other) const;  // without the token
};

OAuth2 parse_oauth2(const config::Node& node, const config::MapReader& parent, config::Diagnostics& diagnostics);

/// The token, fetched when there is none or it ends within 30 s. Errors: the network's; denied, protocol for what the
/// token's server answers. None shows a credential.
core::Result<core::Secret> take_token(const OAuth2& oauth2, net::HttpClient& http, core::Time now,
                                      core::Duration timeout, const std::stop_token& stop);

/// The server refused it: the next one is fetched.
void drop_token(const OAuth2& oauth2);

}  // namespace weir::notify
