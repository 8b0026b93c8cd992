#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/secret.h"
#include "core/time.h"

namespace weir::net {

/// Where mail is handed over.
struct MailServer {
  std::string smarthost = {};  // "mail:587"; port 465 speaks TLS from the start
  std::string hello = "localhost";
  std::string username = {};
  core::Secret password = {};
  std::string identity = {};
  bool cram_md5 = false;    // the password is a secret that both know and that is never sent
  bool require_tls = true;  // STARTTLS, or nothing is sent
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  std::string server_name = {};  // that the server's certificate must have, instead of the smarthost's
  bool insecure_skip_verify = false;
};

struct Mail {
  std::string from = {};  // the address alone
  std::vector<std::string> to = {};
  std::string text = {};  // headers and body, lines ended by CRLF
};

/// "host:port".
bool is_smarthost(std::string_view text);

/// Hands a mail to a server by SMTP; blocking. Success is the server's word that it has taken it for every recipient.
/// Errors: unavailable (DNS, refused, reset, an answer of 4xx), timeout, denied (TLS, credentials), invalid (an answer
/// of 5xx to the sender, a recipient or the text: not retryable), protocol, cancelled. A certificate and credentials
/// may be mended: these are retryable too.
core::Result<void> send_mail(const MailServer& server, const Mail& mail, core::Duration timeout,
                             std::stop_token stop = {});

}  // namespace weir::net
