#include "net/curl_handles.h"

#include <curl/curl.h>

namespace weir::net {

void CurlDeleter::operator()(void* easy) const { curl_easy_cleanup(easy); }
void CurlDeleter::operator()(curl_slist* list) const { curl_slist_free_all(list); }

void set_tls(void* easy, const TlsFiles& files, bool insecure_skip_verify) {
  if (!files.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, files.ca_file.c_str());
  if (!files.cert_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, files.cert_file.c_str());
  if (!files.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, files.key_file.c_str());
  if (insecure_skip_verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

std::string untrusted(std::string_view text) {
  const std::string said(text);
  if (text.find("expired") != std::string_view::npos)
    return "the server's TLS certificate has expired: " + said + " (renew it, or set this machine's clock)";
  if (text.find("not yet valid") != std::string_view::npos)
    return "the server's TLS certificate is not valid yet: " + said + " (set the clock that is wrong)";
  return "the server's TLS certificate is not trusted: " + said + " (a private authority belongs in ca_file)";
}

}  // namespace weir::net
