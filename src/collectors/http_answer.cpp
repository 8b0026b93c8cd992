#include "collectors/http_answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "collectors/json_pointer.h"

#include "privacy/mask.h"

namespace weir::collectors {
namespace {

constexpr core::Duration kLongestWait = std::chrono::hours(1);
constexpr std::size_t kLongestMessage = 300;
constexpr std::int64_t kFirstUnixTime = 1'000'000'000;  // so many seconds to wait are a time instead
constexpr std::size_t kMostLevels = 64;

std::string shortened(std::string text) {
  return privacy::printable(privacy::cut(privacy::mask(text), kLongestMessage));
}

}  // namespace

std::optional<core::Time> http_date(std::string_view text) {
  std::tm date{};
  const char* end = strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr) return std::nullopt;
  return core::Time(std::chrono::seconds(timegm(&date)));
}

std::optional<core::Duration> asked_to_wait(const net::HttpResponse& response, core::Time now) {
  std::string_view text;
  if (response.status == 429 || response.status == 503) text = response.header("retry-after");
  if (text.empty()) {
    for (const std::string prefix : {"x-ratelimit-", "ratelimit-", "x-rate-limit-"}) {
      if (response.header(prefix + "remaining") == "0") text = response.header(prefix + "reset");
    }
  }
  if (text.empty()) return std::nullopt;
  now = http_date(response.header("date")).value_or(now);
  std::int64_t seconds = 60;  // where it cannot be read
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end != text.data() + text.size()) {
    const auto until = http_date(text);
    seconds = until ? std::chrono::duration_cast<std::chrono::seconds>(*until - now).count() : 60;
  } else if (seconds > kFirstUnixTime) {
    seconds -= std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  }
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(kLongestWait).count();
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 1, most));
}

std::string said(const std::string& body) {
  const auto answer = parse_json(body, kMostLevels);
  if (!answer || !answer->is_object()) return {};
  for (const char* key : {"message", "error_description", "detail", "title", "error", "errorMessage", "user_message"}) {
    auto found = answer->find(key);
    // Google's and Iceberg's: {"error": {"message": …}}
    if (found != answer->end() && found->is_object()) {
      const auto inner = found->find("message");
      if (inner != found->end() && inner->is_string()) return ": " + shortened(inner->get<std::string>());
    }
    if (found == answer->end() || !found->is_string()) continue;
    return ": " + shortened(found->get<std::string>());
  }
  return {};
}

}  // namespace weir::collectors
