#include "kafka/dead_letter_headers.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace weir::kafka {
namespace {

constexpr std::size_t kNameBytes = 200;
constexpr std::size_t kMessageBytes = 500;
constexpr std::string_view kConnect = "__connect.errors.";

/// Exceptions of Spring's that say only that a listener failed.
constexpr std::array<std::string_view, 3> kWrappers = {"ListenerExecutionFailedException", "TimestampedException",
                                                       "MessageHandlingException"};

std::string_view first(const Headers& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &Headers::value_type::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view last(const Headers& headers, std::string_view name) {
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (header->first == name) return header->second;
  }
  return {};
}

template <class Number>
std::optional<Number> decimal(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

/// A number of exactly its size, as java.nio.ByteBuffer writes it; never negative.
template <class Number>
std::optional<Number> big_endian(std::string_view bytes) {
  if (bytes.size() != sizeof(Number)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char byte : bytes) number = (number << 8U) | static_cast<unsigned char>(byte);
  const auto value = static_cast<Number>(number);
  return value < 0 ? std::nullopt : std::optional(value);
}

bool is_wrapper(std::string_view exception) {
  return std::ranges::any_of(kWrappers, [&](std::string_view wrapper) { return exception.ends_with(wrapper); });
}

void set(std::string& field, std::string_view value, std::size_t bytes = kNameBytes) {
  if (field.empty()) field = clean_text(value, bytes);
}

void read_connect(const Headers& headers, DeadLetterReason& reason) {
  const auto value = [&](std::string_view name) { return last(headers, std::string(kConnect).append(name)); };
  set(reason.origin, first(headers, std::string(kConnect) + "topic"));
  set(reason.exception, value("exception.class.name"));
  set(reason.message, value("exception.message"), kMessageBytes);
  if (const auto connector = value("connector.name"); !connector.empty()) {
    set(reason.component, "connector " + std::string(connector.substr(0, kNameBytes)));
  }
  if (!reason.origin_partition) reason.origin_partition = decimal<std::int32_t>(value("partition"));
  if (!reason.origin_offset) reason.origin_offset = decimal<std::int64_t>(value("offset"));
}

/// `prefix` is "kafka_dlt-", "kafka_" or "x-".
void read_spring(const Headers& headers, std::string_view prefix, DeadLetterReason& reason) {
  const auto name = [&](std::string_view rest) { return std::string(prefix).append(rest); };
  set(reason.origin, first(headers, name("original-topic")));
  std::string_view exception = last(headers, name("exception-fqcn"));
  const std::string_view cause = last(headers, name("exception-cause-fqcn"));
  if (!cause.empty() && (exception.empty() || is_wrapper(exception))) exception = cause;
  set(reason.exception, exception);
  for (const std::string_view part : {"key-exception-", "value-exception-"}) {  // of a deserializer
    set(reason.exception, last(headers, name(part) + "fqcn"));
    set(reason.message, last(headers, name(part) + "message"), kMessageBytes);
  }
  set(reason.message, last(headers, name("exception-message")), kMessageBytes);
  if (const auto group = last(headers, name("original-consumer-group")); !group.empty()) {
    set(reason.component, "consumer group " + std::string(group.substr(0, kNameBytes)));
  }
  if (!reason.origin_partition) {
    reason.origin_partition = big_endian<std::int32_t>(first(headers, name("original-partition")));
  }
  if (!reason.origin_offset) reason.origin_offset = big_endian<std::int64_t>(first(headers, name("original-offset")));
}

/// How many bytes the character of UTF-8 at the beginning has; 0 when it is none (Unicode, table 3-7).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xC2 && lead <= 0xDF   ? 2
                           : (lead & 0xF0U) == 0xE0U      ? 3
                           : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                          : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : size;
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t bytes) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t size = character(text);
    if (clean.size() + std::max<std::size_t>(size, 1) > bytes) break;
    const auto lead = static_cast<unsigned char>(text.front());
    if (size == 0) {
      clean += '?';
    } else if (size == 1 && (lead < ' ' || lead == 0x7F)) {
      clean += ' ';
    } else {
      clean += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return clean;
}

DeadLetterReason read_reason(const Headers& headers, const DeadLetterHeaders& custom) {
  DeadLetterReason reason;
  if (!custom.topic.empty()) set(reason.origin, first(headers, custom.topic));
  if (!custom.exception.empty()) set(reason.exception, last(headers, custom.exception));
  if (!custom.component.empty()) set(reason.component, last(headers, custom.component));
  if (!custom.message.empty()) set(reason.message, last(headers, custom.message), kMessageBytes);
  read_connect(headers, reason);
  for (const std::string_view prefix : {"kafka_dlt-", "kafka_", "x-"}) read_spring(headers, prefix, reason);
  return reason;
}

DeadLetterSettings parse_dead_letter(config::MapReader& reader) {
  DeadLetterSettings settings;
  settings.sample = reader.boolean("sample", settings.sample);
  settings.preview = reader.boolean("preview", settings.preview);
  if (settings.preview && !settings.sample) reader.error("preview", "needs sample: true");
  const config::Node* named = reader.child("headers");
  if (named == nullptr) return settings;
  config::MapReader headers(*named, reader.diagnostics(), reader.what() + ", headers");
  settings.headers.topic = headers.text("topic");
  settings.headers.exception = headers.text("exception");
  settings.headers.component = headers.text("component");
  settings.headers.message = headers.text("message");
  headers.finish();
  return settings;
}

}  // namespace weir::kafka
