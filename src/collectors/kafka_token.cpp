#include "collectors/kafka_token.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/percent.h"
#include "kafka/property_files.h"

namespace weir::collectors {
namespace {

using nlohmann::json;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Beyond this a lifetime is taken for a mistake, and the token for one of an hour.
constexpr double kLongestSeconds = 10.0 * 365 * 86400;
constexpr double kUnknownSeconds = 3600;

/// Base64url without padding (RFC 4648, 5); nothing where it is not.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = ((bits << 6U) | static_cast<unsigned>(digit)) & 0xffffU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xffU);
  }
  return out;
}

/// The claims of a JSON Web Token; null where it is none.
json claims_of(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return nullptr;
  const auto text = decoded(token.substr(first + 1, second - first - 1));
  json claims = text ? json::parse(*text, nullptr, false) : json(nullptr);
  return claims.is_object() ? claims : json(nullptr);
}

std::string text_at(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<double> number_at(const json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

core::Time expiry(const json& answer, const json& claims, core::Time now) {
  const double now_seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  double seconds = kUnknownSeconds;
  if (const auto expires = number_at(claims, "exp")) {
    seconds = *expires - now_seconds;
  } else if (const auto lifetime = number_at(answer, "expires_in")) {
    seconds = *lifetime;
  }
  if (!(seconds <= kLongestSeconds)) seconds = kUnknownSeconds;
  if (seconds < 0) seconds = 0;
  return now + std::chrono::duration_cast<core::Time::duration>(std::chrono::duration<double>(seconds));
}

/// RFC 6749, 5.2: {"error": "invalid_client", "error_description": "…"}.
core::Error refused(const net::HttpResponse& response, const json& answer, const std::string& url) {
  const core::ErrorKind kind = response.status == 400 || response.status == 401 || response.status == 403
                                   ? core::ErrorKind::denied
                                   : core::ErrorKind::unavailable;
  std::string reason = text_at(answer, "error").substr(0, 100);
  return core::fail(kind, fmt::format("the token endpoint {} answered HTTP {}{}; check sasl.oauthbearer.client.id, "
                                      "sasl.oauthbearer.client.secret and sasl.oauthbearer.scope",
                                      url, response.status, reason.empty() ? "" : " (" + reason + ")"))
      .error();
}

}  // namespace

core::Result<kafka::Token> fetch_token(net::HttpClient& http, const kafka::TokenSettings& settings, core::Time now,
                                       const std::stop_token& stop) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = settings.url;
  request.timeout = settings.timeout;
  request.max_response_bytes = 1U << 20U;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = "grant_type=client_credentials";
  if (!settings.scope.empty()) request.body += "&scope=" + core::percent_encoded(settings.scope);
  request.basic_auth = {{settings.client_id, settings.client_secret}};
  request.ca_file = settings.ca_file;
  const auto response = http.send(request, stop);
  if (!response) return std::unexpected(response.error());
  const json answer = json::parse(response->body, nullptr, false);
  if (response->status != 200) return std::unexpected(refused(*response, answer, settings.url));
  std::string value = text_at(answer, "access_token");
  if (value.empty()) {
    return core::fail(core::ErrorKind::protocol, "the token endpoint " + settings.url + " answered without a token");
  }
  const json claims = claims_of(value);
  std::string principal = text_at(claims, "sub");
  if (principal.empty()) principal = settings.client_id;
  return kafka::Token{core::Secret(std::move(value)), std::move(principal), expiry(answer, claims, now)};
}

kafka::TokenSource KafkaTokens::source() {
  return [this](const kafka::TokenSettings& settings, const std::stop_token& stop) {
    if (!http_) http_ = net::make_curl_client();
    return fetch_token(*http_, settings, now_, stop);
  };
}

core::Result<std::unique_ptr<kafka::Connection>> connect_once(const kafka::ClusterSettings& cluster,
                                                              KafkaTokens& tokens) {
  const auto read = kafka::PropertyFiles(cluster).read(cluster);
  if (!read) return std::unexpected(read.error());
  return kafka::Connection::open(*read, kafka::Isolation::read_uncommitted, tokens.source());
}

}  // namespace weir::collectors
