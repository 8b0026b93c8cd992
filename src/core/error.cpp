#include "core/error.h"

#include <utility>

namespace weir::core {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::denied: return "denied";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::protocol: return "protocol";
    case ErrorKind::limit: return "limit";
    case ErrorKind::storage: return "storage";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

std::string Error::describe() const { return where.empty() ? message : where + ": " + message; }

std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string where) {
  const bool retryable = kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
  return std::unexpected(Error{kind, std::move(message), retryable, std::move(where)});
}

}  // namespace weir::core
