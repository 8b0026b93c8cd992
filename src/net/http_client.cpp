#include "net/http_client.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <curl/curl.h>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <tuple>
#include <utility>

#include "core/fail_points.h"
#include "net/curl_handles.h"

namespace weir::net {
namespace {

struct Exchange {
  HttpResponse response;
  std::size_t limit = 0;
  bool too_large = false;
  std::stop_token stop;
  core::FailPoints* fail_points = nullptr;  // until the body is sent
  std::size_t body_size = 0;
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

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.fail_points != nullptr && sent > 0 && static_cast<std::size_t>(sent) >= exchange.body_size)
    (void)core::reach(std::exchange(exchange.fail_points, nullptr), core::FailPoint::request_sent);
  return exchange.stop.stop_requested() ? 1 : 0;
}

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

/// Scheme, host and port: what may be shown of a URL. Paths and queries hold tokens (Slack's do).
std::string shown_url(const std::string& text) {
  const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) return {};
  const std::string port = url_part(url.get(), CURLUPART_PORT);
  return url_part(url.get(), CURLUPART_SCHEME) + "://" + url_part(url.get(), CURLUPART_HOST) +
         (port.empty() ? port : ":" + port);
}

bool has_line_break(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

/// "host:port", as a request names it.
std::string host_of(const std::string& text) {
  const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return {};
  const std::string port = url_part(url.get(), CURLUPART_PORT);
  return url_part(url.get(), CURLUPART_HOST) + (port.empty() ? port : ":" + port);
}

/// What would change the meaning of the bytes on the wire.
bool unsafe(const HttpRequest& request) {
  return has_line_break(request.method) || has_line_break(request.url) || has_line_break(request.bearer.reveal()) ||
         std::ranges::any_of(request.headers,
                             [](const auto& header) { return has_line_break(header.first + header.second); });
}

core::ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return core::ErrorKind::timeout;
    case CURLE_URL_MALFORMAT: return core::ErrorKind::invalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE: return core::ErrorKind::denied;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_PARTIAL_FILE: return core::ErrorKind::protocol;
    default: return core::ErrorKind::unavailable;
  }
}

/// Messages that a user can act on, where libcurl's own do not say what to do.
std::string explain(CURLcode code, const char* message, core::Duration timeout) {
  const std::string text = message[0] != '\0' ? message : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return fmt::format("no complete answer within {}", core::format_duration(timeout));
    case CURLE_PEER_FAILED_VERIFICATION: return untrusted(text);
    case CURLE_SSL_CACERT_BADFILE: return "the file of certificate authorities cannot be used: " + text;
    case CURLE_SSL_CERTPROBLEM: return "the client certificate cannot be used: " + text;
    case CURLE_URL_MALFORMAT: return "the URL is malformed";
    case CURLE_UNSUPPORTED_PROTOCOL: return "the answer is not HTTP";  // the URL's scheme was checked before
    case CURLE_GOT_NOTHING: return "the server closed the connection without an answer";
    case CURLE_PARTIAL_FILE: return "the answer is incomplete: " + text;
    default: return text;
  }
}

