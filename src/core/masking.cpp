#include "core/masking.h"

namespace weir::core {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
  return text;
}

}  // namespace

std::string without_secret(std::string text, std::string_view secret, std::string_view shown) {
  if (secret.empty()) return text;
  if (secret.size() >= kLeastMasked) return replaced(std::move(text), secret, shown);
  for (const char quote : {'"', '\''}) {
    const std::string mark(1, quote);
    text = replaced(std::move(text), mark + std::string(secret) + mark, mark + std::string(shown) + mark);
  }
  return text;
}

}  // namespace weir::core
