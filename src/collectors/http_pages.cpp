#include "collectors/http_pages.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "collectors/json_scope.h"
#include "core/percent.h"

namespace weir::collectors {
namespace {

using nlohmann::json;

std::string origin_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  return scheme == std::string::npos ? std::string() : url.substr(0, url.find_first_of("/?", scheme + 3));
}

/// The URL with a parameter of its query set anew.
std::string with_parameter(const std::string& url, const std::string& name, const std::string& value) {
  const std::size_t mark = url.find('?');
  std::string out = url.substr(0, mark);
  char before = '?';
  std::string_view rest = mark == std::string::npos ? std::string_view() : std::string_view(url).substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.substr(0, pair.find('=')) == name) continue;
    out += std::exchange(before, '&');
    out += pair;
  }
  out += before;
  return out + name + "=" + core::percent_encoded(value);
}

/// The target of rel="next" in a Link header.
std::string linked(std::string_view header) {
  while (!header.empty()) {
    const std::size_t open = header.find('<');
    const std::size_t close = header.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    const std::string_view target = header.substr(open + 1, close - open - 1);
    header.remove_prefix(close + 1);
    const std::string_view parameters = header.substr(0, header.find('<'));
    if (parameters.find("rel=\"next\"") != std::string_view::npos ||
        parameters.find("rel=next") != std::string_view::npos)
      return std::string(target);
  }
  return {};
}

/// The request with the page's parameter, in the query or in the body.
core::Result<std::optional<PageRequest>> with_page(const PageRequest& asked, const std::string& parameter,
                                                   const json& value) {
  if (!parameter.starts_with('/')) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    return PageRequest{with_parameter(asked.url, parameter, text), asked.body};
  }
  json body = json::parse(asked.body, nullptr, false);
  try {
    if (!body.is_object()) throw std::invalid_argument("no object");
    body[json::json_pointer(parameter)] = value;
  } catch (const std::exception&) {
    return core::fail(core::ErrorKind::invalid, "the request's body has no place for the page's \"" + parameter + "\"");
  }
  return PageRequest{asked.url, body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace

core::Result<std::optional<PageRequest>> next_page(const JsonPages& pages, const json& answer,
                                                   const net::HttpResponse& response, const PageRequest& asked,
                                                   std::size_t page, std::size_t items, const std::string& base) {
  if (!pages.cursor.empty()) {
    const std::string cursor = json_text_at(answer, pages.cursor);
    if (cursor.empty()) return std::nullopt;
    return with_page(asked, pages.parameter, cursor);
  }
  if (pages.size > 0) {
    if (items < static_cast<std::size_t>(pages.size)) return std::nullopt;
    const auto next = static_cast<std::int64_t>(page + 1);
    return with_page(asked, pages.parameter, pages.numbered ? next + pages.first : next * pages.size);
  }
  const std::string next = pages.link_header    ? linked(response.header("link"))
                           : pages.next.empty() ? std::string()
                                                : json_text_at(answer, pages.next);
  if (next.empty()) return std::nullopt;
  if (next.starts_with('/')) return PageRequest{origin_of(base) + next, asked.body};
  if (next.starts_with('?')) return PageRequest{asked.url.substr(0, asked.url.find('?')) + next, asked.body};
  if (origin_of(next) == origin_of(base)) return PageRequest{next, asked.body};
  return core::fail(core::ErrorKind::protocol, "the next page is of another host, which is not asked", origin_of(next));
}

}  // namespace weir::collectors
