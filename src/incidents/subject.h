#pragma once

#include <string>
#include <string_view>

#include "core/labels.h"
#include "core/lineage.h"

namespace weir::incidents {

/// The thing an alert is about, told by its labels: a consumer group, a topic, a schema subject, a table …
struct Subject {
  std::string_view kind;  // "consumer group", "topic", "subject", "table", "collector" …
  std::string name;       // "fulfilment"
  std::string place;      // the cluster, registry or source it is in, "" where there is none
  core::Labels identity;  // the labels that name it

  /// "consumer group fulfilment in prod"
  std::string text() const;
  /// The incident's grouping key: equal for alerts of the same thing.
  std::string key() const;
};

/// Labels that name nothing known make the alert's own name the subject.
Subject subject_of(const core::Labels& alert_labels);

/// The node of the lineage graph that an alert or series with these labels is about.
core::Node node_of(const core::Labels& labels);

/// 2 critical, 1 warning, 0 info. Words other sites use are understood ("page", "error"); an unknown one is a warning,
/// none at all is info.
int severity_rank(std::string_view severity);
std::string_view severity_name(int rank);

}  // namespace weir::incidents
