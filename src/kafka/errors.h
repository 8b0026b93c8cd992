#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace weir::kafka {

/// Turns a librdkafka error code into an Error that says what to do next. `subject` is what was asked for
/// (`group "billing"`, `topic "orders"`, or "" for the cluster), `detail` librdkafka's own words.
core::Error to_error(int code, std::string_view subject, std::string_view detail);

/// What OpenSSL's code for a certificate that it refuses (<openssl/x509_vfy.h>) means.
std::string_view certificate_words(int code);

/// librdkafka's words without what changes each time: after how long, and how many were the same.
std::string steady(std::string_view detail);

/// True when two reasons of librdkafka's differ in nothing but the broker, its address and what steady() removes.
bool same_trouble(std::string_view one, std::string_view other);

/// True for errors of a whole connection, as opposed to the topic or group that was asked for.
bool is_connection_error(int code);

}  // namespace weir::kafka