/// What a server says of the client's certificate comes as a TLS alert, or with TLS 1.3 only as a connection that ends
/// when the handshake seemed done: "" where it is nothing of the kind.
std::string certificate_trouble(CURLcode code, const std::string& text, const HttpRequest& request) {
  if (!request.url.starts_with("https://")) return {};
  const bool alert = text.find(" alert ") != std::string::npos;
  if (request.cert_file.empty()) {
    return alert && text.find("certificate required") != std::string::npos
               ? "the server wants a client certificate; give cert_file and key_file under tls (" + text + ")"
               : "";
  }
  const bool ended = code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
                     code == CURLE_SSL_CONNECT_ERROR || text.starts_with("getpeername()");
  if (alert) return "the server refuses the client certificate of cert_file: " + text;
  return ended ? text + " (the server may refuse the client certificate of cert_file)" : "";
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(core::FailPoints* fail_points) : fail_points_(fail_points) {}

  core::Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override {
    auto transfer = prepare(request, std::move(stop));
    if (!transfer) return std::unexpected(transfer.error());
    return finish(**transfer, curl_easy_perform((*transfer)->easy.get()));
  }

  std::vector<core::Result<HttpResponse>> send_all(const std::vector<HttpRequest>& requests, std::size_t parallel,
                                                   std::stop_token stop) override {
    if (requests.size() < 2 || parallel < 2) return HttpClient::send_all(requests, parallel, stop);
    const std::uint64_t generation = note_files(requests.front());
    Multi multi = take_multi();
    if (!multi) return HttpClient::send_all(requests, parallel, stop);
    std::vector<core::Result<HttpResponse>> results(
        requests.size(), core::fail(core::ErrorKind::internal, "libcurl did not say what became of the request"));
    std::map<CURL*, std::pair<std::size_t, std::unique_ptr<Transfer>>> running;
    std::size_t next = 0;
    while (next < requests.size() || !running.empty()) {
      for (; next < requests.size() && running.size() < parallel; ++next) {
        auto transfer = prepare(requests[next], stop);
        if (!transfer) {
          results[next] = std::unexpected(transfer.error());
          continue;
        }
        CURL* easy = (*transfer)->easy.get();
        if (curl_multi_add_handle(multi.get(), easy) == CURLM_OK)
          running.emplace(easy, std::pair(next, std::move(*transfer)));
      }
      int active = 0;
      if (curl_multi_perform(multi.get(), &active) != CURLM_OK) break;
      const bool room = take_finished(multi.get(), running, results) && next < requests.size();
      if (!running.empty() && !room) curl_multi_poll(multi.get(), nullptr, 0, kPollMilliseconds, nullptr);
    }
    for (const auto& [easy, transfer] : running) curl_multi_remove_handle(multi.get(), easy);
    if (running.empty()) give_back(std::move(multi), generation);
    return results;
  }

 private:
  /// Handles keep their connections open: a collector asks one server hundreds of times a cycle.
  static constexpr std::size_t kIdleHandles = 8;
  static constexpr int kPollMilliseconds = 100;  // after which it is looked whether to stop

  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  using Multi = std::unique_ptr<CURLM, MultiDeleter>;

  /// A request on its way; libcurl has pointers into it.
  struct Transfer {
    const HttpRequest& request;
    std::string where;
    std::uint64_t generation = 0;
    Exchange exchange = {};
    char message[CURL_ERROR_SIZE] = "";
    CurlList headers = {};
    CurlList elsewhere = {};
    CurlEasy easy = {};
  };

  /// The open connections of requests that are sent together are the multi handle's.
  Multi take_multi() {
    const std::lock_guard lock(mutex_);
    return idle_multi_ ? std::move(idle_multi_) : Multi(curl_multi_init());
  }
  void give_back(Multi multi, std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    if (generation == generation_) idle_multi_ = std::move(multi);
  }

  core::Result<std::unique_ptr<Transfer>> prepare(const HttpRequest& request, std::stop_token stop) {
    const std::string where = shown_url(request.url);
    if (unsafe(request)) return core::fail(core::ErrorKind::invalid, "a line break in the URL or a header", where);
    if (!where.starts_with("http://") && !where.starts_with("https://")) {
      return core::fail(core::ErrorKind::invalid, "the URL is malformed; it must begin with http:// or https://",
                        where);
    }
    if (request.timeout.count() <= 0) return core::fail(core::ErrorKind::timeout, "no time left for a request", where);
    auto transfer = std::make_unique<Transfer>(request, where, note_files(request));
    transfer->easy = take();
    if (!transfer->easy) return core::fail(core::ErrorKind::internal, "libcurl could not be started");
    transfer->exchange = {.response = {},
                          .limit = request.max_response_bytes,
                          .too_large = false,
                          .stop = std::move(stop),
                          .fail_points = fail_points_,
                          .body_size = request.body.size()};
    CURL* handle = transfer->easy.get();
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->message);
    transfer->headers = set_request(handle, request);
    transfer->elsewhere = set_server_name(handle, request);
    set_exchange(handle, transfer->exchange);
    return transfer;
  }

  core::Result<HttpResponse> finish(Transfer& transfer, CURLcode code) {
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    give_back(std::move(transfer.easy), transfer.generation);
    Exchange& exchange = transfer.exchange;
    if (exchange.too_large) {
      return core::fail(core::ErrorKind::limit, fmt::format("the answer is larger than {} bytes", exchange.limit),
                        transfer.where);
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) return core::fail(core::ErrorKind::cancelled, "stopped", transfer.where);
    if (code != CURLE_OK) {
      const std::string text = explain(code, transfer.message, transfer.request.timeout);
      const std::string trouble = certificate_trouble(code, text, transfer.request);
      const bool refused = text.find(" alert ") != std::string::npos && !trouble.empty();
      return core::fail(refused ? core::ErrorKind::denied : kind_of(code), trouble.empty() ? text : trouble,
                        transfer.where);
    }
    exchange.response.status = static_cast<int>(status);
    return std::move(exchange.response);
  }

  /// False when none has finished.
  bool take_finished(CURLM* multi, std::map<CURL*, std::pair<std::size_t, std::unique_ptr<Transfer>>>& running,
                     std::vector<core::Result<HttpResponse>>& results) {
    int left = 0;
    const std::size_t before = running.size();
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      const auto found = running.find(message->easy_handle);
      if (message->msg != CURLMSG_DONE || found == running.end()) continue;
      const CURLcode code = message->data.result;  // the message is gone with its handle
      curl_multi_remove_handle(multi, found->first);
      results[found->second.first] = finish(*found->second.second, code);
      running.erase(found);
    }
    return running.size() < before;
  }

  CurlEasy take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return CurlEasy(curl_easy_init());
    CurlEasy easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }
  void give_back(CurlEasy easy, std::uint64_t generation) {
    curl_easy_reset(easy.get());
    const std::lock_guard lock(mutex_);
    if (generation == generation_ && idle_.size() < kIdleHandles) idle_.push_back(std::move(easy));
  }

  /// Open connections and libcurl's cache of authorities know certificates as they were: when a file that a request
  /// names was replaced or written to, they are dropped. Returns the number of the connections that may be kept.
  std::uint64_t note_files(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    for (const std::string* file : {&request.ca_file, &request.cert_file, &request.key_file}) {
      if (file->empty()) continue;
      struct stat found {};
      const bool there = ::stat(file->c_str(), &found) == 0;
      const Stamp stamp =
          there ? Stamp{found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size, found.st_ino} : Stamp{};
      const auto [known, added] = files_.try_emplace(*file, stamp);
      if (added || known->second == stamp) continue;
      known->second = stamp;
      ++generation_;
      idle_.clear();
      idle_multi_.reset();
    }
    return generation_;
  }

  static CurlList set_request(CURL* handle, const HttpRequest& request) {
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    for (const auto& [name, value] : request.headers) list = curl_slist_append(list, (name + ": " + value).c_str());
    if (!request.server_name.empty()) list = curl_slist_append(list, ("Host: " + host_of(request.url)).c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "weir");
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");  // all it can decode; the limit is on decoded bytes
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
    set_tls(handle, {request.ca_file, request.cert_file, request.key_file}, request.insecure_skip_verify);
    if (!request.proxy.empty()) curl_easy_setopt(handle, CURLOPT_PROXY, request.proxy.reveal().c_str());
    return CurlList(list);
  }

  /// libcurl verifies the host of the URL: it is given that name, and connects to where it was.
  static CurlList set_server_name(CURL* handle, const HttpRequest& request) {
    const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
    if (request.server_name.empty() || !request.url.starts_with("https://") || !url) return {};
    if (curl_url_set(url.get(), CURLUPART_URL, request.url.c_str(), 0) != CURLUE_OK) return {};
    const std::string host = url_part(url.get(), CURLUPART_HOST);
    const std::string port = url_part(url.get(), CURLUPART_PORT);
    if (curl_url_set(url.get(), CURLUPART_HOST, request.server_name.c_str(), 0) != CURLUE_OK) return {};
    curl_easy_setopt(handle, CURLOPT_URL, url_part(url.get(), CURLUPART_URL).c_str());
    const std::string there = fmt::format("{}:{}:{}:{}", request.server_name, port, host, port);
    CurlList elsewhere(curl_slist_append(nullptr, there.c_str()));
    curl_easy_setopt(handle, CURLOPT_CONNECT_TO, elsewhere.get());
    return elsewhere;
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

  using Stamp = std::tuple<long, long, long, unsigned long>;  // modified s and ns, size, inode

  core::FailPoints* fail_points_;
  std::mutex mutex_;
  std::vector<CurlEasy> idle_;
  Multi idle_multi_;
  std::uint64_t generation_ = 0;
  std::map<std::string, Stamp> files_;  // certificates and keys; as many as the configuration names
};

}  // namespace

std::string_view HttpResponse::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

std::vector<core::Result<HttpResponse>> HttpClient::send_all(const std::vector<HttpRequest>& requests, std::size_t,
                                                             std::stop_token stop) {
  std::vector<core::Result<HttpResponse>> results;
  results.reserve(requests.size());
  for (const HttpRequest& request : requests) results.push_back(send(request, stop));
  return results;
}

std::unique_ptr<HttpClient> make_curl_client(core::FailPoints* fail_points) {
  return std::make_unique<CurlClient>(fail_points);
}

}  // namespace weir::net
