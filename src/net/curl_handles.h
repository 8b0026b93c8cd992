#pragma once

#include <memory>
#include <string>
#include <string_view>

struct curl_slist;

namespace weir::net {

struct CurlDeleter {
  void operator()(void* easy) const;
  void operator()(curl_slist* list) const;
};
using CurlEasy = std::unique_ptr<void, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

/// Files of a TLS client, "" for none: authorities (then the system's), its own certificate and key.
struct TlsFiles {
  const std::string& ca_file;
  const std::string& cert_file;
  const std::string& key_file;
};
void set_tls(void* easy, const TlsFiles& files, bool insecure_skip_verify);

/// What to do about a server's certificate that was refused: it has expired, is not valid yet, or is nobody's that is
/// trusted. `text` is libcurl's message.
std::string untrusted(std::string_view text);

}  // namespace weir::net
