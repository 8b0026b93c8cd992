#pragma once

#include <memory>
#include <vector>

#include "app/settings.h"
#include "core/collector.h"
#include "core/error.h"

namespace weir::net {
class HttpClient;
}
namespace weir::series {
class Store;
}
namespace weir::storage {
class Store;
}

namespace weir::app {

class RemoteFiles;

/// What collectors are built with; outlives them.
struct CollectorTools {
  net::HttpClient& http;
  RemoteFiles& remote_files;
  series::Store& series;
  storage::Store& storage;
};

/// Every collector that the settings name. What only one of them needs is moved out of the settings. Errors: a source
/// that cannot be opened.
core::Result<std::vector<std::unique_ptr<core::Collector>>> make_collectors(Settings& settings,
                                                                            const CollectorTools& tools);

}  // namespace weir::app
