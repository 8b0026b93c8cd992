#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "core/secret.h"
#include "core/time.h"

struct rd_kafka_s;

namespace weir::kafka {

/// How to get tokens for OAUTHBEARER: OAuth's grant of client credentials (RFC 6749, 4.4), by HTTP.
struct TokenSettings {
  std::string url;  // of the token endpoint
  std::string client_id;
  core::Secret client_secret;
  std::string scope;       // "" for none
  std::string extensions;  // key=value, comma separated, passed to the broker; "" for none
  std::string ca_file;     // of the endpoint's certificate; "" for the system's
  core::Duration timeout = std::chrono::seconds(10);
};

struct Token {
  core::Secret value;
  std::string principal;
  core::Time expires;
};

/// Gets a new token; called from the thread that uses the cluster, when the last one has lived most of its time.
/// Blocks for TokenSettings::timeout at most.
using TokenSource = std::function<core::Result<Token>(const TokenSettings& settings, const std::stop_token& stop)>;

/// What a client that wants a token is answered with: one of the source's, or why there is none.
void give_token(rd_kafka_s* handle, const TokenSettings& settings, const TokenSource& source);

}  // namespace weir::kafka
