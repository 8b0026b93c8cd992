#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "kafka/settings.h"

struct rd_kafka_conf_s;

namespace weir::kafka {

struct ConfDeleter {
  void operator()(rd_kafka_conf_s* conf) const;
};
using Conf = std::unique_ptr<rd_kafka_conf_s, ConfDeleter>;

Conf new_conf();
/// Sets one property. The error names the property and never its value.
core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const core::Secret& value);
core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const std::string& value);
/// The names of all properties with a default, for suggestions.
std::vector<std::string> property_names();

}  // namespace weir::kafka
