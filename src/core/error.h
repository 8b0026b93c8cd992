#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace weir::core {

/// What went wrong, coarse enough to act on: `unavailable` and `timeout` are worth another try,
/// `denied` wants other credentials, `invalid` wants another input.
enum class ErrorKind {
  invalid,      // the input is wrong: configuration, query, payload
  not_found,    // the thing named does not exist (topic, table, subject, column)
  denied,       // authentication or authorization
  unavailable,  // the other side cannot be reached or answers 5xx
  timeout,
  protocol,   // the other side answers, but not what its protocol says
  limit,      // a bound of Weir's own (size, depth, time, series) was reached
  storage,    // Weir's own files or database
  cancelled,  // shutting down
  internal,
};

std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  // one sentence a user can act on, without the place
  bool retryable = false;
  std::string where = {};  // "file:line:col", "kafka/prod", a URL without credentials

  /// "where: message", or the message alone.
  std::string describe() const;
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorKind::invalid, "...")` from a function that returns a Result. Retryable is
/// derived from the kind: unavailable and timeout are.
std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string where = {});

}  // namespace weir::core
