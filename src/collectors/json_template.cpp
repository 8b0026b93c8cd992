#include "collectors/json_template.h"

namespace weir::collectors {
namespace {

std::optional<std::string> moment(std::string_view name, core::Time now) {
  const std::size_t minus = name.find('-');
  const std::string_view kind = name.substr(0, minus);
  if (kind != "now" && kind != "unix" && kind != "unix_ms") return std::nullopt;
  if (minus != std::string_view::npos) {
    const auto span = core::parse_duration(name.substr(minus + 1));
    if (!span) return std::nullopt;
    now -= *span;
  }
  if (kind == "now") return core::format_rfc3339(now);
  const auto milliseconds = now.time_since_epoch().count();
  return std::to_string(kind == "unix" ? milliseconds / 1000 : milliseconds);
}

}  // namespace

std::string fill_template(std::string_view text, core::Time now,
                          const std::function<std::optional<std::string>(std::string_view)>& look_up,
                          const std::function<std::string(std::string_view)>& escape) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    const std::size_t close = text.find('}');
    const std::string_view name = close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1);
    std::optional<std::string> value;
    if (!name.empty() && name.find('{') == std::string_view::npos) {
      value = look_up(name);
      if (!value) value = moment(name, now);
    }
    if (value) {
      out += escape(*value);
      text.remove_prefix(close + 1);
    } else {
      out += '{';
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace weir::collectors
