#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/reader.h"
#include "core/secret.h"
#include "core/time.h"
#include "net/http_client.h"

namespace weir::collectors {

/// Where a service is and how to log on.
struct HttpEndpoint {
  std::string url;  // without credentials
  core::Duration request_timeout = std::chrono::seconds(10);
  std::optional<std::pair<std::string, core::Secret>> basic_auth;
  core::Secret bearer_token;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

/// What is wrong with a URL that a collector is to call, "" for nothing: it has a scheme and a host, no credentials
/// (which would be shown) and no fragment.
std::string url_mistake(std::string_view url);

/// Reads `request_timeout`, `basic_auth: {username, password}`, `bearer_token` and `tls: {ca_file, cert_file,
/// key_file}`, whose paths are relative to the file of the node; not the URL, which each collector words itself.
void read_login(config::MapReader& reader, HttpEndpoint& endpoint);

/// A GET of `url` with the endpoint's login, to end within its timeout and by `deadline`.
net::HttpRequest request_to(const HttpEndpoint& endpoint, std::string url,
                            std::chrono::steady_clock::time_point deadline);

}  // namespace weir::collectors
