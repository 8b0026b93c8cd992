#pragma once

#include <optional>
#include <string>

#include "collectors/http_json.h"
#include "collectors/json_pointer.h"

namespace weir::collectors {

/// One request for a page.
struct PageRequest {
  std::string url;
  std::string body;
};

/// The page after this one, the `page`-th from 0 with `items` on it; nothing after the last. `base` is the URL of the
/// service: a page elsewhere would be given the login. Errors (protocol): the next page is of another host.
core::Result<std::optional<PageRequest>> next_page(const JsonPages& pages, const nlohmann::json& answer,
                                                   const net::HttpResponse& response, const PageRequest& asked,
                                                   std::size_t page, std::size_t items, const std::string& base);

}  // namespace weir::collectors
