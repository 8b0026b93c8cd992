#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"
#include "net/http_client.h"

namespace weir::collectors {

/// A date of HTTP in its one form that is still written (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<core::Time> http_date(std::string_view text);

/// How long a service asks to be left alone, from 1 s to 1 h: Retry-After of 429 and 503 (RFC 9110, 10.2.3: seconds or
/// a date, by the answer's own Date where it has one, as clocks differ), or what is left of a rate limit, with the
/// seconds (or the time) until it is filled anew, under the names that are in use. What cannot be read counts as a
/// minute; nothing where it does not ask.
std::optional<core::Duration> asked_to_wait(const net::HttpResponse& response, core::Time now);

/// What a service says of its refusal in a JSON body, masked, short and on one line, after ": "; "" for nothing.
std::string said(const std::string& body);

}  // namespace weir::collectors
