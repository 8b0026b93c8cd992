#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/lineage.h"
#include "core/time.h"

namespace weir::core {

struct Sample {
  Labels labels;  // with __name__
  Time time;
  double value = 0;
};

/// Something that happened, as opposed to something measured: "schema version registered",
/// "check failed", "group rebalanced". Shown in timelines and used as evidence for a cause.
struct Event {
  Time time;
  std::string kind;     // "schema_incompatible", "topic_recreated" …, snake_case
  Labels labels;        // what it is about: cluster, topic, subject, dataset …
  std::string message;  // one sentence for a person
};

/// A part of the observation that could not be made. `scope` names it by labels (all of them must
/// match; an empty scope is everything): what lies inside keeps its last state instead of being
/// taken for deleted.
struct Fault {
  Error error;
  Labels scope;
  /// It was looked at and has no value (the maximum of an empty table): the collector has done its work.
  bool no_value = false;
};

/// All that one collector saw in one cycle. A series of the collector's previous batch that is not
/// in this one, and not in the scope of a fault, is gone.
struct Batch {
  std::vector<Sample> samples;
  std::vector<Event> events;
  std::vector<Fault> faults;
  /// The ways of data that were seen. They hold until the collector's next batch, and past it while that has a fault.
  std::vector<Edge> edges = {};
};

enum class MetricType { gauge, counter, histogram, untyped };

/// HELP and TYPE of a metric. Strings are literals of the module that emits it.
struct MetricInfo {
  std::string_view name;
  MetricType type = MetricType::gauge;
  std::string_view help;
};

}  // namespace weir::core
