#include "notify/notifier.h"

#include <charconv>

namespace weir::notify {
namespace {

constexpr std::size_t kShownBody = 200;

std::optional<core::Duration> read_retry_after(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min<std::int64_t>(seconds, 24 * 3600));
}

}  // namespace

Receipt read_answer(const net::HttpResponse& response) {
  Receipt receipt;
  receipt.status = response.status;
  receipt.retry_after = read_retry_after(response.header("retry-after"));
  if (response.status >= 200 && response.status < 300) return receipt;
  const bool again =
      response.status >= 500 || response.status == 408 || response.status == 425 || response.status == 429;
  receipt.permanent = !again;
  receipt.error = "answered HTTP " + std::to_string(response.status);
  if (!response.body.empty()) receipt.error += ": " + response.body.substr(0, kShownBody);
  return receipt;
}

}  // namespace weir::notify
