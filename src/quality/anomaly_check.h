#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// The kind of check `anomaly detection for <metric>`: the metric's measurements are kept, one a bucket and with what
/// was found of them, and each is held against those before it (anomaly.h).
bool is_anomaly_check(const config::Node& line, const config::Node& settings);
ProbePtr parse_anomaly_check(ProbeContext& context);

}  // namespace weir::quality
