#include "collectors/http_endpoint.h"

#include <algorithm>

#include "config/reader_checks.h"
#include "net/http_server.h"

namespace weir::collectors {
namespace {

void read_tls(config::MapReader& reader, HttpEndpoint& endpoint) {
  const config::Node* node = reader.child("tls");
  if (node == nullptr) return;
  config::MapReader tls(*node, reader.diagnostics(), reader.what() + ", tls");
  endpoint.ca_file = config::file_path(tls, "ca_file");
  endpoint.cert_file = config::file_path(tls, "cert_file");
  endpoint.key_file = config::file_path(tls, "key_file");
  if (endpoint.cert_file.empty() != endpoint.key_file.empty()) {
    tls.error(*node, "cert_file and key_file belong together");
  }
  tls.finish();
}

}  // namespace

std::string url_mistake(std::string_view url) {
  const std::size_t host = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (host == 0 || host == url.size() || url[host] == '/') return "write http://host:port or https://host:port";
  const std::size_t path = std::min(url.find('/', host), url.size());
  if (url.substr(0, path).find('@', host) != std::string_view::npos) {
    return "credentials do not belong in the URL; give them under basic_auth";
  }
  if (url.find('#') != std::string_view::npos) return "has a fragment (#…), which no server is told";
  if (net::url_host(url).empty())
    return "has no host and port that could be: " + std::string(url.substr(host, path - host));
  return {};
}

void read_login(config::MapReader& reader, HttpEndpoint& endpoint) {
  endpoint.request_timeout = reader.duration("request_timeout", endpoint.request_timeout);
  if (endpoint.request_timeout < std::chrono::milliseconds(100)) {
    reader.error("request_timeout", "must be at least 100ms");
  }
  endpoint.bearer_token = reader.secret("bearer_token");
  if (const config::Node* login = reader.child("basic_auth")) {
    config::MapReader basic(*login, reader.diagnostics(), reader.what() + ", basic_auth");
    std::string username = basic.required_text("username");
    endpoint.basic_auth.emplace(std::move(username), basic.secret("password"));
    if (!endpoint.bearer_token.empty()) reader.error("basic_auth", "give either basic_auth or bearer_token, not both");
    basic.finish();
  }
  read_tls(reader, endpoint);
}

net::HttpRequest request_to(const HttpEndpoint& endpoint, std::string url,
                            std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<core::Duration>(deadline - std::chrono::steady_clock::now());
  net::HttpRequest request;
  request.url = std::move(url);
  request.timeout = std::min(endpoint.request_timeout, left);
  request.basic_auth = endpoint.basic_auth;
  request.bearer = endpoint.bearer_token;
  request.ca_file = endpoint.ca_file;
  request.cert_file = endpoint.cert_file;
  request.key_file = endpoint.key_file;
  return request;
}

}  // namespace weir::collectors
