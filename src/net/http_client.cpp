#include "net/http_client.h"

#include <algorithm>
#include <cctype>
#include <curl/curl.h>
#include <fmt/format.h>

namespace weir::net {
namespace {

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

struct Exchange {
  HttpResponse response;
  std::size_t limit = 0;
  bool too_large = false;
  std::stop_token stop;
};

std::size_t on_body(const char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = size * count;
  if (exchange.response.body.size() + bytes > exchange.limit) {
    exchange.too_large = true;
    return 0;
  }
  exchange.response.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(const char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) exchange.response.headers.clear();  // of a 100 Continue before
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || exchange.response.headers.size() > 200) return line.size();
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
    value.remove_suffix(1);
  exchange.response.headers.emplace_back(std::move(name), value);
  return line.size();
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->stop.stop_requested() ? 1 : 0;
}

/// Scheme, host and path: what may be shown of a URL.
std::string shown_url(const std::string& url) {
  std::string shown = url.substr(0, url.find('?'));
  const std::size_t scheme = shown.find("://");
  if (scheme == std::string::npos) return shown;
  const std::size_t start = scheme + 3;
  const std::size_t slash = std::min(shown.find('/', start), shown.size());
  const std::size_t at = shown.rfind('@', slash);
  if (at != std::string::npos && at >= start && at < slash) shown.erase(start, at + 1 - start);
  return shown;
}

core::ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return core::ErrorKind::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return core::ErrorKind::invalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE: return core::ErrorKind::denied;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_PARTIAL_FILE: return core::ErrorKind::protocol;
    default: return core::ErrorKind::unavailable;
  }
}

class CurlClient final : public HttpClient {
 public:
  core::Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override {
    const Easy easy(curl_easy_init());
    if (!easy) return core::fail(core::ErrorKind::internal, "libcurl could not be started");
    Exchange exchange{.response = {}, .limit = request.max_response_bytes, .too_large = false, .stop = stop};
    char message[CURL_ERROR_SIZE] = "";
    CURL* handle = easy.get();
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, message);
    const HeaderList headers = set_request(handle, request);
    set_exchange(handle, exchange);
    const CURLcode code = curl_easy_perform(handle);
    const std::string where = shown_url(request.url);
    if (exchange.too_large) {
      return core::fail(core::ErrorKind::limit, fmt::format("the answer is larger than {} bytes", exchange.limit),
                        where);
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) return core::fail(core::ErrorKind::cancelled, "stopped", where);
    if (code != CURLE_OK)
      return core::fail(kind_of(code), message[0] != '\0' ? message : curl_easy_strerror(code), where);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    return std::move(exchange.response);
  }

 private:
  static HeaderList set_request(CURL* handle, const HttpRequest& request) {
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    for (const auto& [name, value] : request.headers) list = curl_slist_append(list, (name + ": " + value).c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "weir");
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    if (request.method == "HEAD") {
      curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET" || !request.body.empty()) {
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.c_str());
      curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    if (request.basic_auth) {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      curl_easy_setopt(handle, CURLOPT_USERNAME, request.basic_auth->first.c_str());
      curl_easy_setopt(handle, CURLOPT_PASSWORD, request.basic_auth->second.reveal().c_str());
    }
    if (!request.bearer.empty()) {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
      curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, request.bearer.reveal().c_str());
    }
    if (!request.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, request.ca_file.c_str());
    if (!request.cert_file.empty()) curl_easy_setopt(handle, CURLOPT_SSLCERT, request.cert_file.c_str());
    if (!request.key_file.empty()) curl_easy_setopt(handle, CURLOPT_SSLKEY, request.key_file.c_str());
    return HeaderList(list);
  }

  static void set_exchange(CURL* handle, Exchange& exchange) {
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
  }
};

}  // namespace

std::string_view HttpResponse::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

std::unique_ptr<HttpClient> make_curl_client() { return std::make_unique<CurlClient>(); }

}  // namespace weir::net
