#include "net/mail_client.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <curl/curl.h>
#include <fmt/format.h>
#include <memory>

#include "net/curl_handles.h"

namespace weir::net {
namespace {

struct Upload {
  std::string_view left;
  std::stop_token stop;
};

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* user) {
  auto& upload = *static_cast<Upload*>(user);
  const std::size_t bytes = std::min(size * count, upload.left.size());
  std::memcpy(buffer, upload.left.data(), bytes);
  upload.left.remove_prefix(bytes);
  return bytes;
}

std::size_t on_answer(const char*, std::size_t size, std::size_t count, void*) { return size * count; }

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Upload*>(user)->stop.stop_requested() ? 1 : 0;
}

std::string host_of(const std::string& smarthost) { return smarthost.substr(0, smarthost.rfind(':')); }
std::string port_of(const std::string& smarthost) { return smarthost.substr(smarthost.rfind(':') + 1); }

void set_credentials(CURL* handle, const MailServer& server) {
  if (server.username.empty()) return;
  curl_easy_setopt(handle, CURLOPT_USERNAME, server.username.c_str());
  curl_easy_setopt(handle, CURLOPT_PASSWORD, server.password.reveal().c_str());
  if (!server.identity.empty()) curl_easy_setopt(handle, CURLOPT_SASL_AUTHZID, server.identity.c_str());
  if (server.cram_md5) curl_easy_setopt(handle, CURLOPT_LOGIN_OPTIONS, "AUTH=CRAM-MD5");
}

/// libcurl verifies the host of the URL: it is given that name, and connects to where it was.
CurlList set_address(CURL* handle, const MailServer& server) {
  const std::string port = port_of(server.smarthost);
  const std::string name = server.server_name.empty() ? host_of(server.smarthost) : server.server_name;
  const std::string url = fmt::format("{}://{}:{}/{}", port == "465" ? "smtps" : "smtp", name, port, server.hello);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  if (server.server_name.empty()) return {};
  CurlList elsewhere(curl_slist_append(nullptr, fmt::format("{}:{}:{}", name, port, server.smarthost).c_str()));
  curl_easy_setopt(handle, CURLOPT_CONNECT_TO, elsewhere.get());
  return elsewhere;
}

core::Error failure(CURLcode code, const char* message, long answer, const std::string& where) {
  const std::string text = message[0] != '\0' ? message : curl_easy_strerror(code);
  core::Error error{.kind = core::ErrorKind::unavailable, .message = text, .retryable = true, .where = where};
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: error.kind = core::ErrorKind::timeout; break;
    case CURLE_LOGIN_DENIED:
      error.kind = core::ErrorKind::denied;
      error.message = fmt::format("the server refuses the user name or password ({})", answer);
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      error.kind = core::ErrorKind::denied;
      error.message = untrusted(text);
      break;
    case CURLE_SSL_CACERT_BADFILE:
      error.kind = core::ErrorKind::denied;
      error.message = "the file of certificate authorities cannot be used: " + text;
      break;
    case CURLE_SSL_CERTPROBLEM:
      error.kind = core::ErrorKind::denied;
      error.message = "the client certificate cannot be used: " + text;
      break;
    case CURLE_USE_SSL_FAILED:
      error.kind = core::ErrorKind::denied;
      error.message = "the server does not offer STARTTLS; it must, unless require_tls is false";
      break;
    default: break;
  }
  // 5xx is for good, but for those about credentials and encryption.
  if (answer >= 500 && answer < 600 && error.kind == core::ErrorKind::unavailable) {
    error.kind = core::ErrorKind::invalid;
    error.retryable = false;
  }
  if (answer >= 400 && error.kind != core::ErrorKind::denied)
    error.message = fmt::format("answered {}: {}", answer, text);
  return error;
}

}  // namespace

bool is_smarthost(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  unsigned port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535) return false;
  return std::ranges::none_of(text.substr(0, colon), [](unsigned char c) { return c <= ' ' || c == '/' || c == '@'; });
}

core::Result<void> send_mail(const MailServer& server, const Mail& mail, core::Duration timeout, std::stop_token stop) {
  const std::string where = "smtp://" + server.smarthost;
  const CurlEasy easy(curl_easy_init());
  if (!easy) return core::fail(core::ErrorKind::internal, "libcurl could not be started");
  CURL* handle = easy.get();
  char message[CURL_ERROR_SIZE] = "";
  curl_slist* list = nullptr;
  for (const std::string& one : mail.to) list = curl_slist_append(list, ("<" + one + ">").c_str());
  const CurlList recipients(list);
  Upload upload{.left = mail.text, .stop = std::move(stop)};
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, message);
  const CurlList elsewhere = set_address(handle, server);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_USE_SSL, static_cast<long>(server.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, ("<" + mail.from + ">").c_str());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(handle, CURLOPT_READDATA, &upload);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_answer);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &upload);
  set_credentials(handle, server);
  set_tls(handle, {server.ca_file, server.cert_file, server.key_file}, server.insecure_skip_verify);
  const CURLcode code = curl_easy_perform(handle);
  if (code == CURLE_OK) return {};
  if (code == CURLE_ABORTED_BY_CALLBACK) return core::fail(core::ErrorKind::cancelled, "stopped", where);
  long answer = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer);
  return std::unexpected(failure(code, message, answer, "smtp://" + host_of(server.smarthost)));
}

}  // namespace weir::net
