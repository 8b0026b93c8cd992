#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.h"

namespace weir::kafka {

/// A message's headers, in its order; a name may come more than once. Values are bytes, whatever they mean.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// Why a message is in a dead-letter topic, as its headers say; "" where they do not. Bounded in size, valid UTF-8, no
/// control characters. Not masked.
struct DeadLetterReason {
  std::string origin;     // topic it was read from
  std::string exception;  // class
  std::string component;  // "connector sink-pg", "consumer group billing", or what a header of one's own says
  std::string message;    // of the exception
  std::optional<std::int32_t> origin_partition;
  std::optional<std::int64_t> origin_offset;

  bool empty() const { return origin.empty() && exception.empty() && component.empty() && message.empty(); }
};

/// Headers of one's own, looked at before those that are known; "" for none.
struct DeadLetterHeaders {
  std::string topic;
  std::string exception;
  std::string component;
  std::string message;
};

/// Understands Kafka Connect's `__connect.errors.*` (texts), Spring Kafka's `kafka_dlt-*` and `kafka_*` of its retry
/// topics and Spring Cloud Stream's `x-*` (big-endian numbers), and `custom`. Of an origin given more than once the
/// first counts, since a letter that failed again still comes from there; of an exception the last. Where Spring's
/// exception is no more than a wrapper, its cause is the exception.
DeadLetterReason read_reason(const Headers& headers, const DeadLetterHeaders& custom = {});

/// At most `bytes` of the text as valid UTF-8 without control characters: what is no UTF-8 becomes "?".
std::string clean_text(std::string_view text, std::size_t bytes);

/// What is done with the newest messages of dead-letter topics.
struct DeadLetterSettings {
  bool sample = true;  // read their headers
  DeadLetterHeaders headers;
  bool preview = false;  // show the beginning of a message, masked
};

/// Reads the keys of `dead_letter:` of a cluster, but for `topics`.
DeadLetterSettings parse_dead_letter(config::MapReader& reader);

}  // namespace weir::kafka
