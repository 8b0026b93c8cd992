#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "core/incident.h"
#include "core/time.h"
#include "net/http_client.h"

namespace weir::notify {

struct DeliveryContext {
  core::Time now;                  // to read a Retry-After that is a date
  core::Duration timeout{10'000};  // for the whole delivery
  std::stop_token stop = {};       // shutting down: return soon
};

/// The receiver has taken the message.
struct Receipt {
  int status = 0;  // HTTP's, where there is one
  /// What the next message of the same group is to know of this one (a thread, a message's id): it has it as
  /// OutboxMessage::reference. "" forgets it; nothing leaves it as it was.
  std::optional<std::string> reference = std::nullopt;
  std::string template_problems = {};  // a template failed, and Weir's own text was told instead
};

/// The receiver has not taken it. error.retryable tells whether another attempt may succeed.
struct DeliveryError {
  core::Error error;                                         // never shows a URL's path or query: tokens live there
  std::optional<core::Duration> retry_after = std::nullopt;  // the receiver asked for that much patience
};

using DeliveryResult = std::expected<Receipt, DeliveryError>;

/// One way to tell somebody: one entry of a receiver's `<kind>_configs`. Passive: one attempt a call, no retries, no
/// thread, no state between calls. Used by the delivery worker only.
class Notifier {
 public:
  virtual ~Notifier() = default;
  virtual DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) = 0;
};

/// What every notifier is built from; outlives them.
struct NotifierTools {
  net::HttpClient& http;
  std::string external_url;  // of Weir's page, without a slash at the end; "" when nobody can reach it
};
using MakeNotifier = std::function<std::unique_ptr<Notifier>(const NotifierTools&)>;

}  // namespace weir::notify
