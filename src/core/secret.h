#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace weir::core {

/// A password, token or URL with credentials. Nothing prints it by accident: reveal() is the only way
/// to its text, and is called where it is handed to a library, never where something is logged.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  static constexpr std::string_view kShown = "<secret>";
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

}  // namespace weir::core
