#pragma once

#include <span>
#include <string_view>

namespace weir::api {

/// A file of the web page, embedded in the binary.
struct WebAsset {
  std::string_view path;  // "/index.html"
  std::string_view content_type;
  std::string_view etag;  // quoted
  std::string_view bytes;
};

/// All of them; defined by the generated source of the library weir_web.
std::span<const WebAsset> web_assets();

}  // namespace weir::api
