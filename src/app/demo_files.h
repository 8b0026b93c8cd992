#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"

namespace weir::app {

/// What the demo's configuration needs to know of its surroundings.
struct DemoPlaces {
  std::string listen;
  std::string brokers;
  std::string registry_url;
  std::filesystem::path folder;  // the demo's own files
  std::filesystem::path root;    // holds rules/ and checks/
  std::filesystem::path warehouse() const { return folder / "shop.db"; }
  std::filesystem::path candidate() const { return folder / "order_placed.avsc"; }
  std::filesystem::path config() const { return folder / "weir.yml"; }
};

/// The configuration that `weir run` would need to watch the demo's shop.
std::string demo_config(const DemoPlaces& places);

/// The OrderPlaced schema that the shop's next release offers: with a default for its new field, or without.
std::string demo_order_schema(bool with_default);

/// Writes `text` to `path` through a temporary file, so that a reader never sees half of it.
core::Result<void> write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace weir::app
