#pragma once

#include <memory>
#include <stop_token>

#include "core/error.h"
#include "core/time.h"
#include "kafka/connection.h"
#include "kafka/settings.h"
#include "kafka/token.h"
#include "net/http_client.h"

namespace weir::collectors {

/// Asks a token endpoint for a token by OAuth's grant of client credentials (RFC 6749, 4.4). Who it is for and how long
/// it is good is taken from the token where that is a JSON Web Token (RFC 7519), else it is the client's id and
/// the answer's `expires_in`. Errors: as HttpClient::send(), denied (the client is refused), protocol (no token in the
/// answer). No message has a token or the secret in it.
core::Result<kafka::Token> fetch_token(net::HttpClient& http, const kafka::TokenSettings& settings, core::Time now,
                                       const std::stop_token& stop);

/// Where the clients of one collector get their tokens. Outlives them; used by one thread.
class KafkaTokens {
 public:
  /// The time of the cycle, which tokens are good from.
  void set_now(core::Time now) { now_ = now; }
  kafka::TokenSource source();

 private:
  core::Time now_;
  std::unique_ptr<net::HttpClient> http_;  // once a login needs it
};

/// A client for one cycle of those that come seldom: with certificates, passwords and tokens as they are by now.
/// Errors: as Connection::open(), a file that cannot be read (invalid).
core::Result<std::unique_ptr<kafka::Connection>> connect_once(const kafka::ClusterSettings& cluster,
                                                              KafkaTokens& tokens);

}  // namespace weir::collectors
