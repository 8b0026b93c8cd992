#include "kafka/token.h"

#include <algorithm>
#include <array>
#include <librdkafka/rdkafka.h>
#include <vector>

namespace weir::kafka {
namespace {

/// "a=1,b=2" as a, 1, b, 2.
std::vector<std::string> words_of(const std::string& extensions) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < extensions.size()) {
    const std::size_t end = std::min(extensions.find(',', at), extensions.size());
    const std::size_t equals = std::min(extensions.find('=', at), end);
    words.push_back(extensions.substr(at, equals - at));
    words.push_back(extensions.substr(std::min(equals + 1, end), end - std::min(equals + 1, end)));
    at = end + 1;
  }
  return words;
}

}  // namespace

void give_token(rd_kafka_s* handle, const TokenSettings& settings, const TokenSource& source) {
  const auto token = source(settings, {});
  std::string problem = token ? "" : token.error().message;
  if (token) {
    const auto expires = std::chrono::floor<std::chrono::milliseconds>(token->expires.time_since_epoch()).count();
    const std::vector<std::string> words = words_of(settings.extensions);
    std::vector<const char*> extensions;
    for (const std::string& word : words) extensions.push_back(word.c_str());
    std::array<char, 256> reason{};
    const auto set =
        rd_kafka_oauthbearer_set_token(handle, token->value.reveal().c_str(), expires, token->principal.c_str(),
                                       extensions.data(), extensions.size(), reason.data(), reason.size());
    if (set != RD_KAFKA_RESP_ERR_NO_ERROR) problem = reason.data();
  }
  if (!problem.empty()) rd_kafka_oauthbearer_set_token_failure(handle, problem.c_str());
}

}  // namespace weir::kafka
