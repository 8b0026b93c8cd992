#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "core/incident.h"
#include "core/time.h"
#include "net/http_client.h"
#include "notify/routing.h"

namespace weir::notify {

/// How one attempt went, where the other side answered.
struct Receipt {
  int status = 0;                             // of HTTP
  std::string error;                          // "" when it was accepted
  bool permanent = false;                     // another attempt cannot succeed
  std::optional<core::Duration> retry_after;  // at least so long, if the other side said so
};

struct DeliveryContext {
  core::Duration timeout{10'000};
  std::stop_token stop;
};

/// Delivers to one endpoint. Tries once; whether to try again is decided in delivery.h.
class Notifier {
 public:
  virtual ~Notifier() = default;
  virtual core::Result<Receipt> deliver(const core::OutboxMessage& message, const DeliveryContext& context) = 0;
};

/// What notifiers share: the client, and the address of Weir's page.
struct NotifierTools {
  net::HttpClient& http;
  std::string external_url;
};

/// Reads status, Retry-After (seconds) and the start of the body of an answer: 2xx is accepted; 408, 425,
/// 429 and 5xx are worth another attempt; everything else is permanent.
Receipt read_answer(const net::HttpResponse& response);

}  // namespace weir::notify
