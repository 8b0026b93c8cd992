#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/metrics_page.h"

namespace weir::api {

/// Of a page of metrics the series of one Kafka cluster, without the label `cluster`, as an exporter for this cluster
/// alone would show them; series that name it as `cluster_name` stay as they are. Absent where the page has none.
std::optional<std::string> cluster_page(const MetricsPage::Pieces& pieces, std::string_view cluster);

}  // namespace weir::api
