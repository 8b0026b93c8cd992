#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/error.h"
#include "core/labels.h"

namespace re2 {
class RE2;
}

namespace weir::collectors {

/// One step of Prometheus's metric_relabel_configs
/// (https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config). Immutable.
class RelabelRule {
 public:
  enum class Action { replace, keep, drop, keepequal, dropequal, labelmap, labeldrop, labelkeep, lowercase, uppercase };
  struct Parts {
    std::vector<std::string> source_labels = {};
    std::string separator = ";";
    std::string regex = "(.*)";  // matches the whole value
    std::string target_label = {};
    std::string replacement = "$1";
    Action action = Action::replace;
  };

  /// Errors (invalid): an expression that RE2 refuses, a label that the action needs and is not given.
  static core::Result<RelabelRule> make(Parts parts);

  /// False when the series is dropped.
  bool apply(core::LabelsBuilder& labels) const;

 private:
  explicit RelabelRule(Parts parts, std::shared_ptr<const re2::RE2> regex)
      : parts_(std::move(parts)), regex_(std::move(regex)) {}
  void replace(core::LabelsBuilder& labels, const std::string& value) const;
  void map_names(core::LabelsBuilder& labels) const;

  Parts parts_;
  std::shared_ptr<const re2::RE2> regex_;
};

/// What the rules make of a series, one after the other; no labels when it is dropped, or loses its name.
core::Labels relabel(const core::Labels& labels, const std::vector<RelabelRule>& rules);

/// Reads `metric_relabel_configs:`, Prometheus's keys. hashmod is refused, as there are no shards here.
std::vector<RelabelRule> parse_relabel_rules(const std::vector<const config::Node*>& nodes, const std::string& what,
                                             config::Diagnostics& diagnostics);

}  // namespace weir::collectors
