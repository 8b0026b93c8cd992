#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/alert.h"
#include "core/labels.h"
#include "core/time.h"

namespace weir::api {

/// How the last evaluation of a rule or a group went.
struct EvaluationView {
  std::optional<core::Time> at;  // none yet
  double seconds = 0;            // it took
  std::string error;             // "" when it went well
};

/// A rule as /api/v1/rules shows it.
struct RuleView {
  bool alerting = true;
  std::string name;
  std::string query;  // in Prometheus's own layout
  core::Duration hold{0};
  core::Duration keep_firing_for{0};
  core::Labels labels;              // as written, the group's among them
  core::Labels annotations;         // as written: templates
  std::vector<core::Alert> alerts;  // pending and firing
  EvaluationView last;
};

struct RuleGroupView {
  std::string name;
  std::string file;
  core::Duration interval{0};
  std::size_t limit = 0;
  std::vector<RuleView> rules;
  EvaluationView last;
};

/// In the order of the files. Immutable once published; a group that was not evaluated is shared with the list before.
using RuleGroupViews = std::vector<std::shared_ptr<const RuleGroupView>>;

}  // namespace weir::api
