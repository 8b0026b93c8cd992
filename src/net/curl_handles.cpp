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

}  // namespace weir::net
