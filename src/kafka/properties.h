#pragma once

#include <memory>
#include <string>
#include <string_view>
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
/// Whether a property's value may be a credential: messages are clearer with the value, where it is none.
bool may_be_secret(std::string_view name);
/// Sets one property. The error names the property and what it may be; never the value where that may be a secret.
core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const core::Secret& value);
core::Result<void> set_property(rd_kafka_conf_s* conf, const std::string& name, const std::string& value);
/// The names of all properties with a default, for suggestions.
std::vector<std::string> property_names();

}  // namespace weir::kafka
