#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/secret.h"
#include "core/time.h"

namespace weir::core {
class FailPoints;
}

namespace weir::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  core::Duration timeout{10000};  // for the whole exchange
  std::size_t max_response_bytes = 4U << 20U;
  std::optional<std::pair<std::string, core::Secret>> basic_auth = {};
  core::Secret bearer = {};
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  bool insecure_skip_verify = false;  // any certificate will do
  core::Secret proxy = {};            // its URL; without one the environment's is used
  std::string server_name = {};       // that the server's certificate must have, instead of the URL's host
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  /// The first header of that (lower-case) name, or "".
  std::string_view header(std::string_view lower_name) const;
};

/// Follows no redirects and verifies TLS unless told not to. Blocking; safe to call from several threads.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Any status is a response. Errors: unavailable (DNS, refused, reset), timeout, limit (body too large),
  /// denied (TLS not verified), invalid (URL), protocol (no HTTP), cancelled (stop requested). `where` is scheme,
  /// host and port: nothing shows credentials, nor a path, which may hold a token.
  virtual core::Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop = {}) = 0;
  /// Sends several, `parallel` at a time where the client can; what became of each, in the order of the requests.
  virtual std::vector<core::Result<HttpResponse>> send_all(const std::vector<HttpRequest>& requests,
                                                           std::size_t parallel, std::stop_token stop = {});
};

/// Keeps a few connections open between requests; they are opened anew when a file of certificates or keys changes.
/// `fail_points`, if any, outlive it and are passed when a request with a body was sent.
std::unique_ptr<HttpClient> make_curl_client(core::FailPoints* fail_points = nullptr);

}  // namespace weir::net
