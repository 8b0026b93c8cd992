#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/secret.h"
#include "notify/http_delivery.h"

namespace weir::notify {

/// What e-mail is sent with.
struct SmtpSettings {
  std::string smarthost;  // "mail:587"
  std::string from;
  std::string hello = "localhost";
  std::string username;
  core::Secret password;
  core::Secret secret;  // of CRAM-MD5, where there is no password
  std::string identity;
  TlsConfig tls;
  bool require_tls = true;
  bool operator==(const SmtpSettings&) const = default;
};

/// The section `global:`: what receivers say no otherwise.
struct GlobalSettings {
  HttpConfig http;
  SmtpSettings smtp;
  core::Secret slack_api_url;
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  std::string opsgenie_api_url = "https://api.opsgenie.com/";
  core::Secret opsgenie_api_key;
};

/// Every key that Alertmanager 0.25 has there is known; those of receivers that Weir lacks have no effect.
GlobalSettings parse_global(const config::Node* section, config::Diagnostics& diagnostics);

}  // namespace weir::notify
